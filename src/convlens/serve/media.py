"""Media types: what a body is, and in which form a client wants its answer."""

from __future__ import annotations

from functools import lru_cache

from ..data.npy import MAGIC
from ..errors import nearest
from .refusal import Refusal

JSON, CSV, NPY, NPZ, PICTURE = "application/json", "text/csv", "application/x-npy", "application/x-npz", "image/*"

ANSWERS = (JSON, CSV, NPY)
"""Forms of an answer."""

BODIES = {
    JSON: JSON,
    CSV: CSV,
    "application/csv": CSV,
    NPY: NPY,
    NPZ: NPZ,
    "image/png": PICTURE,
    "image/jpeg": PICTURE,
    "image/jpg": PICTURE,
    "image/webp": PICTURE,
    "image/gif": PICTURE,
    "image/bmp": PICTURE,
    "image/tiff": PICTURE,
    "image/x-portable-graymap": PICTURE,
    "application/x-image": PICTURE,  # of SageMaker's own algorithms
}
"""The kind of a body, by its media type."""

_UNNAMED = ("", "application/octet-stream", "binary/octet-stream")  # types that say nothing: the body is looked at


@lru_cache(maxsize=256)  # most requests have one of a few
def kind_of(content_type: str) -> str | None:
    """Return the kind of a body by its Content-Type, parameters left out; None if that says nothing.

    Raises
    ------
    Refusal
        415, if no such body is read.
    """
    name = content_type.partition(";")[0].strip().lower()
    if name in _UNNAMED:
        return None
    if name not in BODIES:
        raise Refusal(415, f"no body of type {name!r} is read{nearest(name, BODIES)}")
    return BODIES[name]


def seen_kind(body: bytes) -> str:
    """Return the kind of a body without a Content-Type, by its first bytes: an array, an archive of one, or a picture.

    JSON and CSV are texts, which must be named.
    """
    if body.startswith(MAGIC):
        return NPY
    return NPZ if body.startswith(b"PK\x03\x04") else PICTURE


@lru_cache(maxsize=256)
def answer_kind(accept: str, default: str) -> str:
    """Return the form of the answer that an Accept header prefers: RFC 9110, section 12.5.1.

    Raises
    ------
    Refusal
        406, if it takes none of `ANSWERS`.
    """
    wanted = [_range(part) for part in accept.lower().split(",") if part.strip()]
    if not wanted:
        return default
    offered = (default, *(one for one in ANSWERS if one != default))
    quality = {one: _quality(one, wanted) for one in offered}
    best = max(offered, key=lambda one: quality[one])  # of equals, the first
    if quality[best] <= 0:
        raise Refusal(406, f"an answer is {', '.join(ANSWERS)}, and the request accepts {accept!r}")
    return best


def _range(part: str) -> tuple[str, float]:
    """Return a media range and its quality; one that is no number counts as 1."""
    name, *parameters = (one.strip() for one in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(max(float(value), 0.0), 1.0)
            except ValueError:
                break
    return name, 1.0


def _quality(offered: str, wanted: list[tuple[str, float]]) -> float:
    """Return the quality of a form: that of the most specific range that it lies in."""
    ranges = (offered, f"{offered.partition('/')[0]}/*", "*/*")
    for name in ranges:
        matching = [quality for one, quality in wanted if one == name]
        if matching:
            return max(matching)
    return 0.0
