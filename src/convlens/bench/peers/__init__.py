"""The peers: the same network and the same work, by different means. One module each.

A peer is created from a cell and starts from the same weights as all others. Each runs in its own process, which sleeps
while others are timed. A new one needs a module here, a row in `PEERS`, and its name in the cells that it takes part
in.

A yardstick is timed in the same way, but is not a network, so its results are not compared.
"""

from __future__ import annotations

import importlib
from typing import Protocol, runtime_checkable

from ...typing import FloatArray
from ..cells import Cell


class Timed(Protocol):
    """Two kinds of work that can be timed."""

    def train(self) -> None:
        """Take one step on the next batch: forward, loss, backward, Adam; return when it is done."""

    def predict(self) -> None:
        """Compute the logits of the next batch; return when they are done."""


@runtime_checkable
class Peer(Timed, Protocol):
    """A network that does the cell's work."""

    def logits(self, x: FloatArray) -> FloatArray:
        """Return logits (N, K) of one batch of images (N, 28, 28, 1), to check that all peers do the same work.

        Any constant may be added to a row.
        """


PEERS = {
    "textbook": "textbook:Textbook",
    "convlens-numpy": "convlens_engine:NumpyPeer",
    "convlens-numba": "convlens_engine:NumbaPeer",
    "torch-nchw": "pytorch:Contiguous",
    "torch-channels-last": "pytorch:ChannelsLast",
    "torch-compile": "pytorch:Compiled",
    "jax": "with_jax:Jax",
    "sklearn": "scikit_learn:ScikitLearn",
}
YARDSTICKS = {"gemm": "gemm:Gemm"}


def load(name: str, cell: Cell) -> Timed:
    """Create a peer or a yardstick for a cell; ImportError if a package that it needs is missing."""
    module, _, cls = {**PEERS, **YARDSTICKS}[name].partition(":")
    made: Timed = getattr(importlib.import_module(f".{module}", __name__), cls)(cell)
    return made
