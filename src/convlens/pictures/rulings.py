"""Remove from a picture's ink what is no digit: frames, ruled lines, cells of forms, borders of scans.

Two mechanisms, both on the mask of the ink. *Straight lines*, also slightly tilted and also through a digit, are found
as long runs of ink once the mask is sheared by its tilt; a line is erased wherever it is as thin as elsewhere, and left
where a stroke crosses it. This is how staff lines are removed from scores. *Whole blobs* are erased if they are shaped
like a frame around other ink, or lie along the picture's edge. Frames that touch nothing go first, before any line.

No stroke of a digit may be taken for a line. So a line must be longer than a digit's stroke can be beside the rest of
the ink, or one of the sides of a rectangle; and nothing is erased if nothing would remain.

Source: I. Fujinaga, "Staff detection and removal", in "Visual Perception of Music Notation", 2004.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from ..typing import BoolArray, IntArray
from .ink import blobs, extent, widened

FRAME = "removed a frame"
_TILTS = np.linspace(-0.125, 0.125, 51)  # slopes tried: up to 7 degrees
_THICK = 0.06  # of the picture's side: the thickest line
_SHORT, _LONG = 0.25, 0.8  # of the side: the shortest line that may be a frame's side, and that needs no corners
_BEYOND = 1.3  # a line through a digit is longer than the rest of the ink by this factor
_GAP = 0.04  # of the side: a gap in a line
_THIN, _THIN_BEHIND = 0.5, 0.2  # share of a line that must be thin: alone, and among others of the same thickness
_LEAST_SIDE = 24  # blocks: in a smaller picture every stroke is as long as a line
_SMALLEST = 0.018  # of the side: the smallest digit


Box: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""(first, last + 1) of rows and of columns."""


class Removed(NamedTuple):
    """What to erase, as a mask (H, W), and in words."""

    mask: BoolArray
    words: tuple[str, ...]


class _Run(NamedTuple):
    """A run of ink along a row, from column `start` to before `stop`."""

    row: int
    start: int
    stop: int


class _Trace(NamedTuple):
    """A line's thin part, all ink in its place, both (H, W), and its thickness."""

    mask: BoolArray
    band: BoolArray
    thick: int


@dataclasses.dataclass(frozen=True)
class _Line:
    """A straight line in one of the two directions.

    Attributes
    ----------
    mask
        (H, W): the line, without the strokes that cross it.
    band
        (H, W): all ink in its place.
    upright
        Whether it runs down, not across.
    start, stop, at
        Where it begins and ends, and its distance from the top, or from the left, at its middle; in pixels.
    thick
        Thickness in pixels.
    """

    mask: BoolArray
    band: BoolArray
    upright: bool
    start: int
    stop: int
    at: int
    thick: int

    @property
    def length(self) -> int:
        return self.stop - self.start


def rulings(mask: BoolArray) -> Removed:
    """Find frames, lines and edges in a mask of ink (H, W)."""
    nothing = Removed(np.zeros_like(mask), ())
    if min(mask.shape) < _LEAST_SIDE or not mask.any():
        return nothing
    erased, words = np.zeros_like(mask), list[str]()
    for name, blob in _no_digits(mask):  # before lines, or two sides of a box that was drawn by hand would be left
        if name == FRAME and not _core(_cut(blob)).any():
            erased |= blob
            words.append(name)
    rest = mask & ~erased
    lines, box = _accepted(rest, [*_lines(rest, upright=False), *_lines(rest, upright=True)])
    for line in lines:
        erased |= line.band
    if box is not None:  # a stroke that crosses a line remains
        erased[slice(*box[0]), slice(*box[1])] &= ~rest[slice(*box[0]), slice(*box[1])]
    for line in lines:
        erased |= line.mask
    words += _named_lines(lines, mask.shape)
    for name, blob in _no_digits(mask & ~erased):
        erased |= blob
        words.append(name)
    # the blurred edge of what is erased goes with it, but not that of what remains
    fringe = widened(erased) & ~widened(mask & ~widened(erased)) | erased
    return nothing if _main_box(mask & ~fringe) is None else Removed(fringe, tuple(dict.fromkeys(words)))


