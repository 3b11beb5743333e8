"""Requests that lie, or that nobody meant: each gets a reason, and costs no more memory than its own length allows."""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
import tracemalloc
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlens.deploy.sagemaker import inference
from tests.deploy.requests_and_answers import CSV, JSON, NPY, PNG, chunk, npy, png, raw_png

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)


def lying(header: str, rest: bytes = b"", version: int = 1, length: int | None = None) -> bytes:
    """Return an npy file with this header."""
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + rest


def header(shape: object, dtype: object = "|u1", order: bool = False) -> str:
    return repr({"descr": dtype, "fortran_order": order, "shape": shape})


BOMB = zlib.compress(bytes(1 << 26), 9)
REFUSED: list[tuple[str, bytes, int, str]] = [
    (NPY, b"", 400, "not an npy"),
    (NPY, b"\x93NUMPY", 400, "not an npy"),
    (NPY, b"\x93NUMPY\x09\x00" + bytes(100), 400, "not an npy"),
    (NPY, lying(header((2**40, 2**40)), bytes(8)), 400, "is not of the 8 bytes"),
    (NPY, lying(header((2**70,)), bytes(8)), 400, "is not of the 8 bytes"),
    (NPY, lying(header((4,)), bytes(8)), 400, "is not of the 8 bytes"),
    (NPY, lying(header((-1, -8)), bytes(8)), 400, "its shape"),
    (NPY, lying(header((True, 8)), bytes(8)), 400, "its shape"),
    (NPY, lying(header((1,) * 5), bytes(1)), 400, "its shape"),
    (NPY, lying(header("ab"), bytes(8)), 400, "its shape"),
    (NPY, lying(header(7), bytes(8)), 400, "not an npy"),
    (NPY, lying(header((1,), "|O"), bytes(8)), 400, "not numbers"),
    (NPY, lying(header((1,), "<U2"), bytes(8)), 400, "not numbers"),
    (NPY, lying(header((1,), "<f16"), bytes(16)), 400, "not numbers"),
    (NPY, lying(header((1,), [("a", "<i4")]), bytes(4)), 400, "not numbers"),
    (NPY, lying("{}", bytes(8)), 400, "not an npy"),
    (NPY, lying("__import__('os').abort()", bytes(8)), 400, "not an npy"),
    (NPY, lying("(" * 5000, bytes(8)), 400, "not an npy"),
    (NPY, lying("-" * 9900 + "1", bytes(8)), 400, "not an npy"),
    (NPY, lying("1" + "+1" * 4900, bytes(8)), 400, "not an npy"),
    (NPY, lying("[" * 9000 + "]" * 900, bytes(8)), 400, "not an npy"),
    (NPY, lying(header((8,)), bytes(8), version=2, length=2**32 - 1), 400, "header is too long"),
    (NPY, lying(header((8,)) + " " * 20000, bytes(8)), 400, "header is too long"),
    (NPY, npy(np.array([np.nan])), 400, "not finite"),
    (NPY, npy(np.array([1e300])), 400, "not finite"),
    (NPY, npy(np.array([256])), 400, "pixels, 0 to 255"),
    (NPY, npy(np.array([-1])), 400, "pixels, 0 to 255"),
    (NPY, pickle.dumps(GREY), 400, "not an npy"),
    (JSON, b"", 400, "not JSON"),
    (JSON, b"\xff\xfe", 400, "not JSON"),
    (JSON, b"[" * 100_000, 400, "JSON"),
    (JSON, b"[" * 200 + b"]" * 200, 400, "nested at most four deep"),
    (JSON, b"[NaN]", 400, "not finite"),
    (JSON, b"[1.0, -Infinity]", 400, "not finite"),
    (JSON, b"[1e999]", 400, "not finite"),
    (JSON, b"[1" + b"0" * 100_000 + b"]", 400, "300 digits"),
    (JSON, b"[99999999999999999999999]", 400, "pixels, 0 to 255"),
    (JSON, b"[1, 2.5, 99999999999999999999999]", 400, "expected images"),
    (JSON, b"[[1, 2], [3]]", 400, "of one length"),
    (JSON, b"[[1, 2], 3]", 400, "of one length"),
    (JSON, b"[1, [2]]", 400, "nested lists of numbers"),
    (JSON, b'["1"]', 400, "nested lists of numbers"),
    (JSON, b"[null]", 400, "nested lists of numbers"),
    (JSON, b"[true, 1]", 400, "nested lists of numbers"),
    (JSON, b"7", 400, "nested lists of numbers"),
    (JSON, b"[]", 400, "expected images"),
    (JSON, b'{"instance": [1]}', 400, "instances"),
    (JSON, b'{"instances": [1], "model_url": "http://"}', 400, "instances"),
    (CSV, b"", 400, "it is empty"),
    (CSV, b" \n\n", 400, "it is empty"),
    (CSV, b"\xff", 400, "not CSV"),
    (CSV, b"a,b\n1,2\n", 400, "not CSV"),
    (CSV, b"1,2\n3\n", 400, "not CSV"),
    (CSV, b"1,,2\n", 400, "not CSV"),
    (CSV, b"1,nan\n", 400, "not finite"),
    (CSV, b"1,inf\n", 400, "not finite"),
    (CSV, b"1,300\n", 400, "pixels, 0 to 255"),
    (CSV, b"1,2,3\n", 400, "expected images"),
    (PNG, b"", 400, "not a PNG"),
    (PNG, b"\xff\xd8\xff\xe0" + bytes(50), 415, "JPEG"),
    ("image/jpeg", b"\xff\xd8\xff\xe0" + bytes(50), 415, "JPEG"),
    (PNG, png(GREY)[:-13], 400, "checksum|cut off"),
    (PNG, png(GREY)[:30], 400, "cut off"),
    (PNG, b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), 400, "no header"),
    (PNG, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13), crc=1) + chunk(b"IEND", b""), 400, "checksum"),
    (PNG, raw_png((2**31 - 1, 2**31 - 1), 0, b""), 400, "at most"),
    (PNG, raw_png((0, 5), 0, b""), 400, "at most"),
    (PNG, raw_png((8, 8), 0, bytes(71)), 400, "do not fill"),
    (PNG, raw_png((8, 8), 0, bytes(72)).replace(b"IDAT", b"IDAt"), 400, "checksum"),
    (PNG, raw_png((8, 8), 0, b"\x05" + bytes(71)), 400, "the filter 5"),
    (PNG, raw_png((8, 8), 0, bytes(72), depth=16), 415, "at most eight bits"),
    (PNG, raw_png((8, 8), 0, bytes(72), interlaced=1), 415, "not interlaced"),
    (PNG, raw_png((8, 8), 5, bytes(72)), 415, "eight bits"),
    (PNG, raw_png((8, 8), 3, bytes(72)), 400, "palette"),
    (PNG, raw_png((1, 1), 3, b"\x00\x01", more=chunk(b"PLTE", bytes(3))), 400, "palette"),
    ("application/x-npz", b"", 415, "a request is"),
    ("application/python-pickle", pickle.dumps(GREY), 415, "a request is"),
    ("", b"", 415, "a request is"),
]


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    """A model of images (8, 8, 1) without a network: these requests reach none."""
    return {
        "preprocessing": {"input_shape": [8, 8, 1]},
        "takes_pixels": True,
        "intake": {"prepare": "as-is"},
        "program": {"nodes": []},
    }


