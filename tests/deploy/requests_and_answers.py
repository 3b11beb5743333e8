"""Requests of every kind that the inference module reads, and pictures in PNG."""

from __future__ import annotations

import io
import json
import struct
import zlib

import numpy as np
from PIL import Image

NPY, JSON, CSV, PNG = "application/x-npy", "application/json", "text/csv", "image/png"


def npy(array: np.ndarray) -> bytes:
    """Return an npy file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def as_json(array: np.ndarray) -> bytes:
    """Return nested lists."""
    return json.dumps({"instances": array.tolist()}).encode()


def csv(array: np.ndarray) -> bytes:
    """Return a line for each image."""
    rows = array.reshape(len(array), -1).tolist()
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def png(pixels: np.ndarray | Image.Image) -> bytes:
    """Return a picture as Pillow writes it."""
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels.squeeze())
    image.save(stream, "PNG")
    return stream.getvalue()


def chunk(name: bytes, content: bytes, crc: int = 0) -> bytes:
    """Return a chunk of a PNG; a `crc` other than 0 makes its checksum wrong."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content) ^ crc)


def raw_png(
    size: tuple[int, int], colour: int, rows: bytes, *, depth: int = 8, interlaced: int = 0, more: bytes = b""
) -> bytes:
    """Return a PNG of (width, height) whose filtered rows are given; `more` are chunks before the pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced)
    body = chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
