"""The peers: the same network and the same work, by different means. One file each.

A peer is made from a cell and begins at the same weights as all others. Each runs in a process of its own, which sleeps
while others are timed. A new one is a file here, a row in `PEERS`, and its name in the cells that it takes part in.
"""

from __future__ import annotations

import importlib
from typing import Protocol

from ...typing import FloatArray
from ..cells import Cell


class Peer(Protocol):
    """What a peer can do."""

    def train(self) -> None:
        """Take one step on the next batch: forward, loss, backward, Adam; return when it is done."""

    def predict(self) -> None:
        """Compute the logits of the next batch; return when they are there."""

    def logits(self, x: FloatArray) -> FloatArray:
        """Return logits (N, K) of one batch of images (N, 28, 28, 1), to see that all do the same work.

        Any constant may be added to a row.
        """


PEERS = {
    "textbook": "textbook:Textbook",
    "convlens-numpy": "convlens_engine:NumpyPlan",
    "convlens-numba": "convlens_engine:NumbaPlan",
    "torch-nchw": "pytorch:Contiguous",
    "torch-channels-last": "pytorch:ChannelsLast",
    "torch-compile": "pytorch:Compiled",
    "jax": "with_jax:Jax",
    "sklearn": "scikit_learn:ScikitLearn",
    "gemm": "gemm:Gemm",
}


def load(name: str, cell: Cell) -> Peer:
    """Make a peer for a cell; ImportError if what it needs is not installed."""
    module, _, cls = PEERS[name].partition(":")
    peer: Peer = getattr(importlib.import_module(f".{module}", __name__), cls)(cell)
    return peer
