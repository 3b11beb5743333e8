"""Make any picture of a digit like MNIST's own.

MNIST's digits are light on black, scaled (with anti-aliasing) so that the longer side of the ink is 20 pixels, and
placed so that their centre of mass is the centre of 28 x 28. A photograph of dark ink on lit paper looks
nothing like that. An `Account` reports what was done to a picture, and what makes the result doubtful.

Source: Yann LeCun, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, DataError
from ..preprocessing import BOX
from ..typing import Array, BoolArray, Float32, UInt8
from .image_file import colours_of
from .ink import Ink, blobs, extent, find_ink, grown, reduced, strongest_channel, widened
from .rulings import rulings

if TYPE_CHECKING:
    from PIL.Image import Image

DIGITS = tuple("0123456789")

_LARGEST_SIDE = 1024  # pixels; larger pictures are reduced before anything else
_FINE = 160  # pixels along the longer side of the ink when it is cut out
_GRID = 64  # cells along the longer side of the grid on which specks are separated from strokes
_THIN, _PEN = 1.2, 2.0  # strokes thinner than the first are widened to the second; in pixels of a 28-pixel image
_PALE = 48  # grey levels; less contrast is doubtful


@dataclasses.dataclass(frozen=True)
class Account:
    """What was done to a picture, and what is doubtful about it.

    Attributes
    ----------
    done
        The steps in words, in order: ``"inverted (dark ink on light paper)"``. Empty if the picture was used as it is.
    warnings
        Why the result may be wrong, in words: ``"the ink touches the edge of the picture"``.
    """

    done: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return bool(self.done)

    def to_dict(self) -> dict[str, list[str]]:
        """Return it as plain JSON data."""
        return {"done": list(self.done), "warnings": list(self.warnings)}

    def __str__(self) -> str:
        return ", ".join(self.done) or "taken as it is"


def prepare_digit(
    source: str | os.PathLike[str] | bytes | Image | npt.NDArray[Any],
    input_shape: tuple[int, int, int],
    box: float = BOX,
) -> tuple[UInt8, Account]:
    """Make a picture of a digit like MNIST's own.

    A picture that already matches them in size, polarity, scale and position is returned unchanged.

    Parameters
    ----------
    source
        An image file's name or content; a Pillow image; or a uint8 array, (H, W) or (H, W, C) with 1, 3 or 4 channels,
        the fourth being opacity.
    input_shape
        (H, W, C) of the model, with C 1 or 3.
    box
        Share of its shorter side that the longer side of the digit is to take.

    Returns
    -------
    image, account
        uint8 of the input shape, and what was done and is doubtful.

    Raises
    ------
    DataError
        If the picture is damaged, too large, or an array of another type or shape.
    ConfigurationError
        If the model takes neither 1 nor 3 channels, or images too small for a digit.
    """
    if input_shape[2] not in {1, 3} or min(input_shape) < 1 or min(input_shape[:2]) < 8:
        raise ConfigurationError(f"digits are prepared for (H, W, 1 or 3) with H and W 8 or more, not {input_shape}")
    done: list[str] = []
    colours = _read(source, done)
    if _is_like_mnist(colours, input_shape, box):
        return np.broadcast_to(colours[..., :1], input_shape).copy(), Account()
    grey = _grey(colours, done)
    ink = find_ink(grey)
    warnings: list[str] = []
    cut = _cut_out(ink, done, warnings)
    if cut is None:
        return np.zeros(input_shape, np.uint8), Account(tuple(done), tuple(warnings))
    placed = _placed(cut, input_shape, box, done)
    warnings += _doubts(placed, ink, box)
    pixels = np.rint(255 * placed).astype(np.uint8)[..., np.newaxis]
    return np.broadcast_to(pixels, input_shape).copy(), Account(tuple(done), tuple(warnings))


def _read(source: str | os.PathLike[str] | bytes | Image | npt.NDArray[Any], done: list[str]) -> UInt8:
    """Return the picture upright, (H, W, C) with 1, 3 or 4 channels, reduced to at most `_LARGEST_SIDE`."""
    found = colours_of(_image(source) if isinstance(source, np.ndarray) else source, _LARGEST_SIDE)
    if found.turned:
        done.append("turned upright as the camera noted")
    height, width, _ = found.pixels.shape
    if (width, height) != found.size:
        done.append("reduced {}x{} to {}x{}".format(*found.size, width, height))
    return found.pixels


def _image(pixels: npt.NDArray[Any]) -> Image:
    """Return an array as a Pillow image; DataError if it holds no picture."""
    from PIL import Image  # imported when needed: training needs no Pillow

    array: Array = pixels.astype(np.uint8) * 255 if pixels.dtype == np.bool_ else pixels
    array = array[..., 0] if array.shape[2:] == (1,) else array
    if array.dtype != np.uint8 or array.shape[2:] not in {(), (3,), (4,)} or array.ndim < 2 or not array.size:
        raise DataError(
            f"a picture of a digit is uint8, (H, W) or (H, W, C) with 1, 3 or 4 channels, not {pixels.dtype} of "
            f"shape {pixels.shape}; give pixels from 0 to 255"
        )
    return Image.fromarray(np.ascontiguousarray(array))


def _is_like_mnist(colours: UInt8, input_shape: tuple[int, int, int], box: float) -> bool:
    """Whether a picture can be used as it is: light on black, of the right size, scale and position."""
    height, width, _ = input_shape
    if colours.shape[:2] != (height, width) or colours.shape[2] == 4 or (colours != colours[..., :1]).any():
        return False
    grey = colours[..., 0].astype(np.float64)
    frame = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    if grey.max() < 128 or np.median(frame) > 0 or (grey > 0).mean() > 0.6:
        return False
    (top, bottom), (left, right) = extent(grey > 0)
    side, wanted = max(bottom - top, right - left), box * min(height, width)
    row, column = _centre_of_mass(grey)
    return (
        abs(side - wanted) <= 0.1 * wanted + 0.5 and abs(row - height / 2) <= 0.501 and abs(column - width / 2) <= 0.501
    )


def _grey(colours: UInt8, done: list[str]) -> Float32:
    """Return one opaque channel."""
    channels = colours.shape[2]
    grey, name = (colours[..., 0].astype(np.float32), "") if channels == 1 else strongest_channel(colours[..., :3])
    if channels == 4 and (colours[..., 3] < 255).any():
        return _opaque(grey, (colours[..., 3] / 255).astype(np.float32), done)
    if name:
        done.append(f"used its {name} channel (most contrast)")
    return grey


def _opaque(grey: Float32, opacity: Float32, done: list[str]) -> Float32:
    """Composite a transparent picture onto a background that shows what is drawn.

    If the opaque part has one tone, it is the drawing: the background is black or white, whichever is further from it.
    If it has several tones, it includes its own paper, whose tone fills the rest.
    """
    shown = grey[opacity > 0.5]
    if not shown.size:
        shown = grey[opacity > 0]
    if not shown.size:
        return np.zeros_like(grey)
    low, middle, high = (float(value) for value in np.percentile(shown, (5, 50, 95)))
    if high - low < 64 or opacity.mean() < 0.4:
        ground = 255.0 if middle < 128 else 0.0
        done.append(f"laid on {'white' if ground else 'black'} (it is transparent)")
    else:
        ground = middle
        done.append("filled its transparent parts with the tone of its paper")
    return (opacity * grey + (1 - opacity) * np.float32(ground)).astype(np.float32)


class _Cut(NamedTuple):
    """The cropped ink: (H, W) from 0 to 1, and the rows and columns that bound the digit."""

    map: Float32
    rows: tuple[int, int]
    columns: tuple[int, int]


def _cut_out(ink: Ink, done: list[str], warnings: list[str]) -> _Cut | None:
    """Find and crop the digit, without rulings and specks; None and a warning if there is no ink."""
    height, width = ink.map.shape
    if not ink.stands_out:
        warnings.append("no ink stands out from its paper")
        return None
    if ink.dark:
        done.append("inverted (dark ink on light paper)")
    if ink.gradient > 8:
        done.append(f"levelled its paper (brightness varied by {ink.gradient:.0f} of 255)")
    removed = rulings(ink.mask)
    done += removed.words
    near, size = _digit(ink.mask & ~removed.mask, ink.blocks, done)
    factor = max(1, ink.step * size // _FINE)
    shown = _enlarged(near & ~removed.mask, ink.step, ink.map.shape)
    fine = reduced(np.where(shown, ink.map, np.float32(0)), factor)
    if not (fine > 0).any():
        warnings.append("nothing is left beside frames and lines")
        return None
    full = _full_ink(fine)
    if full < _PALE:
        warnings.append(f"there is little contrast ({full:.0f} of 255)")
    floor = max(0.04 * full, 3 * ink.noise / max(factor / ink.step, 1))
    fine = np.clip((fine - np.float32(floor)) / np.float32(full - floor), 0, 1)
    rows, columns = extent(fine > 0.15)
    if rows[0] == 0 or columns[0] == 0 or rows[1] == fine.shape[0] or columns[1] == fine.shape[1]:
        warnings.append("the ink touches the edge of the picture")
    tall, wide = min(height, factor * (rows[1] - rows[0])), min(width, factor * (columns[1] - columns[0]))
    if (tall, wide) != (height, width):
        done.append(f"cropped {width}x{height} to {wide}x{tall}")
    return _Cut(fine, rows, columns)


def _enlarged(mask: BoolArray, step: int, shape: tuple[int, int]) -> BoolArray:
    """Return a mask of blocks as one of pixels."""
    return mask.repeat(step, axis=0).repeat(step, axis=1)[: shape[0], : shape[1]]


def _digit(mask: BoolArray, ink: Float32, done: list[str]) -> tuple[BoolArray, int]:
    """Return where the digit is, with a margin, and its longer side, both in blocks of the ink's mask.

    Parts that are near each other for their size belong together, so it is looked for on a grid of `_GRID` cells; if it
    takes few of these, again on a grid of its own surroundings.
    """
    top, left, (height, width) = 0, 0, mask.shape
    while True:
        part = np.s_[top : top + height, left : left + width]
        step = -(-max(height, width) // _GRID)
        strokes, specks = _strokes(reduced(np.where(mask[part], ink[part], np.float32(0)), step))
        rows, columns = extent(strokes)
        size = step * max(rows[1] - rows[0], columns[1] - columns[0])
        if step == 1 or 3 * size + 2 * step >= max(height, width):
            break
        bottom, right = (
            min(top + step * rows[1] + size, top + height),
            min(left + step * columns[1] + size, left + width),
        )
        top, left = max(top + step * rows[0] - size, top), max(left + step * columns[0] - size, left)
        height, width = bottom - top, right - left
    if specks:
        done.append(f"left out {specks} speck{'s' if specks > 1 else ''}")
    near = np.zeros_like(mask)
    near[part] = _enlarged(widened(widened(strokes)), step, (height, width))
    return near, size


def _strokes(cells: Float32) -> tuple[BoolArray, int]:
    """Return the cells of the digit, blobs with at least 6 % of the largest one's ink, and the number of the others."""
    mask = cells > 0
    labels, count = blobs(widened(mask))
    mass = np.bincount(labels.ravel(), cells.ravel(), count + 1)[1:]
    kept = np.flatnonzero(mass >= 0.06 * mass.max(initial=0)) + 1
    return mask & np.isin(labels, kept), count - len(kept)


