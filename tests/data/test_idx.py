"""IDX files: what is written is read back, and each way a file can be wrong has its own message."""

from __future__ import annotations

import gzip
import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.idx_files import read_images, read_labels, write_idx

from convlens.errors import DataError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([3, 0, 255], dtype=np.uint8)


def header(*sizes: int, type_code: int = 0x08) -> bytes:
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, type_code, len(sizes), *sizes)


@given(
    pixels=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)),
    suffix=st.sampled_from([".gz", ""]),
)
@settings(max_examples=40, deadline=None)
def test_round_trip(pixels: np.ndarray, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"images{suffix}"
        write_idx(path, pixels)
        assert (path.read_bytes()[:2] == b"\x1f\x8b") == (suffix == ".gz")
        read = read_images(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, pixels[..., np.newaxis])


def test_images_are_read_only(tmp_path: Path) -> None:
    write_idx(tmp_path / "images", IMAGES)
    with pytest.raises(ValueError, match="read-only"):
        read_images(tmp_path / "images")[0, 0, 0, 0] = 1


WHOLE = header(2, 3, 4) + IMAGES.tobytes()
WRONG = {
    "empty": (b"", ["is empty"]),
    "text": (b"<!doctype html>", ["is not an IDX file", "0x3c21646f", "0x00000803", "give an IDX file"]),
    "short magic": (b"\0\0", ["is not an IDX file", "0x0000"]),
    "unknown type": (header(2, type_code=0x07), ["is not an IDX file"]),
    "float": (header(2, 3, 4, type_code=0x0D) + bytes(96), ["float32", "convert it to uint8"]),
    "int32": (header(2, 3, 4, type_code=0x0C) + bytes(96), ["int32", "convert it to uint8"]),
    "labels": (header(3) + LABELS.tobytes(), ["holds labels", "expected images", "swapped"]),
    "two dimensions": (header(3, 4) + bytes(12), ["holds 2 dimensions", "expected images"]),
    "short header": (header(2, 3, 4)[:11], ["ends inside its header", "11 of 16"]),
    "truncated": (WHOLE[:-1], ["truncated", "promises 40 bytes, 39 came"]),
    "header only": (header(2, 3, 4), ["truncated", "16 came"]),
    "trailing": (WHOLE + b"x", ["bytes after the 40"]),
    "no images": (header(0, 28, 28), ["0 x 28 x 28", "empty"]),
    "no pixels": (header(2, 0, 4), ["2 x 0 x 4", "empty"]),
    "too much": (header(2**32 - 1, 2**32 - 1, 2**32 - 1), ["claims 4,294,967,295 x", "more than"]),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("case", WRONG)
def test_wrong_content(tmp_path: Path, case: str, packed: bool) -> None:
    content, said = WRONG[case]
    path = tmp_path / "train-images"
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError) as caught:
        read_images(path)
    if packed and case == "empty":
        said = ["is not an IDX file"]  # an empty content inside a gzip file that is not empty
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for part in said:
        assert part in message


def test_images_where_labels_belong(tmp_path: Path) -> None:
    write_idx(tmp_path / "file", IMAGES)
    with pytest.raises(DataError, match=r"holds images \(0x00000803\).*expected labels.*swapped"):
        read_labels(tmp_path / "file")


def test_named_gz_but_is_not(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(WHOLE)
    with pytest.raises(DataError, match=r"images\.gz: is not gzip data.*0x0000.*0x1f8b"):
        read_images(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-9],  # cut off
        lambda packed: packed[:-8] + bytes(8),  # wrong check sum
        lambda packed: packed[:10] + b"\xff" * (len(packed) - 10),  # no deflate stream
        lambda packed: packed + b"rubbish",
    ],
    ids=["cut", "checksum", "stream", "rubbish after"],
)
def test_damaged_gzip(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(damage(gzip.compress(WHOLE)))  # type: ignore[operator]
    with pytest.raises(DataError, match=r"images\.gz: damaged gzip data .*get the file again"):
        read_images(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing: cannot be read \(No such file"):
        read_images(tmp_path / "nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_images(tmp_path)


def peak_of_reading(path: Path) -> int:
    """Bytes allocated at most while a file is read and refused."""
    idx_error = None
    tracemalloc.start()
    try:
        read_images(path)
    except DataError as error:
        idx_error = error
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert idx_error is not None
    return peak


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_lying_header_allocates_nothing(tmp_path: Path, packed: bool) -> None:
    content = header(2**15, 2**8, 2**8) + b"few"  # claims 2 GiB, exactly the limit
    path = tmp_path / "lie"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert peak_of_reading(path) < 4 * 2**20


def test_a_decompression_bomb_is_left_packed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(header(2, 3, 4) + bytes(64 * 2**20)))
    assert peak_of_reading(path) < 4 * 2**20
