"""Fashion-MNIST: found, fetched, verified before it is kept; and the message if it is missing.

A small stand-in with the same four names replaces the 30 MB, on a local server.
"""

from __future__ import annotations

import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.idx_files import write_idx

import convlens.data
from convlens.data.sources import fashion_mnist
from convlens.errors import ConfigurationError, DataError, OutputError

REAL = fashion_mnist.FILES


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a stand-in, pin its sums, and let no real copy be found."""
    folder = tmp_path / "published"
    folder.mkdir()
    draw = np.random.default_rng(0)
    arrays = [
        array
        for count in (40, 20)
        for array in (draw.integers(0, 256, (count, 28, 28), dtype=np.uint8), (np.arange(count) % 10).astype(np.uint8))
    ]
    files = []
    for file, array in zip(REAL.files, arrays, strict=True):
        write_idx(folder / file.name, array)
        content = gzip.decompress((folder / file.name).read_bytes())
        files.append(replace(file, items=len(array), sha256=hashlib.sha256(content).hexdigest()))
    monkeypatch.setattr(fashion_mnist, "FILES", type(REAL)("fashion-", *files))
    monkeypatch.setattr(fashion_mnist, "SYSTEM", tmp_path / "nowhere")
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def mirror(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Serve the stand-in; the list grows with what was asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(published))  # type: ignore[arg-type]

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            asked.append(self.path)

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        dead = "http://127.0.0.1:1/"
        monkeypatch.setattr(fashion_mnist, "MIRRORS", (dead, f"http://127.0.0.1:{server.server_port}/"))
        yield asked
        server.shutdown()
        thread.join()


def test_nowhere_names_the_ways_to_get_it(published: Path) -> None:
    with pytest.raises(DataError) as caught:
        convlens.data.load("fashion-mnist")
    for way in ("'convlens data fetch fashion-mnist'", "package dataset-fashion-mnist", "copy the files", "cache"):
        assert way in str(caught.value)
    assert not convlens.data.listing()[0].ready


def test_fetched_once_and_loaded(mirror: list[str], tmp_path: Path) -> None:
    said: list[str] = []
    files = convlens.data.fetch("fashion-mnist", said.append)
    assert len(files) == len(mirror) == len(said) == 4
    assert not list((tmp_path / "cache" / "fashion-mnist").glob(".*"))
    convlens.data.fetch("fashion-mnist")
    assert len(mirror) == 4  # what is there and sound is not asked for again
    dataset = convlens.data.load("fashion-mnist", validation_fraction=0.25)
    assert dataset.class_names[0] == "T-shirt/top"
    assert dataset.class_names[9] == "ankle boot"
    assert dataset.split["counts"] == {"train": 30, "validation": 10, "test": 20}
    assert all(file.ok for file in convlens.data.verify("fashion-mnist"))
    assert convlens.data.listing()[0].ready


def test_a_damaged_copy_is_named_and_fetched_again(mirror: list[str]) -> None:
    files = convlens.data.fetch("fashion-mnist")
    write_idx(files[3], np.zeros(20, np.uint8))
    with pytest.raises(DataError, match=r"t10k-labels.* is not the file that was published .*; delete it and run"):
        convlens.data.load("fashion-mnist", validation_fraction=0.25)
    assert [file.ok for file in convlens.data.verify("fashion-mnist")][:4] == [True, True, True, False]
    convlens.data.fetch("fashion-mnist")
    assert all(file.ok for file in convlens.data.verify("fashion-mnist"))


@pytest.mark.parametrize("kind", ["other", "truncated", "page", "large"])
def test_what_is_not_the_file_is_not_kept(
    mirror: list[str], published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = published / "train-images-idx3-ubyte.gz"
    if kind == "other":
        write_idx(path, np.zeros((40, 28, 28), np.uint8))
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:-500])
    elif kind == "page":
        path.write_text("<html>please log in</html>")
    else:
        monkeypatch.setattr(fashion_mnist, "_LARGEST_FILE", 100)
    with pytest.raises(
        DataError, match=r"train-images-idx3-ubyte\.gz cannot be downloaded: .*Without a download"
    ) as caught:
        convlens.data.fetch("fashion-mnist")
    assert ("sends more than 100 bytes" in str(caught.value)) == (kind == "large")
    assert list((tmp_path / "cache" / "fashion-mnist").iterdir()) == []


def test_offline_is_said_with_the_alternatives(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ("http://127.0.0.1:1/",))
    with pytest.raises(DataError, match=r"Connection refused.*Without a download: install Debian's package"):
        convlens.data.fetch("fashion-mnist")


def test_a_cache_that_cannot_be_written(mirror: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="cannot make the folder"):
        convlens.data.fetch("fashion-mnist")
    monkeypatch.setattr("convlens.data.sources.fashion_mnist.cache_folder", lambda: None)
    with pytest.raises(ConfigurationError, match="name one in CONVLENS_CACHE"):
        convlens.data.fetch("fashion-mnist")


def test_there_is_nothing_to_fetch_for_mnist() -> None:
    with pytest.raises(ConfigurationError, match="mnist is part of convlens"):
        convlens.data.fetch("mnist")
    with pytest.raises(ConfigurationError, match="did you mean 'fashion-mnist'"):
        convlens.data.fetch("fashion")


@pytest.mark.skipif(not REAL.lies_in(fashion_mnist.SYSTEM), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_package_of_debian_has_the_pinned_sums() -> None:
    dataset = convlens.data.load("fashion-mnist")
    assert dataset.split["counts"] == {"train": 54_000, "validation": 6_000, "test": 10_000}
    assert dataset.test.labels[:3].tolist() == [9, 2, 1]
    assert all(file.ok for file in convlens.data.verify("fashion-mnist"))
