"""Which pixels of an image a network's score depends on: four ways to say so.

The score z is the logit of a class. *Blank* is what preparation makes of an empty pixel. Each map has one number for
each pixel. `convlens.lens.attribution` puts a check beside each: they say less about a network than they seem to.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError
from ..nn import Model
from ..program import INPUT, Node, Program
from ..typing import Array, FloatArray, IntArray
from .gradient import value_gradient
from .shift import blank
from .unit import ACTIVATIONS
from .values import checked, find, prepared, value

Target: TypeAlias = "int | npt.ArrayLike | None"
"""The class whose score it is; or (N,), one for each image; or None, of each image its most probable class."""

STEPS = 64  # of integrated gradients
_SMALLEST_MAP = 2  # pixels of the height and width of a map that Grad-CAM can use
_NUMBERS = 2**21  # pixels that are predicted together


def occlusion(
    model: Model, images: npt.ArrayLike, target: Target = None, *, size: int = 5, stride: int = 1
) -> FloatArray:
    """Return by how much the score falls when a square around each pixel is made blank.

    map[i, j] = z(x) - z(x with the pixels within (size - 1) / 2 of (i, j) blank); with a stride, (i, j) is the nearest
    of the centres in every stride-th row and column. Source: Zeiler & Fergus, "Visualizing and understanding
    convolutional networks", ECCV 2014.

    Parameters
    ----------
    model
        Any model.
    images
        (N, H, W, C), as for `Model.logits`.
    target
        Class whose score it is, or (N,) one for each image; of each image its most probable class, if None.
    size
        Side of the square in pixels, odd.
    stride
        Pixels from one square to the next: the network is asked H W / stride² times.

    Returns
    -------
    FloatArray
        (N, H, W).

    Raises
    ------
    ConfigurationError
        If the target is no class, the size is not odd, or the stride is not a number of pixels.

    Examples
    --------
    >>> from convlens import lens, models
    >>> lens.occlusion(models.build("baseline"), np.zeros((1, 28, 28, 1), np.uint8), 3).any()
    np.False_
    """
    batch = checked(model, images)
    if type(size) is not int or size < 1 or size % 2 == 0:
        raise ConfigurationError(f"the side of an occluding square is an odd number of pixels, such as 5, not {size!r}")
    if type(stride) is not int or stride < 1:
        raise ConfigurationError(f"a stride is a number of pixels, 1 or more, not {stride!r}")
    classes, empty = targets(model, batch, target), blank(model, batch)
    (centres_down, down), (centres_across, across) = (_centres(side, stride) for side in batch.shape[1:3])
    rows, columns = (one.ravel() for one in np.meshgrid(centres_down, centres_across, indexing="ij"))
    found = np.empty(batch.shape[:3], model.flat.dtype)
    step = max(1, _NUMBERS // max(1, batch[:1].size))
    for image, label, of_image in zip(batch, classes.tolist(), found, strict=True):
        whole = model.logits(image[None])[0, label]
        fall = np.empty(len(rows), found.dtype)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            fall[part] = whole - model.logits(_covered(image, rows[part], columns[part], size, empty))[:, label]
        of_image[...] = fall.reshape(len(centres_down), len(centres_across))[np.ix_(down, across)]
    return found


def _centres(side: int, stride: int) -> tuple[IntArray, IntArray]:
    """Return the centres of squares along a side, and for each of its pixels which of them is the nearest."""
    centres = np.arange(min(stride // 2, side - 1), side, stride)
    return centres, np.abs(np.arange(side)[:, None] - centres).argmin(axis=1)


def _covered(image: Array, rows: IntArray, columns: IntArray, size: int, empty: float) -> Array:
    """Return an image (H, W, C) with the square around each of M pixels blank, (M, H, W, C)."""
    height, width = image.shape[:2]
    low = np.abs(rows[:, None] - np.arange(height)) <= size // 2
    across = np.abs(columns[:, None] - np.arange(width)) <= size // 2
    return np.where(low[:, :, None, None] & across[:, None, :, None], np.asarray(empty, image.dtype), image)


def saliency(model: Model, images: npt.ArrayLike, target: Target = None) -> FloatArray:
    """Return how strongly the score reacts to each pixel: the absolute derivative, the largest over the channels.

    map[i, j] = max over c of abs(dz / dx[i, j, c]). Source: Simonyan, Vedaldi & Zisserman, "Deep inside convolutional
    networks", ICLR 2014 workshop.

    Parameters, result and errors as for `occlusion`.

    Examples
    --------
    >>> from convlens import lens, models
    >>> lens.saliency(models.build("cnn"), np.zeros((2, 28, 28, 1), np.uint8), [3, 4]).shape
    (2, 28, 28)
    """
    batch = checked(model, images)
    found: FloatArray = np.abs(_of_score(model, batch, targets(model, batch, target))).max(axis=3)
    return found


def integrated_gradients(
    model: Model, images: npt.ArrayLike, target: Target = None, *, steps: int = STEPS
) -> FloatArray:
    """Return what each pixel contributes to the score, compared with a blank image.

    With x' the blank image, and the sum over channels, ::

        map[i, j] = sum over c of (x - x')[i, j, c] * mean over a in (0, 1) of dz/dx[i, j, c] at x' + a (x - x')

    The mean is that at the midpoints of `steps` equal parts. The map adds up to z(x) - z(x'), but for the error of that
    (*completeness*). Source: Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017.

    Parameters, result and errors as for `occlusion`; `steps` is a whole number above 0.

    Examples
    --------
    >>> from convlens import lens, models
    >>> model, image = models.build("baseline"), np.full((1, 28, 28, 1), 255, np.uint8)
    >>> found = lens.integrated_gradients(model, image, 3).sum()
    >>> score = model.logits(np.concatenate([image, 0 * image]))[:, 3]
    >>> abs(found - (score[0] - score[1])) < 0.01
    np.True_
    """
    batch = checked(model, images)
    if type(steps) is not int or steps < 1:
        raise ConfigurationError(f"the number of steps is a whole number above 0, not {steps!r}")
    classes, x = targets(model, batch, target), prepared(model, batch)
    start = prepared(model, np.full_like(batch, blank(model, batch)))
    along = ((np.arange(steps) + 0.5) / steps).astype(x.dtype)[:, None, None, None]
    found = np.empty(batch.shape[:3], x.dtype)
    for place in range(len(x)):
        way = x[place] - start[place]
        slopes = _of_score(model, start[place] + along * way, np.repeat(classes[place], steps))
        found[place] = (way * slopes.mean(axis=0)).sum(axis=2)
    return found


def grad_cam(model: Model, images: npt.ArrayLike, target: Target = None, *, node: str | None = None) -> FloatArray:
    """Return where the maps of a layer speak for the class.

    With v the value (h, w, C) of the node, each channel is weighted by the mean of the score's derivative, ::

        weight[k] = mean over (i, j) of dz / dv[i, j, k]        map = max(0, sum over k of weight[k] * v[:, :, k])

    interpolated linearly to the size of the image. Source: Selvaraju et al., "Grad-CAM: visual explanations from deep
    networks via gradient-based localization", ICCV 2017.

    Parameters, result and errors as for `occlusion`.

    Parameters
    ----------
    node
        Name of a node with a map; if None, the last convolution, with its activation.

    Raises
    ------
    ConfigurationError
        Also if the node has no map, or the model no convolution.

    Examples
    --------
    >>> from convlens import lens, models
    >>> lens.grad_cam(models.build("cnn"), np.full((1, 28, 28, 1), 9, np.uint8), 3).shape
    (1, 28, 28)
    """
    batch = checked(model, images)
    name = grad_cam_node(model.program) if node is None else node
    shape = find(model.program, name).output_shape
    if len(shape) != 3 or min(shape[:2]) < _SMALLEST_MAP:
        raise ConfigurationError(f"Grad-CAM needs a map, and {name!r} has shape {shape}; name a convolution")
    slopes = _of_score(model, batch, targets(model, batch, target), of=name)  # (N, h, w, C)
    weights = slopes.mean(axis=(1, 2), dtype=np.float64)
    maps = np.maximum(np.einsum("nijk,nk->nij", value(model, batch, name), weights, optimize=False), 0)
    rows, columns = (_interpolation(n, m) for n, m in zip(batch.shape[1:3], shape[:2], strict=True))
    found: FloatArray = (rows @ maps @ columns.T).astype(np.float32)
    return found


def grad_cam_node(program: Program) -> str:
    """Return the node that Grad-CAM uses by default: the last convolution, with its activation.

    Raises
    ------
    ConfigurationError
        If there is no convolution with a map.
    """
    last: Node | None = None
    for node in program.nodes:
        map_ = len(node.output_shape) == 3 and min(node.output_shape[:2]) >= _SMALLEST_MAP
        follows = last is not None and node.op in (*ACTIVATIONS, "batch_norm") and node.inputs == (last.name,)
        if map_ and (node.op in ("conv2d", "local2d") or follows):
            last = node
    if last is None:
        raise ConfigurationError("Grad-CAM needs the maps of a convolution, and the model has none")
    return last.name


def _interpolation(size: int, given: int) -> FloatArray:
    """Return the matrix (size, given) of linear interpolation between the centres of pixels; beyond them it is flat."""
    places = np.clip((np.arange(size) + 0.5) * given / size - 0.5, 0, given - 1)
    matrix: FloatArray = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(given)))
    return matrix


def _of_score(model: Model, batch: Array, classes: IntArray, of: str = INPUT) -> FloatArray:
    """Return the derivative of each image's score with respect to the input, or to a node's value."""
    return value_gradient(model, batch, np.eye(model.classes)[classes], of=of)


def targets(model: Model, batch: Array, target: Target) -> IntArray:
    """Return the class of each image, (N,)."""
    if target is None:
        likely: IntArray = model.logits(batch).argmax(axis=1)
        return likely
    given: Array = np.asarray(target)
    if given.dtype.kind not in "iu" or given.shape not in ((), (len(batch),)):
        raise ConfigurationError(f"a target is the number of a class, or one for each of {len(batch):,} images")
    found: IntArray = np.broadcast_to(given, (len(batch),)).astype(np.int64)
    if len(found) and not (found.min() >= 0 and found.max() < model.classes):
        raise ConfigurationError(f"classes are 0 to {model.classes - 1}, not {target!r}")
    return found
