"""Rewriting a Program into one that means the same and runs faster.

A few rules, applied wherever they match, whatever the model:

0. Nodes that the output does not depend on are dropped; their parameters keep their places, and a gradient of zero.
1. ReLU and tanh commute with maxima, so ``relu -> max_pool`` becomes ``max_pool -> relu``, on a fraction of the data.
2. Where kernels can pool what they write, a ``max_pool2d`` whose windows tile the image is merged with the node before
   it: into ``conv2d_max_pool2d``, for example, for which pooling is a maximum over contiguous planes.
3. Where kernels can rectify what they write, a ``relu`` becomes an attribute of the node before it.

Two more, before these, for prediction only:

4. Dropout, which does nothing in prediction, is left out.
5. A ``batch_norm`` is folded into the convolution before it (`convlens.engine.folding`); so rules 2 and 3 apply to what
   follows.

The output of a rewritten group keeps its name; values inside it disappear. Only plans see such a Program.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from types import MappingProxyType

from ..program import Node, Program
from .folding import can_fold, folded

RISING = ("relu", "tanh")  # ops of one number that are never smaller for a larger one


def rewrite(
    program: Program, poolers: Collection[str] = (), rectifiers: Collection[str] = (), *, predicting: bool = False
) -> Program:
    """Return the faster Program; if it is `predicting`, one that means the same in prediction only.

    `poolers` are the ops with a kernel ``..._max_pool2d``, which also computes the max-pool that follows; `rectifiers`
    those whose kernels support the attribute ``relu``.
    """
    program = _without_dead_ends(program)
    if predicting:
        program = _with_norm(_without_dropout(program))
    return _with_relu(_with_pool(_pool_first(program), poolers), rectifiers)


def _without_dead_ends(program: Program) -> Program:
    needed: set[str] = {program.output}
    for node in reversed(program.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return replace(program, nodes=tuple(node for node in program.nodes if node.name in needed))


def _sole_consumer(program: Program, node: Node, op: str) -> Node | None:
    """Return the only reader of a node's value, if its op is `op`."""
    consumers = program.consumers(node.name)
    if node.name != program.output and len(consumers) == 1 and consumers[0].op == op:
        return consumers[0]
    return None


def _without_dropout(program: Program) -> Program:
    names: dict[str, str] = {}  # of the values that take a dropout's place
    nodes: list[Node] = []
    for node in program.nodes:
        inputs = tuple(names.get(name, name) for name in node.inputs)
        if node.op == "dropout" and node.name != program.output:
            names[node.name] = inputs[0]
        else:
            nodes.append(replace(node, inputs=inputs))
    return replace(program, nodes=tuple(nodes))


def _with_norm(program: Program) -> Program:
    nodes: list[Node] = []
    gone: set[str] = set()
    for node in program.nodes:
        norm = _sole_consumer(program, node, "batch_norm") if can_fold(node) else None
        if norm is not None:
            gone.add(norm.name)
            nodes.append(folded(node, norm))
        elif node.name not in gone:
            nodes.append(node)
    return replace(program, nodes=tuple(nodes))


def _pool_first(program: Program) -> Program:
    swapped: dict[str, Node] = {}
    for node in program.nodes:
        pool = _sole_consumer(program, node, "max_pool2d") if node.op in RISING else None
        if pool is not None:
            inner = f"{pool.name}:pooled"
            swapped[node.name] = replace(pool, name=inner, inputs=node.inputs)
            swapped[pool.name] = replace(
                node,
                name=pool.name,
                inputs=(inner,),
                input_shapes=(pool.output_shape,),
                output_shape=pool.output_shape,
            )
    return replace(program, nodes=tuple(swapped.get(node.name, node) for node in program.nodes))


def _with_pool(program: Program, poolers: Collection[str]) -> Program:
    nodes: list[Node] = []
    gone: set[str] = set()
    for node in program.nodes:
        pool = _sole_consumer(program, node, "max_pool2d") if node.op in poolers else None
        if pool is not None and pool.window.kernel == pool.window.stride:
            gone.add(pool.name)
            nodes.append(
                replace(
                    node,
                    name=pool.name,
                    op=f"{node.op}_max_pool2d",
                    output_shape=pool.output_shape,
                    attributes=MappingProxyType({**node.attributes, "pool": pool.window.kernel}),
                )
            )
        elif node.name not in gone:
            nodes.append(node)
    return replace(program, nodes=tuple(nodes))


def _with_relu(program: Program, rectifiers: Collection[str]) -> Program:
    nodes: list[Node] = []
    gone: set[str] = set()
    for node in program.nodes:
        relu = _sole_consumer(program, node, "relu") if node.op in rectifiers else None
        if relu is not None:
            gone.add(relu.name)
            nodes.append(replace(node, name=relu.name, attributes=MappingProxyType({**node.attributes, "relu": True})))
        elif node.name not in gone:
            nodes.append(node)
    return replace(program, nodes=tuple(nodes))
