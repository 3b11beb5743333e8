"""The peers: the same network and the same work, by different means. One module each.

A peer is created from a cell and starts from the same weights as all others. Each runs in its own process, which sleeps
while others are timed. A new one needs a module here, a row in `PEERS`, and its name in the cells that it takes part
in.

A yardstick is timed in the same way, but is not a network, so its results are not compared.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ...typing import FloatArray
from ..cells import WORKS, Cell


class Timed(Protocol):
    """What can be timed: one method for each of its works (see `works_of`).

    If one of them is ``"train"``, it also has ``train() -> None``: one step on the next batch (forward, loss, backward,
    Adam), which returns when it is done.
    """

    def predict(self) -> None:
        """Compute the logits of the next batch; return when they are done."""


@runtime_checkable
class Peer(Timed, Protocol):
    """A network that does the cell's work."""

    def logits(self, x: FloatArray) -> FloatArray:
        """Return logits (N, K) of one batch of images (N, 28, 28, 1), to check that all peers do the same work.

        Any constant may be added to a row.
        """


@dataclass(frozen=True)
class Listing:
    """Where a peer's class is, and what it does.

    Attributes
    ----------
    place
        Its module here and its class: ``"module:Class"``.
    works
        Its works, of ``"train"`` and ``"predict"``.
    """

    place: str
    works: tuple[str, ...] = WORKS


PEERS = {
    "textbook": Listing("textbook:Textbook"),
    "convlens-numpy": Listing("convlens_engine:NumpyPeer"),
    "convlens-numba": Listing("convlens_engine:NumbaPeer"),
    "torch-nchw": Listing("pytorch:Contiguous"),
    "torch-channels-last": Listing("pytorch:ChannelsLast"),
    "torch-compile": Listing("pytorch:Compiled"),
    "onnxruntime": Listing("with_onnxruntime:OnnxRuntime", ("predict",)),
    "openvino": Listing("with_openvino:OpenVino", ("predict",)),
    "jax": Listing("with_jax:Jax"),
    "sklearn": Listing("scikit_learn:ScikitLearn"),
}
YARDSTICKS = {"gemm": Listing("gemm:Gemm")}


def works_of(name: str) -> tuple[str, ...]:
    """Return the works of a peer; all works for a name that is not listed, such as that of another version."""
    return PEERS[name].works if name in PEERS else WORKS


def load(name: str, cell: Cell) -> Timed:
    """Create a peer or a yardstick for a cell; ImportError if a package that it needs is missing."""
    module, _, cls = {**PEERS, **YARDSTICKS}[name].place.partition(":")
    made: Timed = getattr(importlib.import_module(f".{module}", __name__), cls)(cell)
    return made
