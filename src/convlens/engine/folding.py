"""Batch normalisation in prediction, folded into the layer before it.

With running statistics, batch normalisation is y = (x - mean) * s + beta, s = gamma / sqrt(variance + epsilon), channel
by channel. If x = W u + b, where the last axis of W and b is the channels, then y = W' u + b'::

    W' = W * s        b' = (b - mean) * s + beta

So a layer with these weights normalises for nothing. They are computed anew in each call, because parameters and
running statistics may change in place. Source: Jacob et al., CVPR 2018, section 3.2.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from ..program import Node
from .interpreter import OPS
from .kernel import Step, Wiring
from .toolbox import Fold

EPSILON = "folded_epsilon"  # the attribute of a node that a batch normalisation was folded into
WORTH_FOLDING = 32  # multiply-adds for each weight; with fewer, as in a dense layer, folding costs more than it saves


def can_fold(node: Node) -> bool:
    """Return whether a batch normalisation can be folded into a node, and that pays."""
    return OPS[node.op].affine and node.macs >= WORTH_FOLDING * node.parameters["w"].size


def folded(node: Node, norm: Node) -> Node:
    """Return the node that also does what `norm`, its only reader, does."""
    return replace(
        node,
        name=norm.name,
        attributes=MappingProxyType({**node.attributes, EPSILON: norm.attributes["epsilon"]}),
        parameters=MappingProxyType({**node.parameters, **norm.parameters}),
        buffers=norm.buffers,
    )


def with_memory(wiring: Wiring) -> Wiring:
    """Return the wiring of a node with memory for W' and b' in place of its parameters, if it is a folded one."""
    node = wiring.node
    if EPSILON not in node.attributes:
        return wiring
    return replace(wiring, folded={key: wiring.memory(key, node.parameters[key].shape) for key in ("w", "b")})


def steps(wiring: Wiring, fold: Fold) -> list[Step]:
    """Return the step that computes W' and b', if the node is a folded one."""
    if not wiring.folded:
        return []
    slots, channels = wiring.node.parameters, wiring.node.parameters["gamma"].size
    step = fold(
        **{key: slots[key].view(wiring.parameters).reshape(-1, channels) for key in ("w", "b")},
        **{key: wiring.parameter(key) for key in ("gamma", "beta")},
        **{key: wiring.buffer(key) for key in ("mean", "variance")},
        epsilon=wiring.node.attributes[EPSILON],
        **{f"folded_{key}": array.reshape(-1, channels) for key, array in wiring.folded.items()},
    )
    return [step]