@pytest.mark.parametrize(("kind", "body", "status", "words"), REFUSED)
def test_refused(model: dict[str, Any], kind: str, body: bytes, status: int, words: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        found = inference.predict_fn(inference.input_fn(body, kind), model)
    assert isinstance(found, inference.RefusedError), found
    assert found.status == status
    assert re.search(words, found.reason), found.reason
    assert len(found.reason) < 400
    with pytest.raises(Exception, match=r"error") as raised:
        inference.output_fn(found, JSON)
    assert getattr(raised.value, "status_code", 400) == status


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (NPY, lying(header((2**20, 2**10)), bytes(8))),
        (PNG, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) + chunk(b"IDAT", BOMB)
         + chunk(b"IEND", b"")),
        (JSON, json.dumps(["a" * 100_000, *[""] * 100_000]).encode()),
        (JSON, b"[" * 1_000_000),
        (JSON, b"[" + b"0," * 500_000 + b"0]"),
        (CSV, b"0," * 500_000 + b"0"),
    ],
    ids=["npy that claims a gigabyte", "PNG of 64 MiB", "one long text among many", "deep", "numbers", "CSV"],
)  # fmt: skip
def test_memory_is_a_small_multiple_of_the_body(kind: str, body: bytes) -> None:
    tracemalloc.start()
    inference.input_fn(body, kind)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25 * len(body) + (1 << 20)


@given(st.sampled_from([NPY, JSON, CSV, PNG]), st.binary(max_size=300), st.integers(0, 200), st.integers(0, 255))
def test_any_bytes_are_read_or_refused(kind: str, noise: bytes, place: int, value: int) -> None:
    """Bytes at random, and good requests with one byte changed."""
    good = {NPY: npy(GREY), JSON: b"[[1.5, 2], [3, 4]]", CSV: b"1,2\n3,4\n", PNG: png(GREY)}[kind]
    place %= len(good)
    changed = good[:place] + bytes([value]) + good[place + 1 :]
    for body in (noise, good[:8] + noise, changed, good[:place]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            found = inference.input_fn(body, kind)
        if isinstance(found, inference.RefusedError):
            assert found.status in (400, 415)
        else:
            assert found.dtype in (np.uint8, np.float32)


def test_a_good_picture_is_read() -> None:
    """So that the table above refuses what is wrong, not everything."""
    np.testing.assert_array_equal(inference.input_fn(png(GREY), PNG)[0, ..., 0], GREY)  # type: ignore[index]
    np.testing.assert_array_equal(inference.input_fn(raw_png((8, 8), 0, bytes(72)), PNG), np.zeros((1, 8, 8, 1)))
    stream = io.BytesIO(npy(GREY))
    np.testing.assert_array_equal(inference.input_fn(stream.getvalue(), NPY), GREY)
