"""Long lists of numbers: as Python's parser and NumPy read them, whatever comes, and never all at once."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convlens.errors import ConvlensError, DataError
from convlens.serve import codecs, json_numbers
from convlens.serve.media import CSV, JSON
from convlens.typing import Array

from .client import NPY, Client, npy

DRAW = np.random.default_rng(0)
PIXELS = DRAW.integers(0, 256, (100, 28, 28, 1), dtype=np.uint8)
LARGEST = 2**23

ARRAYS = (
    arrays.arrays(np.int16, arrays.array_shapes(max_dims=5, max_side=4))
    | arrays.arrays(np.bool_, arrays.array_shapes(max_dims=3))
    | arrays.arrays(np.float64, arrays.array_shapes(max_dims=3), elements=st.floats(-1e9, 1e9))
)


def expected(text: bytes) -> Array | None:
    """Return what Python's parser and NumPy make of a text; None if it is no array with numbers in it."""
    try:
        found = codecs.array_of(json.loads(text), "it")
    except (ValueError, ConvlensError):
        return None
    return found if found.size else None


def read(text: bytes) -> Array | None:
    try:
        return json_numbers._array(text, "it")
    except DataError:
        return None


def same(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())


@given(ARRAYS, st.sampled_from([None, 0, 3]))
def test_what_python_writes_is_read(array: np.ndarray, indent: int | None) -> None:
    text = json.dumps(array.tolist(), indent=indent).encode()
    assert same(read(text), expected(text))
    assert read(text) is not None


@given(st.text("[],1 -.e0", max_size=12).map(lambda text: f"[{text}]".encode()))
@example(b"[1,]")
@example(b"[,1]")
@example(b"[1 2]")
@example(b"[[1],2]")
@example(b"[1[2]]")
@example(b"[[1]2]")
@example(b"[[1]3,[2]]")
@example(b"[[1][2]]")
@example(b"[[],[]]")
@example(b"[[1,2],[]]")
@example(b"[]1,2[]")
@example(b"[1]]")
@example(b"[[1]")
@example(b"[[[1],[2]],[[3]]]")
@example(b"[[1,2],[3]]")
@example(b"[[1],[2,3]]")
@example(b"[01]")
@example(b"[1.]")
@example(b"[-]")
def test_any_brackets_and_commas_are_read_as_python_reads_them(text: bytes) -> None:
    assert same(read(text), expected(text))


@given(ARRAYS, st.data())
def test_a_damaged_list_is_read_as_python_reads_it(array: np.ndarray, data: st.DataObject) -> None:
    text = bytearray(json.dumps(array.tolist()).encode())
    place = data.draw(st.integers(1, len(text) - 2) if len(text) > 2 else st.just(1))
    kind = data.draw(st.sampled_from(["left out", "put in", "other"]))
    new = data.draw(st.sampled_from([b"[", b"]", b",", b" ", b"1", b".", b"-", b"t", b"\n"]))
    text[place : place + (kind != "put in")] = b"" if kind == "left out" else new
    whole = b"[" + bytes(text[1:-1]) + b"]"
    assert same(read(whole), expected(whole))


@given(st.lists(st.sampled_from([1, -1, 2**63, 2**64, 0.5, True]), min_size=1, max_size=6))
def test_pieces_do_not_change_what_numbers_are(values: list[Any]) -> None:
    text = json.dumps(values).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_numbers, "SHORT", 1)  # a piece for each number; those longer than two are refused
        patch.setattr(json_numbers, "_numbers", unlimited)
        found = read(text)
    large = any(value is not True and value >= 2**63 for value in values)
    assert found is None if large else same(found, expected(text))


def unlimited(piece: bytes, what: str, right: Any = json_numbers._numbers) -> Array:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_numbers, "SHORT", 99)
        found: Array = right(piece, what)
    return found


def test_a_comma_at_the_end_of_a_piece_is_no_less_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_numbers, "SHORT", 1)
    assert read(b"[1,2]") is not None
    assert read(b"[1,2,]") is None


BODIES = {
    "nested": lambda values: values,
    "instances": lambda values: {"instances": values},
}


@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_long_body_is_what_a_short_one_is(form: str, indent: int | None) -> None:
    for array in (PIXELS, PIXELS[..., 0] > 100, PIXELS[:, :, :, 0].reshape(100, -1) / 7):
        body = json.dumps(BODIES[form](array.tolist()), indent=indent).encode()
        assert len(body) > json_numbers.SHORT
        found = codecs.read_numbers(JSON, body, LARGEST)
        np.testing.assert_array_equal(found, array.astype(found.dtype))
        assert found.dtype.kind == {"u": "i"}.get(array.dtype.kind, array.dtype.kind)