def _full_ink(ink: Float32) -> float:
    """Return the grey level in the middle of a stroke, which becomes white as in MNIST."""
    top = float(np.percentile(ink[ink > 0], 98))
    return float(np.percentile(ink[ink > 0.5 * top], 85))


def _placed(cut: _Cut, input_shape: tuple[int, int, int], box: float, done: list[str]) -> Float32:
    """Scale the digit to its box and put its centre of mass in the middle."""
    height, width, _ = input_shape
    side = round(box * min(height, width))
    ink, rows, columns = _thickened(cut, side, 28 * BOX / (box * min(height, width)), done)
    tall, wide = rows[1] - rows[0], columns[1] - columns[0]
    scale = side / max(tall, wide)
    new_tall, new_wide = max(1, round(tall * scale)), max(1, round(wide * scale))
    small = _resized(ink, rows, columns, new_tall, new_wide)
    if (new_tall, new_wide) != (tall, wide):
        done.append(f"scaled to {new_wide}x{new_tall}")
    brightest = float(small.max())
    if 0 < brightest < 0.9:
        small /= np.float32(brightest)
        done.append("made brighter")
    row, column = _centre_of_mass(small)
    # as in MNIST: the centre of mass, to whole pixels, on pixel (14, 14), counted from 0
    down = min(max(round(height / 2 - row), 0), height - new_tall)
    right = min(max(round(width / 2 - column), 0), width - new_wide)
    middle = (height - new_tall) // 2, (width - new_wide) // 2
    done.append(f"centred by mass, shifted ({right - middle[1]:+d}, {down - middle[0]:+d})")
    placed = np.zeros((height, width), np.float32)
    placed[down : down + new_tall, right : right + new_wide] = small
    return placed


