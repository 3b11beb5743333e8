"""Nothing here touches the user's own cache; MNIST is unpacked once for the whole session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.idx_files import write_idx

import convlens.data
from convlens.data import Dataset


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVLENS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def loaded_digits(_own_cache: None) -> Dataset:
    """MNIST, loaded once; tests that count reads compare before and after."""
    return convlens.data.load("mnist")


WriteFolder = Callable[..., Path]


@pytest.fixture
def write_folder(tmp_path: Path) -> WriteFolder:
    """Write IDX files: 40 training images of 3 classes, 5 x 4 pixels, and if asked a test set of 9."""

    def write(*, test: str = "", suffix: str = "-idx-ubyte.gz") -> Path:
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        for prefix, count in (("train", 40), *(((test, 9),) if test else ())):
            pixels = np.random.default_rng(count).integers(0, 256, (count, 5, 4), dtype=np.uint8)
            write_idx(folder / f"{prefix}-images{suffix}", pixels)
            write_idx(folder / f"{prefix}-labels{suffix}", np.arange(count, dtype=np.uint8) % 3)
        return folder

    return write
