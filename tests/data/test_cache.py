"""The cache may vanish, be read-only, or be damaged: the content is still right."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from convlens.data import cache

CONTENT = np.arange(1000, dtype=np.uint8)
SHA256 = hashlib.sha256(CONTENT.data).hexdigest()


class Maker:
    """Makes the content and counts how often it had to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> np.ndarray:
        self.calls += 1
        return CONTENT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chosen = tmp_path / "deep" / "cache"
    monkeypatch.setenv("CONVLENS_CACHE", str(chosen))
    return chosen


def get(make: Maker) -> np.ndarray:
    content = cache.unpacked("thing", SHA256, make)
    np.testing.assert_array_equal(content, CONTENT)
    return content


def copy_path() -> Path:
    path = cache.copy_path("thing", SHA256)
    assert path is not None
    return path


def test_made_once_then_mapped(folder: Path) -> None:
    make = Maker()
    for content in (get(make), get(make)):
        assert isinstance(content.base, np.memmap)
        assert not content.flags.writeable
    assert make.calls == 1
    assert sorted(path.name for path in folder.iterdir()) == [copy_path().name, f"{copy_path().name}.json"]


def cut_unnoticed(path: Path) -> None:
    """Cut the end off as a failing disk would: the time of writing stays."""
    state = path.stat()
    path.write_bytes(CONTENT.tobytes()[:-1])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize(
    "damage",
    [
        cut_unnoticed,
        lambda path: path.write_bytes(CONTENT.tobytes()[:-1]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(bytes(1000)),  # right size, wrong content: seen by its time
        lambda path: path.unlink(),
        lambda path: path.with_name(path.name + ".json").unlink(),
        lambda path: path.with_name(path.name + ".json").write_text("{"),
        lambda path: path.with_name(path.name + ".json").write_text("[]"),
        lambda path: path.with_name(path.name + ".json").write_text(json.dumps({"sha256": SHA256})),
    ],
    ids=[
        "short at the same time",
        "short",
        "emptied",
        "changed",
        "deleted",
        "no record",
        "half a record",
        "a list",
        "an old record",
    ],
)
def test_damage_is_made_good(folder: Path, damage: object) -> None:
    make = Maker()
    get(make)
    os.utime(copy_path(), ns=(1, 1))  # so that a rewrite within one tick of the clock still shows
    cache.unpacked("thing", SHA256, make)
    damage(copy_path())  # type: ignore[operator]
    get(make)
    assert make.calls == 2
    get(make)
    assert make.calls == 2


def test_a_touched_copy_is_summed_and_kept(folder: Path) -> None:
    make = Maker()
    get(make)
    os.utime(copy_path(), ns=(1, 1))
    get(make)
    assert make.calls == 1
    assert json.loads((folder / f"{copy_path().name}.json").read_text())["written_ns"] == 1


def test_no_place_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "file" / "cache"))
    make = Maker()
    get(make)
    get(make)
    assert make.calls == 2


def test_a_full_disk_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    get(Maker())
    assert list(folder.iterdir()) == []


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVLENS_CACHE", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: "~/.cache/convlens")
    assert cache.cache_folder() is None
    make = Maker()
    get(make)
    assert make.calls == 1
    assert cache.check_copy("thing", SHA256) is None


def test_the_platform_chooses_where_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVLENS_CACHE", raising=False)
    chosen = cache.cache_folder()
    assert chosen is None or "convlens" in chosen.parts


def test_full_check(folder: Path) -> None:
    assert cache.check_copy("thing", SHA256) is None
    get(Maker())
    assert cache.check_copy("thing", SHA256) == SHA256
    state = copy_path().stat()
    copy_path().write_bytes(bytes(1000))
    os.utime(copy_path(), ns=(state.st_atime_ns, state.st_mtime_ns))  # even the time is right
    assert cache.check_copy("thing", SHA256) not in {None, SHA256}
    assert not copy_path().exists()
