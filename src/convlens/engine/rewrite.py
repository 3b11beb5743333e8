"""Rewriting a Program into one that means the same and runs faster.

A few rules, applied wherever they match, whatever the model:

0. Nodes that the output does not depend on are dropped; their parameters keep their places, and a gradient of zero.
1. ReLU and max-pooling commute, so ``relu -> max_pool`` becomes ``max_pool -> relu``, on a fraction of the data.
2. Where kernels can pool what they write, a ``max_pool2d`` whose windows tile the image is merged with the node before
   it: into ``conv2d_max_pool2d``, for example, for which pooling is a maximum over contiguous planes.
3. Where kernels can rectify what they write, a ``relu`` becomes an attribute of the node before it.

The output of a rewritten group keeps its name; values inside it disappear. Only plans see such a Program.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from types import MappingProxyType

from ..program import Node, Program


def rewrite(program: Program, poolers: Collection[str] = (), rectifiers: Collection[str] = ()) -> Program:
    """Return the faster Program.

    `poolers` are the ops with a kernel ``..._max_pool2d``, which also computes the max-pool that follows; `rectifiers`
    those whose kernels support the attribute ``relu``.
    """
    program = _with_pool(_pool_before_relu(_without_dead_ends(program)), poolers)
    return _with_relu(program, rectifiers)


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


def _pool_before_relu(program: Program) -> Program:
    swapped: dict[str, Node] = {}
    for node in program.nodes:
        pool = _sole_consumer(program, node, "max_pool2d") if node.op == "relu" else None
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
