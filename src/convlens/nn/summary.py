"""The summary of a model, layer by layer: shapes, parameters, FLOPs, receptive field, stride."""

from __future__ import annotations

from dataclasses import dataclass

from ..markup import html_table
from ..program import Program, ReceptiveField
from ..text_table import TextTable
from ..typing import Shape
from ..wording import count

HEADER = ("layer", "kind", "output shape", "parameters", "FLOPs", "receptive field", "stride")


@dataclass(frozen=True)
class SummaryRow:
    """One node of the model.

    `flops` counts two for each multiply-add of one image's forward pass; `receptive_field` and `stride` (height,
    width) are in pixels of the input image, as text: ``"10x10"``, ``"all"``, or ``"scattered"`` after a reshape that
    rearranges the pixels.
    """

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    flops: int
    receptive_field: str
    stride: str


@dataclass(frozen=True, repr=False)
class Summary:
    """A table of the model: print it, show it in a notebook, or read its rows."""

    input_shape: Shape
    rows: tuple[SummaryRow, ...]
    parameters: int
    flops: int
    layers: int

    def table(self) -> list[tuple[str | int, ...]]:
        """Return the cells: one line for the input, for each node, and for the total; counts of zero are left empty."""
        lines: list[tuple[str | int, ...]] = [("input", "", _dimensions(self.input_shape), "", "", "1x1", "1x1")]
        lines += [
            (
                row.name,
                row.kind,
                _dimensions(row.output_shape),
                row.parameters or "",
                row.flops or "",
                row.receptive_field,
                row.stride,
            )
            for row in self.rows
        ]
        return [*lines, ("total", "", "", self.parameters, self.flops, "", "")]

    def __repr__(self) -> str:
        return f"<Summary: {count(self.layers, 'layer')}, {self.parameters:,} parameters, {self.flops:,} FLOPs>"

    def _repr_html_(self) -> str:
        return html_table("layers of the model", HEADER, self.table())

    def text_table(self) -> TextTable:
        """Return the table as text that fits any width; `str` is the same, as wide as it likes."""
        rows = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in line] for line in self.table()]
        return TextTable("", HEADER, rows, left=(0, 1, 2, 5, 6), spare=(1,), foot=1)

    def __str__(self) -> str:
        return str(self.text_table())


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
    layers = 1 + max((node.layer for node in program.nodes), default=-1)  # some of which have several nodes
    return Summary(program.input_shape, rows, program.parameter_count, program.flops, layers)


def _sight(field: ReceptiveField) -> tuple[str, str]:
    if field.everything:
        return "all", ""
    if field.scattered:
        return "scattered", ""
    return f"{field.height}x{field.width}", f"{field.stride[0]}x{field.stride[1]}"


def _dimensions(shape: Shape) -> str:
    return "x".join(map(str, shape))
