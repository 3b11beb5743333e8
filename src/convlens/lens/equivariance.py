"""Does a layer move its maps when the image moves? The equivariance error of every node.

A layer f is *equivariant* under a translation T of the image if f(T x) = T' f(x), where T' moves the map by as much as
T moves the image: by shift / stride map pixels, for a layer whose strides multiply to `stride`. It is *invariant* if
f(T x) = f(x). The error of both is relative to what comes out::

    equivariance error = ||f(T x) - T' f(x)|| / ||f(T x)||        invariance error = ||f(T x) - f(x)|| / ||f(T x)||

with Euclidean norms over all images, pixels and channels. Source: Azulay & Weiss, JMLR 2019; Lenc & Vedaldi,
"Understanding image representations by measuring their equivariance and equivalence", CVPR 2015.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError
from ..nn import Model
from ..ops.window import Window
from ..program import INPUT, Program
from ..typing import Array, BoolArray, FloatArray
from .result import Result, Table, share
from .shift import blank, shifted
from .values import checked, in_order, value

Kind: TypeAlias = Literal["equivariance", "invariance"]

ROUNDING = 1e-5  # of float32, the tolerance between two engines: an error up to this is none


@dataclass(frozen=True)
class NodeError(Result):
    """The error of one node under one shift.

    Attributes
    ----------
    node
        Its name.
    kind
        ``"equivariance"`` for a value with positions, ``"invariance"`` for one without: a vector, or a single pixel.
    error
        Over the whole map. What T' fills in is 0.
    kept
        Over the map pixels that T' neither drops nor fills in. None if there are none, or no positions.
    interior
        Over those of them that also see nothing but the image: neither padding, of any layer up to here, nor pixels
        that T filled in. None as for `kept`. A convolution is equivariant here, up to rounding; what remains of the
        error elsewhere is due to the image's edge.
    moved
        By how many map pixels T' moves the map, (down, right).
    whole
        Whether shift / stride is whole. If it is not, no shift of the map corresponds to T, and the errors are those of
        the whole shift beside it that has the smallest error: the best that can be said for the layer.
    """

    node: str
    kind: Kind
    error: float | None
    kept: float | None = None
    interior: float | None = None
    moved: tuple[int, int] = (0, 0)
    whole: bool = True

    @property
    def broken(self) -> bool:
        """Whether the layer breaks the symmetry by more than rounding where the image's edge plays no part."""
        measured = self.interior if self.kind == "equivariance" else self.error
        return not self.whole or (measured is not None and measured > ROUNDING)

    def table(self) -> Table:
        return f"{self.kind} of {self.node}", _HEADER, [_row(self)]


@dataclass(frozen=True)
class Equivariance(Result):
    """The error of every node under one shift.

    Attributes
    ----------
    images
        Number of images.
    shift
        (dy, dx) in pixels, downwards and to the right.
    nodes
        In the order of the Program, the input first.
    """

    images: int
    shift: tuple[int, int]
    nodes: tuple[NodeError, ...]

    @property
    def first_broken(self) -> str | None:
        """Name of the first node that breaks equivariance (see `NodeError.broken`), or gives up positions."""
        return next((one.node for one in self.nodes if one.broken or one.kind == "invariance"), None)

    def table(self) -> Table:
        title = f"images shifted by {self.shift} pixels ({self.images:,} images)"
        return title, _HEADER, [_row(one) for one in self.nodes]


_HEADER = ("node", "kind", "whole map", "kept pixels", "interior", "moved by")


def _row(one: NodeError) -> tuple[object, ...]:
    steps = "{}, {}".format(*one.moved) + ("" if one.whole else " (nearest)")
    errors = (share(value, 3) for value in (one.error, one.kept, one.interior))
    return (one.node, one.kind, *errors, steps if one.kind == "equivariance" else "–")


