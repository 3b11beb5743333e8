"""The claims of the project this one succeeds, with their verdicts.

Claims about numbers of parameters or FLOPs are decided by arithmetic, with the calculation shown; the others by the
evidence of the studies, each sub-claim on its own. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import models
from ..nn.model import lower
from ..program import Program
from ..studies.evidence import EstimandEvidence, Evidence
from ..studies.stats import Interval
from ..studies.verdict import Verdict, arithmetic, compound

ABOUT = 0.05  # "about" means within five per cent
_SHAPE, _CLASSES = (28, 28, 1), 10


@dataclass(frozen=True)
class ClaimRow:
    """One sub-claim with its verdict.

    Attributes
    ----------
    name
        Short and lasting, by which a document chooses it: ``"cnn-over-wide"``.
    number
        Number of the claim it belongs to.
    claim
        What was claimed, in words.
    claimed
        The value that was claimed, as text.
    interval
        The measured accuracy or difference of accuracies, as a fraction; None if nothing was measured.
    verdict
        The verdict, with a sentence that gives its numbers.
    command
        The command that measures it.
    """

    name: str
    number: int
    claim: str
    claimed: str
    interval: Interval | None
    verdict: Verdict
    command: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "number": self.number,
            "claim": self.claim,
            "claimed": self.claimed,
            "measured": None if self.interval is None else self.interval.to_dict(),
            "verdict": self.verdict.to_dict(),
            "command": self.command,
        }


def claims(evidence: Mapping[str, Evidence], command: str) -> list[ClaimRow]:
    """Return the rows of claims 1 to 6.

    Parameters
    ----------
    evidence
        By study name: ``"baseline-vs-cnn"`` and ``"kernel-size"``.
    command
        The command that measured it.
    """
    networks, kernels = evidence["baseline-vs-cnn"], evidence["kernel-size"]
    return [
        *_sizes(),
        *_accuracies(networks, command),
        *_similar(networks, command),
        *_growth(),
        *_best(kernels, command),
    ]


def compounds(rows: Sequence[ClaimRow]) -> dict[int, Verdict]:
    """Return one verdict for each numbered claim, from those of its parts: it holds only if all of them do."""
    numbers = dict.fromkeys(row.number for row in rows)
    return {number: compound([row.verdict for row in rows if row.number == number]) for number in numbers}


def _sizes() -> list[ClaimRow]:
    dense, cnn = _program("baseline"), _program("cnn")
    return [
        _count(
            "baseline-size", 1, "the dense baseline 784-128-64-10 has about 109K parameters", 109_000, dense, "baseline"
        ),
        _count("cnn-size", 2, "the CNN (3x3, 16 then 32 filters) has about 210K parameters", 210_000, cnn, "cnn"),
    ]


def _accuracies(evidence: Evidence, command: str) -> list[ClaimRow]:
    ranges = {"cnn": "96 to 98 %", "baseline": "92 to 94 %"}
    return [
        _measured(
            f"{model}-accuracy-{recipe}",
            3,
            f"the {'CNN' if model == 'cnn' else model} reaches {claimed} (recipe {recipe!r})",
            claimed,
            evidence,
            f"{model}, {recipe}: accuracy",
            command,
        )
        for model, claimed in ranges.items()
        for recipe in ("plain", "good")
    ]


def _similar(evidence: Evidence, command: str) -> list[ClaimRow]:
    dense, cnn = _program("baseline").parameter_count, _program("cnn").parameter_count
    shown = f"{cnn:,} / {dense:,} = {cnn / dense:.2f}"
    similar = arithmetic("similar parameter counts", shown, holds=abs(cnn / dense - 1) <= ABOUT)
    rows = [
        ClaimRow(
            "similar-size",
            4,
            "baseline and CNN have similar parameter counts",
            "1 : 1",
            None,
            similar,
            "convlens summary cnn",
        )
    ]
    for other, how in (
        ("baseline", "as is"),
        ("baseline-wide", "at equal parameters"),
        ("baseline-flops", "at equal FLOPs"),
    ):
        text = f"the CNN is better by more than half a point {how}"
        estimand = f"cnn over {other}"
        rows.append(_measured(estimand.replace(" ", "-"), 4, text, "> 0.5 points", evidence, estimand, command))
    return rows


def _growth() -> list[ClaimRow]:
    programs = {k: _program("cnn", kernel_size=k) for k in (3, 5, 7)}
    claimed = {3: 210_000, 5: 690_000, 7: 1_500_000}
    rows = [
        _count(
            f"size-{k}x{k}",
            5,
            f"with {k}x{k} kernels the CNN has about {_short(claimed[k])} parameters",
            claimed[k],
            program,
            f"cnn --kernel-size {k}",
        )
        for k, program in programs.items()
    ]
    kernels = {k: _kernel_weights(program) for k, program in programs.items()}
    square = all(kernels[k] * 9 == kernels[3] * k * k for k in programs)
    shown = ", ".join(f"{k}x{k}: {weights:,} = {weights // k**2} * {k}²" for k, weights in kernels.items())
    totals = ", ".join(
        f"{k}x{k}: {program.parameter_count / programs[3].parameter_count:.2f}" for k, program in programs.items()
    )
    quadratic = programs[7].parameter_count / programs[3].parameter_count >= (1 - ABOUT) * 49 / 9
    command = "convlens summary cnn --kernel-size 7"
    return [
        *rows,
        ClaimRow(
            "kernel-weights-square",
            5,
            "the kernels' weights grow with the square of the kernel size",
            "k²",
            None,
            arithmetic("quadratic growth of the convolutions", shown, holds=square),
            command,
        ),
        ClaimRow(
            "network-square",
            5,
            "the network's parameters grow with the square of the kernel size",
            "k²: 1, 2.78, 5.44",
            None,
            arithmetic("quadratic growth of the network", f"relative to 3x3: {totals}", holds=quadratic),
            command,
        ),
    ]


def _best(evidence: Evidence, command: str) -> list[ClaimRow]:
    flops = {k: _program("cnn", kernel_size=k).flops for k in (3, 5)}
    shown = f"{flops[5] / 1e6:.2f} against {flops[3] / 1e6:.2f} MFLOP per image: {flops[5] / flops[3]:.2f} times"
    costlier = arithmetic("5x5 costs more", shown, holds=flops[5] > flops[3])
    better = [
        _measured(
            f"3x3-over-{k}x{k}{how.replace(', ', '-').replace(' ', '-')}",
            6,
            f"3x3 is better than {k}x{k}{how.replace(', ', ' at ')} by more than 0.1 points",
            "> 0.1 points",
            evidence,
            f"3x3 over {k}x{k}{how}",
            command,
        )
        for how in ("", ", equal FLOPs", ", equal parameters", ", equal receptive fields")
        for k in (5, 7)
    ]
    return [
        *better,
        ClaimRow(
            "5x5-cost", 6, "5x5 costs more than 3x3", "more", None, costlier, "convlens summary cnn --kernel-size 5"
        ),
        _measured(
            "7x7-gap",
            6,
            "7x7 overfits: its train-minus-validation gap is larger by more than 0.1 points",
            "> 0.1 points",
            evidence,
            "gap of 7x7 over 3x3",
            command,
        ),
        _measured(
            "7x7-worse",
            6,
            "7x7 overfits: it tests worse by more than 0.1 points",
            "< −0.1 points",
            evidence,
            "7x7 loses to 3x3",
            command,
        ),
    ]


def _measured(
    name: str, number: int, claim: str, claimed: str, evidence: Evidence, estimand: str, command: str
) -> ClaimRow:
    found = _find(evidence, estimand)
    if found is None:
        verdict = Verdict("incomplete", "Incomplete: this profile does not measure it.")
        return ClaimRow(name, number, claim, claimed, None, verdict, command)
    return ClaimRow(name, number, claim, claimed, found.interval, found.verdict, command)


def _find(evidence: Evidence, name: str) -> EstimandEvidence | None:
    return next((one for one in (evidence.primary, *evidence.secondary) if one.estimand.name == name), None)


def _count(name: str, number: int, claim: str, claimed: int, program: Program, model: str) -> ClaimRow:
    total = program.parameter_count
    parts = " + ".join(f"{node.parameter_count:,}" for node in program.nodes if node.parameters)
    verdict = arithmetic(
        f"about {_short(claimed)} parameters", f"{parts} = {total:,}", holds=abs(total / claimed - 1) <= ABOUT
    )
    return ClaimRow(name, number, claim, f"about {_short(claimed)}", None, verdict, f"convlens summary {model}")


def _kernel_weights(program: Program) -> int:
    return sum(node.parameters["w"].size for node in program.nodes if node.op == "conv2d")


def _program(name: str, **options: Any) -> Program:
    return lower(models.architecture(name, _SHAPE, _CLASSES, **options).layers(_CLASSES), _SHAPE)


def _short(count: int) -> str:
    return f"{count / 1e6:g}M" if count >= 1_000_000 else f"{count // 1000}K"