def test_a_long_request_of_the_open_inference_protocol(client: Client) -> None:
    expect = client.post("/invocations", npy(PIXELS), NPY, NPY).array()
    for data in (PIXELS.tolist(), PIXELS.ravel().tolist()):
        tensor = {"name": "image", "shape": [100, 28, 28, 1], "datatype": "UINT8", "data": data}
        request = {"id": "NaN", "inputs": [tensor], "outputs": [{"name": "probabilities"}]}
        found = client.post("/v2/models/digits/infer", json.dumps(request).encode(), JSON).json()
        np.testing.assert_allclose(np.array(found["outputs"][0]["data"]).reshape(-1, 10), expect, rtol=1e-5)
        assert found["id"] == "NaN"


LONG = json.dumps(PIXELS.tolist()).encode()
REFUSED = {
    "not a number beside": (b'{"instances":' + LONG + b',"more":NaN}', "NaN is no number"),
    "not a number before": (b'{"more":NaN,"instances":' + LONG + b"}", "NaN is no number"),
    "infinity": (b'{"instances":' + LONG + b',"more":Infinity}', "Infinity is no number"),
    "infinity before": (b'{"more":-Infinity,"instances":' + LONG + b"}", "-Infinity is no number"),
    "in a text": (b'{"instances":[1],"id":"' + LONG + b'"}', "a text of numbers"),
    "two lists": (b'{"instances":' + LONG + b',"more":' + LONG + b"}", "beside such a list"),
    "objects": (b"[" + b"{}," * 50_000 + b"{}]", "beside such a list"),
    "texts": (b"[" + b'"",' * 50_000 + b'""]', "beside such a list"),
    "one text": (b'"' + b"1" * 100_000 + b'"', "beside such a list"),
    "a number of many digits": (b"[" + b"9" * 200_000 + b"]", "a number, or space, of more"),
    "digits beyond 64 bits": (LONG[:-4] + b"9" * 40 + LONG[-4:], "beyond 64 bits"),
    "64 bits": (LONG[:-4] + b"9" * 19 + LONG[-4:], "64 bits"),
    "never closed": (b"[" * 200_000, "beside such a list"),
    "deep": (b"[" * 100_000 + b"1" + b"]" * 100_000, "more than 5 deep"),
    "ragged": (b"[" + b"[1]," * 50_000 + b"[1,2]]", "of one shape"),
    "empty lists": (b"[" + b"[]," * 50_000 + b"[]]", "of one shape"),
    "after it": (LONG + b"3", "is not JSON"),
    "before it": (b"3" + LONG, "is not JSON"),
    "UTF-16": (LONG.decode().encode("utf-16"), "beside such a list"),
    "unknown key": (b'{"instance":' + LONG + b"}", "instance"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_list_of_numbers_is_refused_in_words(name: str) -> None:
    body, message = REFUSED[name]
    assert len(body) > json_numbers.SHORT
    tracemalloc.start()
    try:
        with pytest.raises(ConvlensError, match=message):
            codecs.read_numbers(JSON, body, LARGEST)
        assert tracemalloc.get_traced_memory()[1] < 12 * len(body) + 2**20
    finally:
        tracemalloc.stop()


@pytest.fixture
def parsed_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Lengths of what was given to Python's parser, and NumPy's: while they work, nobody else is answered."""
    found: list[int] = []
    loads, loadtxt = json.loads, np.loadtxt
    monkeypatch.setattr(json, "loads", lambda text, **named: found.append(len(text)) or loads(text, **named))
    monkeypatch.setattr(
        np,
        "loadtxt",
        lambda lines, *given, **named: found.append(sum(map(len, lines))) or loadtxt(lines, *given, **named),
    )
    return found


@pytest.mark.parametrize("kind", [JSON, CSV])
def test_a_large_body_is_parsed_a_piece_at_a_time_in_little_memory(kind: str, parsed_at_once: list[int]) -> None:
    pixels = np.tile(PIXELS, (10, 1, 1, 1))
    lines = "\n".join(",".join(map(str, row)) for row in pixels.reshape(1000, -1).tolist())
    body = (json.dumps(pixels.tolist(), separators=(",", ":")) if kind == JSON else lines).encode()
    tracemalloc.start()
    found = codecs.read_numbers(kind, body, LARGEST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found.reshape(pixels.shape), pixels)
    assert max(parsed_at_once) <= 2 * json_numbers.SHORT
    assert sum(parsed_at_once) > len(body) / 3
    assert peak < 12 * len(body)
