"""The option ``--as-digits/--as-is``, and what a training reports about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from ..data import Dataset

PrepareOption: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--as-digits/--as-is",
        help="Whether pictures to predict are first made like MNIST's digits; by default as the training images say.",
    ),
]


def with_chosen_intake(dataset: Dataset, *, as_digits: bool | None) -> tuple[Dataset, str]:
    """Return the data set with what the user chose, if anything, and how pictures to predict will be read, in words."""
    found = dataset.intake.prepare
    if as_digits is not None:
        dataset = dataset.with_intake(prepare="digits" if as_digits else "as-is")
    intake = dataset.intake
    will = "used as they are"
    if intake.prepare == "digits":
        will = "made like MNIST's digits first"
    elif intake.resize:
        will = "resized as these were, and otherwise used as they are"
    if intake.prepare != found:
        why = "as chosen"
    elif found == "digits":
        why = "as the training images are; --as-is overrules that"
    else:
        why = "the training images are not prepared as MNIST's are; --as-digits overrules that"
    return dataset, f"pictures to predict will be {will} ({why})"