def _thickened(cut: _Cut, side: int, unit: float, done: list[str]) -> tuple[Float32, tuple[int, int], tuple[int, int]]:
    """Widen strokes that would almost vanish when scaled down; MNIST's strokes are about two pixels wide."""
    (top, bottom), (left, right) = cut.rows, cut.columns
    pixel = max(bottom - top, right - left) / side / unit  # one pixel of a 28-pixel image, in pixels of the crop
    width = _stroke_width(cut.map[top:bottom, left:right] > 0.3) / pixel
    reach = round((_PEN - width) * pixel / 2)
    if width >= _THIN or reach < 1:
        return cut
    done.append(f"thickened its strokes from {width:.1f} to {_PEN:.1f} pixels")
    # the grown map is larger by `reach` on each side
    return grown(cut.map, reach), (top, bottom + 2 * reach), (left, right + 2 * reach)


def _stroke_width(mask: BoolArray) -> float:
    """Estimate the mean stroke width in pixels, from how fast the mask vanishes under repeated erosion."""
    left, total = mask, 0
    while left.any():
        total += int(left.sum())
        left = ~widened(~np.pad(left, 1))[1:-1, 1:-1]
    # A stroke of width w has areas proportional to w, w-2, w-4, ...; their sum over the first is about (w + 2) / 4.
    return max(4 * total / max(int(mask.sum()), 1) - 2, 0.5)


