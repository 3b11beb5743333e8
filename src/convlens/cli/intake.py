"""The option ``--as-digits/--as-is``, and what a training says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from .options import notes

if TYPE_CHECKING:
    from ..data import Dataset

PrepareOption: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--as-digits/--as-is",
        help="Whether pictures to predict are first made like MNIST's digits; by default as the training images say.",
    ),
]


def with_chosen_intake(dataset: Dataset, *, as_digits: bool | None) -> Dataset:
    """Return the data set with what the user chose, if anything, and report how pictures to predict will be read."""
    found = dataset.intake.prepare
    if as_digits is not None:
        dataset = dataset.with_intake(prepare="digits" if as_digits else "as-is")
    digits = dataset.intake.prepare == "digits"
    will = "made like MNIST's digits first" if digits else "used as they are"
    if as_digits is None or dataset.intake.prepare == found:
        alike = f"the training images are {'' if found == 'digits' else 'not '}like MNIST's digits, so "
        overruling = f"; {'--as-is' if digits else '--as-digits'} overrules that"
    else:
        alike, overruling = "as chosen, ", ""
    notes.print(f"{alike}pictures to predict will be {will}{overruling}")
    return dataset