def _lines(mask: BoolArray, *, upright: bool) -> Iterator[_Line]:
    """Find straight lines of one direction, parallel to one another."""
    across = mask.T if upright else mask
    if not across.any():
        return
    offsets = np.rint(_tilt(across) * np.arange(across.shape[1])).astype(int)
    offsets -= offsets.min()
    height, width = across.shape
    rows, columns = np.nonzero(across)
    level = np.zeros((height + int(offsets.max()), width), bool)  # sheared: lines run along rows
    level[rows + offsets[columns], columns] = True
    side, heights = min(mask.shape), _run_heights(level)
    thickest = max(3, round(_THICK * side))
    runs = list(_long_runs(level, round(_SHORT * side), max(2, round(_GAP * side))))
    traced: list[tuple[_Run, _Trace]] = []
    for known in (
        False,
        True,
    ):  # once the thickness of a page's lines is known, those behind a bold digit are found too
        thick = int(np.median([found.thick for _, found in traced])) if len(traced) >= 3 else None
        if known and thick is None:
            break
        for run in runs:
            if _is_covered(level, run) and (found := _traced(level, heights, run, thickest, thick if known else None)):
                traced.append((run, found))
                level &= ~found.mask  # not found again
    for run, found in traced:
        masks = []
        for part in (found.mask, found.band):
            rows, columns = np.nonzero(part)
            line = np.zeros_like(across)
            line[rows - offsets[columns], columns] = True
            masks.append(line.T if upright else line)
        middle = run.row - int(offsets[(run.start + run.stop) // 2])
        yield _Line(masks[0], masks[1], upright, run.start, run.stop, middle, found.thick)


def _tilt(mask: BoolArray) -> float:
    """Return the slope at which ink is gathered in the fewest rows; 0 unless another is clearly better."""
    rows, columns = np.nonzero(mask)
    some = slice(None, None, 1 + len(rows) // 5_003)  # enough to find a slope
    rows, columns = rows[some], columns[some]
    least = int(1.1 * _TILTS[-1] * mask.shape[1]) + 2  # finer slopes go a little beyond these

    def sharpness(slope: float) -> float:
        profile = np.bincount(rows + np.rint(slope * columns).astype(int) + least)
        return float((profile.astype(float) ** 3).sum())

    scores = [sharpness(slope) for slope in _TILTS]
    best = float(_TILTS[int(np.argmax(scores))])
    step = float(_TILTS[1] - _TILTS[0])
    near = best + step * np.linspace(-0.8, 0.8, 9)
    finer = [sharpness(slope) for slope in near]
    return float(near[int(np.argmax(finer))]) if max(finer) > 1.2 * sharpness(0.0) else 0.0


def _run_heights(level: BoolArray) -> IntArray:
    """Return for each pixel of ink the height of the vertical run of ink that it belongs to."""
    padded = np.pad(level, ((1, 1), (0, 0))).T
    change = np.diff(padded.astype(np.int8), axis=1)
    starts, ends = np.nonzero(change == 1), np.nonzero(change == -1)
    heights = ends[1] - starts[1]
    result = np.zeros(level.shape, np.int64)
    filled = np.repeat(heights, heights)
    result.T[level.T] = filled  # runs in the order of columns, as the mask's own pixels
    return result


def _long_runs(level: BoolArray, shortest: int, gap: int) -> Iterator[_Run]:
    """Yield runs along rows, over gaps, longest first."""
    thick = level.copy()
    thick[1:] |= level[:-1]
    thick[:-1] |= level[1:]
    found = []
    for row in np.flatnonzero(thick.sum(axis=1) >= 0.9 * shortest).tolist():
        columns = np.flatnonzero(thick[row])
        breaks = np.flatnonzero(np.diff(columns) > gap)
        starts = columns[np.append(0, breaks + 1)]
        stops = columns[np.append(breaks, len(columns) - 1)] + 1
        for start, stop in zip(starts, stops, strict=True):
            if stop - start >= shortest:
                found.append(_Run(row, int(start), int(stop)))
    yield from sorted(found, key=lambda run: (run.start - run.stop, run.row))


def _is_covered(level: BoolArray, run: _Run) -> bool:
    """Whether most of a run is ink that belongs to no line found before."""
    near = level[max(run.row - 1, 0) : run.row + 2, run.start : run.stop].any(axis=0)
    return bool(near.mean() >= 0.75)


def _traced(level: BoolArray, heights: IntArray, run: _Run, thickest: int, known: int | None) -> _Trace | None:
    """Return the line that a run belongs to; None if too little of it is thin, or as thin as `known`."""
    rows = slice(max(run.row - 1, 0), run.row + 2)
    here = np.where(level[rows, run.start : run.stop], heights[rows, run.start : run.stop], 0).max(axis=0)
    present = here[here > 0]
    if not len(present):
        return None
    thick = known or int(np.percentile(present, 40))
    limit = thick + max(2, round(0.5 * thick))
    if thick > thickest or (present <= limit).mean() < (_THIN_BEHIND if known else _THIN):
        return None
    band = np.zeros_like(level)
    reach = np.s_[max(run.row - limit, 0) : run.row + limit + 1, run.start : run.stop]
    band[reach] = level[reach]
    return _Trace(band & (heights <= limit), band, thick)


def _accepted(mask: BoolArray, lines: list[_Line]) -> tuple[list[_Line], Box | None]:
    """Return the lines that are no stroke of a digit, and the box of all parts of what they leave."""
    side = min(mask.shape)
    lines = [
        line
        for line in lines
        if line.length >= _LONG * mask.shape[0 if line.upright else 1] or _corners(line, lines, side) == 2
    ]
    rest, crossings = mask.copy(), [np.zeros_like(mask), np.zeros_like(mask)]
    for line in lines:
        rest &= ~line.mask
        crossings[line.upright] |= line.band
    rest &= ~(crossings[0] & crossings[1])
    box = _main_box(rest)
    if box is None or _is_bar_of_frame(box, lines):
        return [], box
    return [line for line in lines if _is_ruling(line, lines, box)], _main_box(rest, parts=True)


def _corners(line: _Line, lines: list[_Line], side: int) -> int:
    """Return how many of a line's two ends meet a perpendicular line that is about as thick as it, or thicker."""
    reach = 0.05 * side
    if line.length <= 4 * (reach + line.thick):
        return 0
    others = [one for one in lines if one.upright != line.upright and line.thick <= 2 * one.thick + 2]
    others = [one for one in others if one.start - reach <= line.at <= one.stop + reach]
    return sum(any(abs(one.at - end) <= reach + one.thick for one in others) for end in (line.start, line.stop))


def _is_ruling(line: _Line, lines: list[_Line], box: Box) -> bool:
    """Whether a line is no stroke of the digit in a box: outside it, one of many, or far longer than the digit."""
    along, beside = box if line.upright else box[::-1]
    margin = 0.1 * (beside[1] - beside[0])
    if not beside[0] + margin < line.at < beside[1] - margin and line.length >= along[1] - along[0]:
        return True
    parallel = [other.length for other in lines if other.upright == line.upright]
    one_of_many = len(parallel) >= 3 and line.length >= _LONG * max(parallel)
    return one_of_many or line.length >= _BEYOND * (along[1] - along[0])


def _is_bar_of_frame(box: Box, lines: list[_Line]) -> bool:
    """Whether what the lines leave is a bar from one of them to the opposite one, as in an angular 8."""
    thick = max((line.thick for line in lines), default=0)
    for upright, across, along in ((True, box[1], box[0]), (False, box[0], box[1])):
        places = [line.at for line in lines if line.upright == upright]
        reach = 1.5 * thick + 1
        joined = all(any(abs(place - end) <= reach for place in places) for end in across)
        if joined and len(places) == 2 and along[1] - along[0] <= 2.5 * thick:
            return True
    return False


def _main_box(mask: BoolArray, *, parts: bool = False) -> Box | None:
    """Return the rows and columns of the largest blob that can be a digit, or of all its parts; None if none can."""
    least = max(3, round(_SMALLEST * min(mask.shape)))
    labels, count = blobs(widened(mask))
    if not count:
        return None
    mass = np.bincount(labels[mask], minlength=count + 1)
    mass[0] = 0
    for label in np.argsort(-mass[1:]) + 1:
        if mass[label] < least:
            return None
        wanted = np.flatnonzero(mass >= 0.2 * mass[label]) if parts else [label]
        rows, columns = extent(mask & np.isin(labels, wanted))
        if max(rows[1] - rows[0], columns[1] - columns[0]) >= least:
            return rows, columns
    return None


def _named_lines(lines: list[_Line], shape: tuple[int, ...]) -> list[str]:
    if not lines:
        return []
    framing = {line.upright for line in lines if _corners(line, lines, min(shape)) == 2}
    if len(framing) == 2 and len(lines) <= 8:
        return [FRAME]
    return [f"removed {len(lines)} straight lines" if len(lines) > 1 else "removed a straight line"]


def _no_digits(mask: BoolArray) -> Iterator[tuple[str, BoolArray]]:
    """Yield blobs that are frames, or lie along the edge; each with its name. At least one blob is left."""
    labels, count = blobs(mask)
    least = max(3, round(_SMALLEST * min(mask.shape)))
    boxes = boxes_of(labels, count)
    large = [label for label in range(1, count + 1) if np.ptp(boxes[label - 1].reshape(2, 2), axis=1).max() >= least]
    left = set(large)
    for label in sorted(large, key=lambda one: -int(np.ptp(boxes[one - 1].reshape(2, 2), axis=1).sum())):
        top, bottom, start, stop = boxes[label - 1]
        if max(bottom - top, stop - start) < _SHORT * min(mask.shape) or len(left) < 2:
            break
        blob = labels[top:bottom, start:stop] == label
        name = _kind(blob, (top, bottom, start, stop), mask.shape)
        inside = [other for other in left - {label} if _encloses(boxes[label - 1], boxes[other - 1])]
        if name and (name != FRAME or inside):
            left.discard(label)
            yield name, labels == label


def _encloses(outer: IntArray, inner: IntArray) -> bool:
    return bool(outer[0] <= inner[0] and inner[1] <= outer[1] and outer[2] <= inner[2] and inner[3] <= outer[3])


def boxes_of(labels: IntArray, count: int) -> IntArray:
    """Return (top, bottom, left, right) of every label from 1, (count, 4)."""
    rows, columns = np.nonzero(labels)
    which = labels[rows, columns] - 1
    boxes = np.empty((count, 4), np.int64)
    boxes[:, ::2], boxes[:, 1::2] = np.iinfo(np.int64).max, 0
    np.minimum.at(boxes[:, 0], which, rows)
    np.maximum.at(boxes[:, 1], which, rows + 1)
    np.minimum.at(boxes[:, 2], which, columns)
    np.maximum.at(boxes[:, 3], which, columns + 1)
    return boxes


def _cut(mask: BoolArray) -> BoolArray:
    """Return a mask, cut to the box of its pixels."""
    rows, columns = extent(mask)
    return mask[slice(*rows), slice(*columns)]


def _depths(blob: BoolArray) -> tuple[int, int]:
    """Return how far the sides of a frame reach into its box, in rows and in columns."""
    return max(2, round(0.1 * blob.shape[0])), max(2, round(0.1 * blob.shape[1]))


def _core(blob: BoolArray) -> BoolArray:
    """Return what of a blob's box is well inside a frame."""
    (deep, far), (tall, wide) = _depths(blob), blob.shape
    return blob[2 * deep : tall - 2 * deep, 2 * far : wide - 2 * far]


def _kind(blob: BoolArray, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> str:
    """Name a blob, cut to its box, that is no digit by its shape; empty if it may be one."""
    height, width = shape
    top, bottom, left, right = box
    contacts = [
        blob[0].sum() / width if top == 0 else 0, blob[-1].sum() / width if bottom == height else 0,
        blob[:, 0].sum() / height if left == 0 else 0, blob[:, -1].sum() / height if right == width else 0,
    ]  # fmt: skip
    if max(contacts) >= 0.5:
        whole = np.zeros(shape, bool)
        whole[top:bottom, left:right] = blob
        down, across = round(0.12 * height), round(0.12 * width)
        inner = whole[down : height - down, across : width - across].sum() / whole.sum()
        if inner < 0.15 or min(contacts) >= 0.8:
            return "removed a border along the edge"
    tall, wide = blob.shape
    deep, far = _depths(blob)
    sides = [
        blob[:deep].any(0).mean(),
        blob[-deep:].any(0).mean(),
        blob[:, :far].any(1).mean(),
        blob[:, -far:].any(1).mean(),
    ]
    if sum(side >= 0.75 for side in sides) >= 3 and min(tall, wide) > 8 and _core(blob).mean() < 0.15:
        return FRAME
    if (
        blob.sum() / max(tall, wide) <= 0.03 * min(shape)
        and max(tall / height, wide / width) >= 0.6
        and min(tall, wide) <= 0.12 * max(tall, wide)
    ):
        return "removed a straight line"
    return ""
