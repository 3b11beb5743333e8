"""Copies out of mapped files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convlens.data.gathering import gather


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("rows", [[], [0], [5, 3, 3], list(range(0, 9000, 2))])
def test_it_is_indexing(tmp_path: Path, mapped: bool, rows: list[int]) -> None:
    array = np.random.default_rng(0).integers(0, 256, (9000, 10, 100), np.uint8)  # more than two blocks
    array.tofile(tmp_path / "f")
    source = np.memmap(tmp_path / "f", np.uint8, "r", shape=array.shape).view(np.ndarray) if mapped else array
    np.testing.assert_array_equal(gather(source, np.array(rows, np.intp)), array[rows])
    np.testing.assert_array_equal(source, array)


def mapped_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssFile:"):
            return int(line.split()[1]) / 1024
    return 0.0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's account of memory")
def test_the_file_does_not_stay_in_memory(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(64 << 20))
    source = np.memmap(tmp_path / "f", np.uint8, "r").reshape(-1, 1024).view(np.ndarray)
    before = mapped_mib()
    copy = gather(source, np.arange(len(source)))
    assert copy.nbytes == 64 << 20
    assert mapped_mib() - before < 16
