"""What a model is made of, layer by layer: shapes, parameters, FLOPs, receptive field, stride."""

from __future__ import annotations

from dataclasses import dataclass

from ..program import Program, ReceptiveField
from ..typing import Shape


@dataclass(frozen=True)
class SummaryRow:
    """One node of the model.

    `flops` counts two for each multiply-add of one image's forward pass; `receptive_field` and `stride` (height,
    width) are in pixels of the input image, as text: ``"10x10"``, or ``"all"``.
    """

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    flops: int
    receptive_field: str
    stride: str


@dataclass(frozen=True)
class Summary:
    """A table of the model; print it, or read its rows."""

    input_shape: Shape
    rows: tuple[SummaryRow, ...]
    parameters: int
    flops: int

    def __str__(self) -> str:
        header = ("layer", "kind", "output shape", "parameters", "FLOPs", "receptive field", "stride")
        table = [header, ("input", "", _dimensions(self.input_shape), "", "", "1x1", "1x1")]
        table += [
            (
                row.name,
                row.kind,
                _dimensions(row.output_shape),
                f"{row.parameters:,}" if row.parameters else "",
                f"{row.flops:,}" if row.flops else "",
                row.receptive_field,
                row.stride,
            )
            for row in self.rows
        ]
        table.append(("total", "", "", f"{self.parameters:,}", f"{self.flops:,}", "", ""))
        widths = [max(len(line[column]) for line in table) for column in range(len(header))]
        numeric = {3, 4}
        lines = [
            "  ".join(
                cell.rjust(width) if column in numeric else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join((lines[0], rule, *lines[1:-1], rule, lines[-1]))


def summarize(program: Program) -> Summary:
    """Return the summary of a Program."""
    fields = program.receptive_fields()
    rows = tuple(
        SummaryRow(
            node.name,
            node.op,
            node.output_shape,
            node.parameter_count,
            node.flops,
            *_sight(fields[node.name]),
        )
        for node in program.nodes
    )
    return Summary(program.input_shape, rows, program.parameter_count, program.flops)


def _sight(field: ReceptiveField) -> tuple[str, str]:
    if field.everything:
        return "all", ""
    return f"{field.height}x{field.width}", f"{field.stride[0]}x{field.stride[1]}"


def _dimensions(shape: Shape) -> str:
    return "x".join(map(str, shape))