def _resized(ink: Float32, rows: tuple[int, int], columns: tuple[int, int], tall: int, wide: int) -> Float32:
    from PIL import Image  # imported when needed: training needs no Pillow

    box = (columns[0], rows[0], columns[1], rows[1])
    image = Image.fromarray(ink).resize((wide, tall), Image.Resampling.HAMMING, box=box)
    result: Float32 = np.clip(np.asarray(image, np.float32), 0, 1)
    return result


def _doubts(placed: Float32, ink: Ink, box: float) -> list[str]:
    """Return reasons why the result may not be one digit."""
    doubts = []
    labels, count = blobs(widened(placed > 0.25))
    mass = np.bincount(labels.ravel(), placed.ravel(), count + 1)[1:]
    parts = int((mass > 0.15 * mass.sum()).sum())
    if parts > 1:
        doubts.append(f"there are {parts} separate blobs of ink; expected one digit")
    side = box * min(placed.shape)
    if placed.sum() > 0.62 * side * side:
        doubts.append("the ink fills too much for a digit")
    if ink.unrest > 0.08 * ink.contrast and ink.unrest > 4:
        doubts.append("the background is not plain paper")
    return doubts


def _centre_of_mass(values: Array) -> tuple[float, float]:
    """Return row and column of the centre of mass, counted from the middle of pixel (0, 0)."""
    total = float(values.sum())
    rows = float(values.sum(axis=1) @ np.arange(values.shape[0])) / total
    return rows, float(values.sum(axis=0) @ np.arange(values.shape[1])) / total
