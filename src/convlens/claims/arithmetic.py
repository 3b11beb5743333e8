"""The sub-claims that arithmetic decides: numbers of parameters and FLOPs, receptive fields, layers."""

from __future__ import annotations

from typing import Any

from .. import models
from ..nn.model import lower
from ..program import Program
from ..studies.statistics.verdict import arithmetic
from .row import ClaimRow

ABOUT = 0.05  # "about" means within five per cent
_SHAPE, _CLASSES = (28, 28, 1), 10
STACKS = {5: 2, 7: 3}
"""Number of layers of 3x3 that stand for one of that size."""


def arithmetic_rows() -> list[ClaimRow]:
    """Return them, with the calculation in the verdict's sentence."""
    return [*_sizes(), _similar(), *_growth(), _cost(), *_stacks()]


def _sizes() -> list[ClaimRow]:
    dense, cnn = _program("baseline"), _program("cnn")
    return [
        _count(
            "baseline-size", 1, "the dense baseline 784-128-64-10 has about 109K parameters", 109_000, dense, "baseline"
        ),
        _count("cnn-size", 2, "the CNN (3x3, 16 then 32 filters) has about 210K parameters", 210_000, cnn, "cnn"),
    ]


def _similar() -> ClaimRow:
    dense, cnn = _program("baseline").parameter_count, _program("cnn").parameter_count
    return _row(
        "similar-size",
        4,
        "baseline and CNN have similar parameter counts",
        "1 : 1",
        f"{cnn:,} / {dense:,} = {cnn / dense:.2f}",
        "summary cnn",
        holds=abs(cnn / dense - 1) <= ABOUT,
    )


def _growth() -> list[ClaimRow]:
    programs = {k: _program("cnn", kernel_size=k) for k in (3, 5, 7)}
    claimed = {3: 210_000, 5: 690_000, 7: 1_500_000}
    kernels = {k: _kernel_weights(program) for k, program in programs.items()}
    relative = {k: program.parameter_count / programs[3].parameter_count for k, program in programs.items()}
    counts = [
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
    return [
        *counts,
        _row(
            "kernel-weights-square",
            5,
            "the kernels' weights grow with the square of the kernel size",
            "k²",
            ", ".join(f"{k}x{k}: {weights:,} = {weights // k**2} * {k}²" for k, weights in kernels.items()),
            "summary cnn --kernel-size 7",
            holds=all(weights * 9 == kernels[3] * k * k for k, weights in kernels.items()),
        ),
        _row(
            "network-square",
            5,
            "the network's parameters grow with the square of the kernel size",
            "k²: 1, 2.78, 5.44",
            "relative to 3x3: " + ", ".join(f"{k}x{k}: {ratio:.2f}" for k, ratio in relative.items()),
            "summary cnn --kernel-size 7",
            holds=relative[7] >= (1 - ABOUT) * 49 / 9,
        ),
    ]


def _cost() -> ClaimRow:
    flops = {k: _program("cnn", kernel_size=k).flops for k in (3, 5)}
    shown = f"{flops[5] / 1e6:.2f} against {flops[3] / 1e6:.2f} MFLOP per image: {flops[5] / flops[3]:.2f} times"
    command = "summary cnn --kernel-size 5"
    return _row("5x5-cost", 6, "5x5 costs more than 3x3", "more", shown, command, holds=flops[5] > flops[3])


def _stacks() -> list[ClaimRow]:
    """Return what is claimed of layers of 3x3 in place of a larger kernel, in both blocks of the CNN."""
    return [row for k, layers in STACKS.items() for row in _stack(k, layers)]


def _stack(k: int, layers: int) -> list[ClaimRow]:
    one, stack = _program("cnn", kernel_size=k), _program("cnn", further=(3,) * (layers - 1))
    words, command = f"{'two' if layers == 2 else 'three'} layers of 3x3", "study run stacking"
    relus = [sum(node.op == "relu" for node in program.nodes) for program in (stack, one)]
    stated = [_kernel_weights(program) for program in (stack, one)]
    # C to C: what is compared comes after a layer of 3x3, which changes the number of channels and is in both
    entry = _kernel_weights(_program("cnn", filters=(8, 16)))
    same = [_kernel_weights(_program("cnn", filters=(8, 16), further=sizes)) - entry for sizes in ((3,) * layers, (k,))]
    return [
        _row(
            f"stack-field-{k}x{k}",
            7,
            f"{words} have the receptive field of one of {k}x{k}",
            f"{k} pixels",
            f"1 + {layers} * (3 − 1) = {1 + layers * 2}",
            command,
            holds=1 + layers * 2 == k and _field(stack) == _field(one),
        ),
        _row(
            f"stack-nonlinearity-{k}x{k}",
            7,
            f"{words} have more non-linearity than one of {k}x{k}",
            "more",
            f"{relus[0]} ReLUs against {relus[1]} in the network",
            command,
            holds=relus[0] > relus[1],
        ),
        _row(
            f"stack-weights-{k}x{k}",
            7,
            f"{words} have fewer weights than one of {k}x{k}, in the stated network",
            "fewer",
            f"{stated[0]:,} against {stated[1]:,} weights of kernels",
            command,
            holds=stated[0] < stated[1],
        ),
        _row(
            f"stack-weights-same-{k}x{k}",
            7,
            f"{words} have fewer weights than one of {k}x{k}, where the number of channels stays C",
            "fewer",
            f"{layers * 9} C² against {k * k} C²; with C = 8 and 16: {same[0]:,} against {same[1]:,}",
            command,
            holds=same[0] < same[1],
        ),
    ]


def _row(name: str, number: int, claim: str, claimed: str, shown: str, command: str, *, holds: bool) -> ClaimRow:
    """Return a row that the calculation `shown` decides."""
    return ClaimRow(name, number, claim, claimed, None, arithmetic(claim, shown, holds=holds), f"convlens {command}")


def _count(name: str, number: int, claim: str, claimed: int, program: Program, model: str) -> ClaimRow:
    total = program.parameter_count
    parts = " + ".join(f"{node.parameter_count:,}" for node in program.nodes if node.parameters)
    about = f"about {_short(claimed)}"
    verdict = arithmetic(f"{about} parameters", f"{parts} = {total:,}", holds=abs(total / claimed - 1) <= ABOUT)
    return ClaimRow(name, number, claim, about, None, verdict, f"convlens summary {model}")


def _kernel_weights(program: Program) -> int:
    return sum(node.parameters["w"].size for node in program.nodes if node.op == "conv2d")


def _field(program: Program) -> Any:
    """Return the receptive field of the last map."""
    last = [node.name for node in program.nodes if node.op == "max_pool2d"][-1]
    return program.receptive_fields()[last]


def _program(name: str, **options: Any) -> Program:
    return lower(models.architecture(name, _SHAPE, _CLASSES, **options).layers(_CLASSES), _SHAPE)


def _short(count: int) -> str:
    return f"{count / 1e6:g}M" if count >= 1_000_000 else f"{count // 1000}K"
