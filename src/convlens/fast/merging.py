"""Merging what micro-batches have measured for a batch normalisation; see `convlens.engine.compiled.merging`."""

from __future__ import annotations

from ..typing import Float32
from .script import entry
from .signatures import Doubles
from .vector import WIDTH, load_some, store_some


@entry
def add_statistics(
    shift: Float32,
    mean: Float32,
    squares: Float32,
    count: int,
    more: int,
    all_mean: Doubles,
    all_squares: Doubles,
) -> None:
    """Add the statistics of `more` values to those of `count`: `all_mean`, and `all_squares` about it.

    The mean of the new values is relative to a shift. `norm.measure` has the formula.
    """
    share, both = more / (count + more), count * more / (count + more)
    for c in range(len(mean)):
        before = 0.0 if count == 0 else all_mean[c]
        apart = 0.0 + shift[c] + mean[c] - before  # in float64, as 0.0 is
        all_mean[c] = before + apart * share
        all_squares[c] = (0.0 if count == 0 else all_squares[c]) + (squares[c] + apart * apart * both)


@entry
def add_sums(dgamma: Float32, dbeta: Float32, first: bool, all_dgamma: Doubles, all_dbeta: Doubles) -> None:
    """Add sums over a micro-batch to those of the batch, or write them if they are the `first`."""
    for c in range(len(dgamma)):
        all_dgamma[c] = dgamma[c] if first else all_dgamma[c] + dgamma[c]
        all_dbeta[c] = dbeta[c] if first else all_dbeta[c] + dbeta[c]


@entry
def repeat(values: Float32, into: Float32) -> None:
    """Write the values over and over, as often as they fit."""
    for start in range(0, len(into), len(values)):
        for s in range(0, len(values), WIDTH):
            left = len(values) - s
            store_some(load_some(values, s, left), into, start + s, left)
