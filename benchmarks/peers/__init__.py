"""The peers: the same network and the same work, by different means. One file each.

A peer is a class with a `name`, made with (batch, kernel_size, threads), that has `train()` (one step on the next
batch: forward, loss, backward, Adam) and `predict()` (one batch). Each runs in a process of its own, which sleeps
while others are timed.
"""

from __future__ import annotations

import importlib

PEERS = {
    "textbook": "textbook:Textbook",
    "convlens-numpy": "convlens_engine:NumpyPlan",
    "convlens-numba": "convlens_engine:NumbaPlan",
    "torch-nchw": "pytorch:Contiguous",
    "torch-channels-last": "pytorch:ChannelsLast",
}


def load(name: str) -> type:
    """Return the class of a peer; ImportError if what it needs is not installed."""
    module, _, cls = PEERS[name].partition(":")
    return getattr(importlib.import_module(f"peers.{module}"), cls)
