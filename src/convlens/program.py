"""The Program: what a model is once it is built.

Layers are configuration. Building a model *lowers* them, one after the other, to a small graph of nodes in which
everything is decided: every shape, every window's padding, and the place of every parameter in one flat array.
Whatever runs, draws, counts, exports or serves a model reads the Program, never the layer classes.

A value is named after the node that computes it; the input images are ``"input"``. Nodes are in the order in which
they run.

A Program can be written as plain data (`Program.to_dict`). The header of every saved model holds it, so a reader that
knows no layers can run the model. ``docs/format.md`` describes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np

from .errors import ConfigurationError
from .ops.window import Window
from .plain import check_keys, plain
from .typing import Array, Shape

INPUT = "input"
ALIGNMENT = 16  # floats: 64 bytes, a cache line and an AVX-512 register

Sight: TypeAlias = Window | Literal["point", "all"]


@dataclass(frozen=True)
class Slot:
    """The place of one named array in a flat array.

    `initializer`, `fan_in` and `fan_out` say how it is initialised; `decay` says whether weight decay applies to it.
    """

    name: str
    offset: int
    shape: Shape
    initializer: str
    fan_in: int = 0
    fan_out: int = 0
    decay: bool = False

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def view(self, flat: Array) -> Array:
        """Return this array as a view of the flat array."""
        return flat[self.offset : self.offset + self.size].reshape(self.shape)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str) -> Slot:
        """Return the slot that `Program.to_dict` wrote; ConfigurationError names a wrong key."""
        check_keys(cls, data, where)
        return cls(**{**data, "shape": _shape(data["shape"], where)})


@dataclass(frozen=True)
class Node:
    """One operation of a Program.

    Attributes
    ----------
    name
        Name of the node and of the value it computes, such as ``"conv1"``.
    op
        What it does: a key of the interpreter's table, such as ``"conv2d"``.
    inputs
        Names of the values it reads.
    input_shapes, output_shape
        Image shapes: without N.
    sight
        What one output pixel sees of the input: a window, the same point only, or all of it.
    attributes
        Static settings of the op, by name.
    parameters
        Slots in the flat parameter array by short name: ``"w"`` for the slot named ``"conv1.w"``.
    buffers
        Likewise for values that are kept but not trained, such as running statistics; their flat array is a separate
        one.
    macs
        Multiply-add operations for one image in the forward pass.
    layer
        Position of the layer it was lowered from.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    sight: Sight = "point"
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    parameters: Mapping[str, Slot] = field(default_factory=lambda: MappingProxyType({}))
    buffers: Mapping[str, Slot] = field(default_factory=lambda: MappingProxyType({}))
    macs: int = 0
    layer: int = 0

    @property
    def window(self) -> Window:
        """The window of a node that has one."""
        assert isinstance(self.sight, Window), f"{self.name} has no window"
        return self.sight

    @property
    def parameter_count(self) -> int:
        """Number of trained values, alignment excluded."""
        return sum(slot.size for slot in self.parameters.values())

    @property
    def flops(self) -> int:
        """Floating-point operations for one image in the forward pass: two for each multiply-add.

        As is usual, biases, activations and the comparisons of a pooling are not counted.
        """
        return 2 * self.macs

    def to_dict(self) -> dict[str, Any]:
        """Return the node as plain data: its fields by name."""
        data = {
            **{one.name: getattr(self, one.name) for one in fields(self)},
            "sight": asdict(self.sight) if isinstance(self.sight, Window) else self.sight,
            "parameters": {key: asdict(slot) for key, slot in self.parameters.items()},
            "buffers": {key: asdict(slot) for key, slot in self.buffers.items()},
        }
        node: dict[str, Any] = plain(data, f"node {self.name}")
        return node

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str) -> Node:
        """Read what `to_dict` wrote; ConfigurationError names a wrong key."""
        check_keys(cls, data, where)
        sight = data["sight"]
        if isinstance(sight, Mapping):
            check_keys(Window, sight, f"{where}.sight")
            sight = Window(**_tuples(sight))
        return cls(
            data["name"],
            data["op"],
            tuple(data["inputs"]),
            tuple(_shape(shape, f"{where}.input_shapes") for shape in data["input_shapes"]),
            _shape(data["output_shape"], f"{where}.output_shape"),
            sight,
            MappingProxyType(_tuples(data["attributes"])),
            _slots(data["parameters"], f"{where}.parameters"),
            _slots(data["buffers"], f"{where}.buffers"),
            data["macs"],
            data["layer"],
        )


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with tuples in place of the lists that JSON made of them."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def _shape(shape: object, where: str) -> Shape:
    if isinstance(shape, list) and all(type(size) is int and size > 0 for size in shape):
        return tuple(shape)
    raise ConfigurationError(f"{where}: a shape is a list of whole numbers above 0, not {shape!r}")


