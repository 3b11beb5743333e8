"""Bodies: what is read equals what was written, and nothing hostile gets past a sentence."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convlens.errors import ConvlensError, DataError
from convlens.serve import answers, codecs, media
from convlens.serve.media import CSV, JSON, NPY, NPZ, PICTURE
from convlens.serve.refusal import Refusal

from .client import npy, npz

LARGEST = 2**20
SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, max_side=6)
PIXELS = arrays.arrays(np.uint8, SHAPES)
FLOATS = arrays.arrays(np.float32, SHAPES, elements=st.floats(-1e6, 1e6, width=32))


@given(PIXELS | FLOATS, st.booleans())
def test_what_numpy_writes_is_read(array: np.ndarray, fortran: bool) -> None:
    written = np.asfortranarray(array) if fortran else array
    for kind, body in ((NPY, npy(written)), (NPZ, npz(images=written))):
        found = codecs.read_numbers(kind, body, LARGEST)
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


@given(PIXELS | FLOATS)
def test_lists_in_json_are_read(array: np.ndarray) -> None:
    for given_ in (array.tolist(), {"instances": array.tolist()}):
        found = codecs.read_numbers(JSON, json.dumps(given_).encode(), LARGEST)
        np.testing.assert_array_equal(found, array)
        assert (found.dtype == np.float32) == (array.dtype == np.float32)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_lines_of_csv_are_read(array: np.ndarray) -> None:
    text = "\n".join(",".join(map(str, row)) for row in array.tolist())
    for body, kind in ((text, "i"), (text + "\r\n", "i"), (text.replace(",", ".0,") + ".0", "f")):
        found = codecs.read_numbers(CSV, body.encode(), LARGEST)
        np.testing.assert_array_equal(found, array)
        assert found.dtype.kind == kind


@given(st.sampled_from([NPY, NPZ, JSON, CSV]), st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(kind: str, body: bytes) -> None:
    with contextlib.suppress(ConvlensError):
        assert codecs.read_numbers(kind, body, LARGEST).dtype.kind in "biuf"


@given(st.data())
def test_a_damaged_body_is_read_or_refused_in_words(data: st.DataObject) -> None:
    kind, whole = data.draw(st.sampled_from([(NPY, npy(np.ones((4, 4)))), (NPZ, npz(x=np.ones((4, 4))))]))
    body = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    with contextlib.suppress(DataError):
        codecs.read_numbers(kind, bytes(body[:cut]), LARGEST)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    )
)
def test_any_json_is_read_or_refused_in_words(value: Any) -> None:
    try:
        found = codecs.read_numbers(JSON, json.dumps(value).encode(), LARGEST)
    except ConvlensError:
        return
    given_ = value["instances"] if isinstance(value, dict) else value
    np.testing.assert_allclose(
        found.astype(float), np.array(given_, float), rtol=1e-6, atol=1.5e-45
    )  # the least float32


def header(shape: object, descr: object = "|u1") -> bytes:
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


HOSTILE = {
    "claims terabytes": (NPY, header((2**40, 3))),
    "claims more than it has": (NPY, header((28, 28)) + bytes(700)),
    "claims less than it has": (NPY, header((28, 28)) + bytes(800)),
    "negative shape": (NPY, header((-28, -28)) + bytes(784)),
    "objects": (NPY, npy(np.zeros(0)) and header((1,), "|O") + pickle.dumps([1])),
    "records": (NPY, header((1,), [("a", "<i4")]) + bytes(4)),
    "texts": (NPY, npy(np.array(["a"]))),
    "wide items": (NPY, header((0,), "|V999999999")),
    "code in the header": (NPY, b"\x93NUMPY\x01\x00\x1a\x00__import__('os').abort()  "),
    "deep header": (NPY, b"\x93NUMPY\x02\x00" + (9000).to_bytes(4, "little") + b"-" * 9000),
    "long header": (NPY, b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + b"{" * 100),
    "version 3": (NPY, b"\x93NUMPY\x03\x00" + bytes(100)),
    "empty": (NPY, b""),
    "not a number": (NPY, npy(np.full((2, 2), np.nan))),
    "too large for float32": (NPY, npy(np.full((2, 2), 1e300))),
    "complex": (NPY, npy(np.ones((2, 2), complex))),
    "two arrays": (NPZ, npz(a=np.ones(2), b=np.ones(2))),
    "no archive": (NPZ, b"PK\x03\x04" + bytes(50)),
    "deep": (JSON, b"[" * 200_000),
    "deep and whole": (JSON, b"[" * 400 + b"]" * 400),
    "NaN": (JSON, b"[NaN]"),
    "infinity": (JSON, b"[[Infinity, 1]]"),
    "infinity, written out": (JSON, b"[[1e999]]"),
    "a number of many digits": (JSON, b"[" + b"9" * 10_000 + b"]"),
    "beyond 64 bits": (JSON, b"[[" + b"9" * 40 + b"]]"),
    "a long text": (JSON, json.dumps(["a" * 10_000, *([1] * 10_000)]).encode()),
    "ragged": (JSON, b"[[1,2],[3]]"),
    "numbers and lists": (JSON, b"[1,[2]]"),
    "null": (JSON, b"[[null]]"),
    "unknown key": (JSON, b'{"instance": [[1]]}'),
    "not UTF-8": (JSON, b'["\xff"]'),
    "ragged lines": (CSV, b"1,2\n3"),
    "a heading": (CSV, b"a,b\n1,2"),
    "no digits": (CSV, b"\xff,1"),
    "nothing": (CSV, b"\n\n"),
    "not a number in CSV": (CSV, b"nan,1"),
    "infinity in CSV": (CSV, b"1e999,1"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_refused_with_little_memory(name: str) -> None:
    kind, body = HOSTILE[name]
    tracemalloc.start()
    try:
        with pytest.raises(ConvlensError):
            codecs.read_numbers(kind, body, LARGEST)
        assert tracemalloc.get_traced_memory()[1] < 2**20 + 40 * len(body)
    finally:
        tracemalloc.stop()


def test_an_archive_that_unpacks_to_more_than_the_limit_is_not_unpacked() -> None:
    content = npy(np.zeros((50, 2**20), np.uint8))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", content)
    assert len(stream.getvalue()) < 10**5
    tracemalloc.start()
    with pytest.raises(DataError, match="expected 1 to 1,048,576"):
        codecs.read_numbers(NPZ, stream.getvalue(), LARGEST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@given(FLOATS)
def test_an_array_is_written_as_numpy_writes_it(array: np.ndarray) -> None:
    assert answers.npy_bytes(array) == npy(array)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4, unique=True), st.text(max_size=9), st.data())
def test_an_answer_in_json_is_what_the_encoder_would_write(names: list[str], model: str, data: st.DataObject) -> None:
    shape = (data.draw(st.integers(1, 3)), len(names))
    shares = data.draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    found = json.loads(answers.of_probabilities(JSON, model, names, shares))
    assert found == {
        "model": model,
        "predictions": [
            {
                "class": names[int(row.argmax())],
                "index": int(row.argmax()),
                "probability": float(row.max()),
                "probabilities": dict(zip(names, map(float, row), strict=True)),
            }
            for row in shares
        ],
    }


def test_answers() -> None:
    shares = np.array([[0.25, 0.75], [1, 0]], np.float32)
    assert answers.of_probabilities(CSV, "m", ["a", "b"], shares) == b"0.25,0.75\n1.0,0.0\n"
    found = json.loads(answers.of_probabilities(JSON, "m", ["a", "b"], shares))
    assert found["model"] == "m"
    assert found["predictions"][0] == {
        "class": "b", "index": 1, "probability": 0.75, "probabilities": {"a": 0.25, "b": 0.75},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", JSON), ("*/*", JSON), ("text/csv", CSV), ("application/x-npy", NPY), ("application/*", JSON),
        ("text/*", CSV), ("text/csv;q=0.5, application/x-npy", NPY), ("text/html, */*;q=0.1", JSON),
        ("application/json;q=0, */*", CSV), ("TEXT/CSV; charset=utf-8", CSV), ("application/json, text/csv", JSON),
        ("text/csv;q=oops", CSV),
    ],
)  # fmt: skip
def test_the_form_of_an_answer_is_negotiated(accept: str, form: str) -> None:
    assert media.answer_kind(accept, JSON) == form


def test_a_default_form_is_preferred_where_any_is_accepted() -> None:
    assert media.answer_kind("*/*", NPY) == media.answer_kind("", NPY) == NPY


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*"])
def test_a_form_that_there_is_not_is_refused(accept: str) -> None:
    with pytest.raises(Refusal) as refused:
        media.answer_kind(accept, JSON)
    assert refused.value.status == 406


def test_kinds_of_bodies() -> None:
    assert media.kind_of("Application/JSON; charset=utf-8") == JSON
    assert media.kind_of("image/png") == media.kind_of("image/jpeg") == PICTURE
    assert media.kind_of("") is media.kind_of("application/octet-stream") is None
    assert [media.seen_kind(body) for body in (npy(np.ones(1)), npz(x=np.ones(1)), b"\x89PNG")] == [NPY, NPZ, PICTURE]
    with pytest.raises(Refusal, match="did you mean 'text/csv'") as refused:
        media.kind_of("text/csvv")
    assert refused.value.status == 415


@given(st.text(max_size=60))
def test_any_header_is_understood_or_refused(text: str) -> None:
    for function in (media.kind_of, lambda accept: media.answer_kind(accept, JSON)):
        with contextlib.suppress(Refusal):
            function(text)


@pytest.mark.parametrize("body", [b"", b" \n", b"\x1e", b"\x1c\r\n\x1d"])  # what ends a line in Unicode is no line
def test_csv_without_a_number_is_empty(body: bytes) -> None:
    with pytest.raises(DataError, match="is empty"):
        codecs.read_numbers(CSV, body, LARGEST)
