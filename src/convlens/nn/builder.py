"""Lowering: layers append their nodes to a builder, which gives them names, shapes and places for their parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import ShapeError
from ..program import ALIGNMENT, INPUT, Node, Program, Sight, Slot
from ..typing import Shape


class ProgramBuilder:
    """Collects nodes while layers are lowered; only the layers' ``lower`` methods use it."""

    def __init__(self, input_shape: Shape) -> None:
        self._input_shape = input_shape
        self._nodes: list[Node] = []
        self._shapes: dict[str, Shape] = {INPUT: input_shape}
        self._names: Counter[str] = Counter()
        self._size = self._buffer_size = 0
        self.layer = 0  # position of the layer being lowered

    def name(self, kind: str) -> str:
        """Return a fresh name: ``"conv1"``, ``"conv2"``, ..."""
        self._names[kind] += 1
        return f"{kind}{self._names[kind]}"

    def shape(self, value: str) -> Shape:
        """Return the image shape of a value."""
        return self._shapes[value]

    def image_shape(self, value: str, layer: str) -> tuple[int, int, int]:
        """Return (H, W, C) of a value; ShapeError if it is not an image."""
        shape = self._shapes[value]
        if len(shape) != 3:
            raise ShapeError(f"{layer} needs images (height, width, channels), but {value!r} has shape {shape}")
        return shape[0], shape[1], shape[2]

    def parameter(
        self,
        name: str,
        shape: Shape,
        initializer: str,
        fan_in: int = 0,
        fan_out: int = 0,
        *,
        decay: bool = False,
    ) -> Slot:
        """Reserve an aligned place in the flat parameter array."""
        slot = Slot(name, self._size, shape, initializer, fan_in, fan_out, decay)
        self._size += -(-slot.size // ALIGNMENT) * ALIGNMENT
        return slot

    def buffer(self, name: str, shape: Shape, initializer: str) -> Slot:
        """Reserve an aligned place in the flat buffer array."""
        slot = Slot(name, self._buffer_size, shape, initializer)
        self._buffer_size += -(-slot.size // ALIGNMENT) * ALIGNMENT
        return slot

    def add(
        self,
        name: str,
        op: str,
        inputs: tuple[str, ...],
        output_shape: Shape,
        *,
        sight: Sight = "point",
        attributes: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Slot] | None = None,
        buffers: Mapping[str, Slot] | None = None,
        macs: int = 0,
    ) -> str:
        """Append a node and return the name of its value."""
        self._nodes.append(
            Node(
                name,
                op,
                inputs,
                tuple(self._shapes[value] for value in inputs),
                output_shape,
                sight,
                MappingProxyType(dict(attributes or {})),
                MappingProxyType(dict(parameters or {})),
                MappingProxyType(dict(buffers or {})),
                macs,
                self.layer,
            )
        )
        self._shapes[name] = output_shape
        return name

    def build(self) -> Program:
        """Return the finished Program."""
        return Program(self._input_shape, tuple(self._nodes), self._size, self._buffer_size)