def equivariance(
    model: Model, images: npt.ArrayLike, shift: tuple[int, int], nodes: Iterable[str] | None = None
) -> Equivariance:
    """Measure the equivariance error of nodes under a shift of the images.

    Parameters
    ----------
    model
        Any model.
    images
        As for `Model.logits`.
    shift
        (dy, dx) in whole pixels, not both 0; blank pixels are filled in.
    nodes
        Names of nodes; all, and the input, if None. The images themselves are equivariant: an error of 0.

    Raises
    ------
    ConfigurationError
        If a node is unknown, or the shift is not two whole numbers, smaller than the image.
    DataError, ShapeError
        If the images are not as for `Model.logits`.

    Examples
    --------
    >>> from convlens import lens, models
    >>> draw = np.random.default_rng(0)
    >>> found = lens.equivariance(models.build("cnn"), draw.integers(0, 255, (4, 28, 28, 1), np.uint8), (2, 0))
    >>> found.first_broken  # the second pooling's stride of 4 does not divide 2
    'pool2'
    """
    batch = checked(model, images)
    dy, dx = _checked_shift(shift, batch.shape)
    wanted = [INPUT, *in_order(model.program)] if nodes is None else in_order(model.program, nodes)
    moved_batch = shifted(batch, dy, dx, blank(model, batch))
    fields, clean, dirty = model.program.receptive_fields(), _sights(model.program), _sights(model.program, (dy, dx))
    found = []
    for name in wanted:
        still, moved = (value(model, one, name) for one in (batch, moved_batch))
        if still.ndim == 2 or still.shape[1:3] == (1, 1) or fields[name].scattered:
            found.append(NodeError(name, "invariance", _ratio(moved - still, moved)))
        else:
            sights = clean[name], dirty[name]
            found.append(_of_map(name, still, moved, (dy, dx), fields[name].stride, sights))
    return Equivariance(len(batch), (dy, dx), tuple(found))


def _of_map(
    name: str,
    still: FloatArray,
    moved: FloatArray,
    shift: tuple[int, int],
    stride: tuple[int, int],
    sights: tuple[BoolArray, BoolArray],
) -> NodeError:
    """Return the error of a map, for the whole shift of it nearest to T, or the best of those beside it."""
    steps = [sorted({one // by, -(-one // by)}) for one, by in zip(shift, stride, strict=True)]
    whole = all(len(one) == 1 for one in steps)
    errors = [_of_steps(name, still, moved, one, sights) for one in itertools.product(*steps)]
    best = min(errors, key=lambda one: np.inf if one.error is None else one.error)
    return replace(best, whole=whole)


def _of_steps(
    name: str, still: FloatArray, moved: FloatArray, steps: tuple[int, ...], sights: tuple[BoolArray, BoolArray]
) -> NodeError:
    down, right = steps
    difference = moved - shifted(still, down, right)
    kept = shifted(np.ones((1, *still.shape[1:3], 1), bool), down, right)[0, :, :, 0]
    interior = kept & sights[1] & shifted(sights[0][None, :, :, None], down, right)[0, :, :, 0]
    return NodeError(
        name,
        "equivariance",
        _ratio(difference, moved),
        _ratio(difference[:, kept], moved[:, kept]),
        _ratio(difference[:, interior], moved[:, interior]),
        (down, right),
    )


def _ratio(difference: Array, reference: Array) -> float | None:
    """Return ||difference|| / ||reference||, summed in float64 in one order; None if there is nothing to compare."""
    if not reference.size:
        return None
    apart, size = (float(np.sqrt(np.square(one, dtype=np.float64).sum())) for one in (difference, reference))
    if size == 0:
        return 0.0 if apart == 0 else None
    return apart / size


def _sights(program: Program, shift: tuple[int, int] = (0, 0)) -> dict[str, BoolArray]:
    """Return, for every value with positions, which pixels see only pixels of the image that the shift did not fill.

    Followed through the windows of the Program; padding of any kind, reflected pixels too, is not the image.
    """
    whole = np.ones((1, *program.input_shape[:2], 1), bool)
    seen: dict[str, BoolArray] = {INPUT: shifted(whole, *shift)[0, :, :, 0]}
    for node in program.nodes:
        if len(node.output_shape) != 3:
            continue
        found = np.ones(node.output_shape[:2], bool)
        for name, shape in zip(node.inputs, node.input_shapes, strict=True):
            before = seen.get(name)
            if before is None or (not isinstance(node.sight, Window) and shape[:2] != node.output_shape[:2]):
                found[...] = False  # reshaped: positions have no meaning
            elif isinstance(node.sight, Window):
                found &= _through(node.sight, before)
            else:
                found &= before
        seen[node.name] = found
    return seen


def _through(window: Window, seen: BoolArray) -> BoolArray:
    """Return which outputs of a window see only such pixels."""
    padded = np.pad(seen, (window.rows, window.columns))  # False: what is beyond the edge
    patches = window.patches(padded[None, :, :, None].astype(np.float32))
    found: BoolArray = (patches == 1).all(axis=(3, 4, 5))[0]
    return found


def _checked_shift(shift: object, shape: tuple[int, ...]) -> tuple[int, int]:
    if isinstance(shift, tuple | list) and len(shift) == 2 and all(type(one) is int for one in shift):
        dy, dx = shift
        if (dy, dx) != (0, 0) and abs(dy) < shape[1] and abs(dx) < shape[2]:
            return dy, dx
    raise ConfigurationError(f"a shift is (dy, dx), whole pixels, not both 0 and within the image, not {shift!r}")