def _slots(data: Mapping[str, Any], where: str) -> Mapping[str, Slot]:
    """Return slots in the order of the flat array, which JSON objects need not keep."""
    slots = {key: Slot.from_dict(one, f"{where}.{key}") for key, one in data.items()}
    return MappingProxyType(dict(sorted(slots.items(), key=lambda item: item[1].offset)))


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input that one output pixel sees, and the distance between those of two neighbours, in pixels.

    Over layers l with kernels k and strides s: size = 1 + sum of (k_l - 1) * (product of the strides before l),
    stride = product of all strides. Source: Araujo et al., "Computing receptive fields of convolutional neural
    networks", Distill 2019.

    `everything` is set after a layer that sees the whole image at once. `scattered` is set after a reshape into an
    image of another shape: what a pixel sees then lies in several places, and sizes and stride mean nothing.
    """

    height: int = 1
    width: int = 1
    stride: tuple[int, int] = (1, 1)
    everything: bool = False
    scattered: bool = False

    def through(self, window: Window) -> ReceptiveField:
        """Return the receptive field after one more window."""
        (kh, kw), (sh, sw) = window.kernel, window.stride
        return replace(
            self,
            height=self.height + (kh - 1) * self.stride[0],
            width=self.width + (kw - 1) * self.stride[1],
            stride=(self.stride[0] * sh, self.stride[1] * sw),
        )


def _extent(field: ReceptiveField) -> tuple[bool, bool, int]:
    """Return what orders receptive fields by size."""
    return field.everything, field.scattered, field.height * field.width


@dataclass(frozen=True)
class Program:
    """A model as a graph of nodes, with the layout of its parameters."""

    input_shape: Shape
    nodes: tuple[Node, ...]
    parameter_size: int
    buffer_size: int = 0

    @property
    def output(self) -> str:
        """Name of the last value: the logits."""
        return self.nodes[-1].name if self.nodes else INPUT

    @property
    def output_shape(self) -> Shape:
        """Image shape of the last value."""
        return self.nodes[-1].output_shape if self.nodes else self.input_shape

    @property
    def slots(self) -> Iterator[Slot]:
        """Every parameter, in the order of the flat array."""
        return (slot for node in self.nodes for slot in node.parameters.values())

    @property
    def buffer_slots(self) -> Iterator[Slot]:
        """Every buffer, in the order of its flat array."""
        return (slot for node in self.nodes for slot in node.buffers.values())

    @property
    def parameter_count(self) -> int:
        """Number of trained values, alignment excluded."""
        return sum(slot.size for slot in self.slots)

    @property
    def flops(self) -> int:
        """Floating-point operations of the forward pass for one image (see `Node.flops`)."""
        return sum(node.flops for node in self.nodes)

    def consumers(self, name: str) -> tuple[Node, ...]:
        """Return the nodes that read a value."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def receptive_fields(self) -> dict[str, ReceptiveField]:
        """Return the theoretical receptive field of every value; where branches meet, the largest one."""
        fields, images = {INPUT: ReceptiveField()}, {INPUT: self.input_shape}  # images: as which a value's pixels lie
        for node in self.nodes:
            seen = max((fields[name] for name in node.inputs), key=_extent)
            image = images[node.inputs[0]] if node.sight == "point" else node.output_shape
            if len(node.output_shape) == 3 and node.output_shape != image:
                alone = node.output_shape[:2] == (1, 1)  # one pixel of everything that the image was made of
                seen, image = replace(seen, scattered=True, everything=seen.everything or alone), node.output_shape
            if isinstance(node.sight, Window):
                seen = seen.through(node.sight)
            elif node.sight == "all":
                seen = replace(seen, everything=True)
            fields[node.name], images[node.name] = seen, image
        return fields

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied and pickled as plain data: read-only mappings, which the nodes hold, cannot be."""
        return Program.from_dict, (self.to_dict(),)

    def decay_mask(self) -> Array:
        """Return a float32 array over the flat parameters: 1 where weight decay applies, else 0."""
        mask = np.zeros(self.parameter_size, np.float32)
        for slot in self.slots:
            slot.view(mask)[...] = slot.decay
        return mask

    def to_dict(self) -> dict[str, Any]:
        """Return the Program as plain data, from which `from_dict` makes an equal one."""
        return {
            "input_shape": list(self.input_shape),
            "nodes": [node.to_dict() for node in self.nodes],
            "parameter_size": self.parameter_size,
            "buffer_size": self.buffer_size,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Program:
        """Read what `to_dict` wrote.

        Raises
        ------
        ConfigurationError
            If a key is unknown or missing, or a node reads a value that no node before it makes; the message names
            the place.
        """
        check_keys(cls, data, "program")
        shapes = {INPUT: _shape(data["input_shape"], "program.input_shape")}
        nodes = []
        for position, one in enumerate(data["nodes"]):
            where = f"program.nodes[{position}]"
            node = Node.from_dict(one, where)
            if node.input_shapes != tuple(shapes.get(name) for name in node.inputs):
                raise ConfigurationError(
                    f"{where} reads {node.inputs} of shapes {node.input_shapes}, which no node before it makes"
                )
            shapes[node.name] = node.output_shape
            nodes.append(node)
        return cls(shapes[INPUT], tuple(nodes), data["parameter_size"], data["buffer_size"])


def aligned_zeros(size: int, dtype: type = np.float32) -> Array:
    """Return a flat zeroed array that begins on a 64-byte boundary."""
    itemsize = np.dtype(dtype).itemsize
    memory: Array = np.zeros(size + 64 // itemsize, dtype)
    start = (-memory.ctypes.data % 64) // itemsize
    return memory[start : start + size]
