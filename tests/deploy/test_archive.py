"""Hostile archives: nothing but a package's own files is ever written, and nothing is left of what is refused."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlens.deploy.sagemaker.archive import Limits, unpack
from convlens.deploy.sagemaker.package import NAMES
from convlens.errors import ArtifactError, ConvlensError, OutputError

Change = Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]


def entry(name: str, content: bytes = b"", **settings: object) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for key, value in settings.items():
        setattr(made, key, value)
    return made, content


def members(archive: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(archive) as stored:
        return [(one, stored.extractfile(one).read()) for one in stored.getmembers()]  # type: ignore[union-attr]


def packed(entries: list[tuple[tarfile.TarInfo, bytes]], kind: int = tarfile.USTAR_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=kind) as into:
        for one, content in entries:
            into.addfile(one, io.BytesIO(content))
    return stream.getvalue()


def test_a_package_is_unpacked(archive: Path, tmp_path: Path) -> None:
    found = unpack(archive, tmp_path / "new")
    assert [str(path.relative_to(tmp_path / "new")) for path in found] == list(NAMES)
    assert {path.read_bytes() for path in found} == {content for _, content in members(archive)}
    (tmp_path / "empty").mkdir()
    assert unpack(archive, tmp_path / "empty")
    with pytest.raises(OutputError, match="not an empty folder"):
        unpack(archive, tmp_path / "empty")
    assert len(list((tmp_path / "empty").rglob("*.*"))) == len(NAMES)


SECRET = b"secret"
HOSTILE: dict[str, tuple[Change, str]] = {
    "a parent folder": (lambda files: files.append(entry("../evil", b"x")), "'../evil'"),
    "a parent folder inside": (lambda files: files.append(entry("code/../../evil", b"x")), "evil"),
    "an absolute path": (lambda files: files.append(entry("/tmp/evil", b"x")), "evil"),
    "a file that is not known": (lambda files: files.append(entry("code/requirements.txt", b"x")), "requirements"),
    "another case": (lambda files: files.append(entry("Model.npz", b"x")), "'Model.npz'"),
    "a symbolic link": (
        lambda files: files.insert(0, entry("model.npz", type=tarfile.SYMTYPE, linkname="/etc")),
        "regular",
    ),
    "a link to a folder": (lambda files: files.insert(0, entry("code", type=tarfile.SYMTYPE, linkname="..")), "'code'"),
    "a hard link": (
        lambda files: files.insert(0, entry("model.npz", type=tarfile.LNKTYPE, linkname="/etc/x")),
        "regular",
    ),
    "a device": (lambda files: files.insert(0, entry("model.npz", type=tarfile.CHRTYPE)), "regular"),
    "a pipe": (lambda files: files.insert(0, entry("model.npz", type=tarfile.FIFOTYPE)), "regular"),
    "a folder": (lambda files: files.insert(0, entry("code", type=tarfile.DIRTYPE)), "'code'"),
    "a sparse file": (lambda files: files.insert(0, entry("model.npz", type=tarfile.GNUTYPE_SPARSE)), "regular"),
    "a file twice": (lambda files: files.append(files[-1]), "twice"),
    "a file missing": (lambda files: files.pop(), "lacks model.safetensors"),
    "nothing": (lambda files: files.clear(), "lacks manifest.json"),
    "other weights": (lambda files: files.__setitem__(2, entry("model.npz", b"x")), "model.npz in .* is damaged"),
    "other code": (
        lambda files: files.__setitem__(1, entry("code/inference.py", b"x")),
        "inference.py in .* is damaged",
    ),
    "no manifest": (
        lambda files: files.__setitem__(0, entry("manifest.json", b"[" * 100_000)),
        "no manifest",
    ),
    "a list as manifest": (lambda files: files.__setitem__(0, entry("manifest.json", b"[]")), "no manifest"),
    "a manifest of nothing": (lambda files: files.__setitem__(0, entry("manifest.json", b'{"files": {}}')), "checksum"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives(archive: Path, tmp_path: Path, name: str) -> None:
    change, words = HOSTILE[name]
    entries = members(archive)
    change(entries)
    path, inside = tmp_path / "m.tar.gz", tmp_path / "a" / "b"
    path.write_bytes(packed(entries))
    inside.mkdir(parents=True)
    for folder in (inside, inside / "new"):
        with pytest.raises(ArtifactError, match=words) as caught:
            unpack(path, folder)
        assert str(path) in str(caught.value)  # not the folder, which is gone
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "a", inside, path]


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_headers_that_extend_others_are_refused(archive: Path, tmp_path: Path, kind: int) -> None:
    """They hold names of any length, which are read into memory before they can be judged."""
    (tmp_path / "m.tar.gz").write_bytes(packed([entry("code/" + 300 * "x", b"x"), *members(archive)], kind))
    with pytest.raises(ArtifactError, match="regular"):
        unpack(tmp_path / "m.tar.gz", tmp_path / "new")


def test_bombs(archive: Path, tmp_path: Path) -> None:
    """A gigabyte of zeros in a megabyte, and a header that claims eight: neither is written, nor held in memory."""
    path = tmp_path / "m.tar.gz"
    bomb, _ = entry("model.npz", size=8 << 30)
    claim = gzip.compress(bomb.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 24))
    path.write_bytes(claim)
    tracemalloc.start()
    with pytest.raises(ArtifactError, match="claims more than"):
        unpack(path, tmp_path / "new")
    path.write_bytes(packed([entry("model.npz", bytes(20 << 20))]))
    tracemalloc.reset_peak()
    with pytest.raises(ArtifactError, match="claims more than 16,777,216 bytes"):
        unpack(path, tmp_path / "new")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    with pytest.raises(ArtifactError, match="claims more than 1,000 bytes"):
        unpack(archive, tmp_path / "new", Limits(size=1000))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "after",
    [
        b"garbage",
        bytes(100),  # which gzip itself takes for the end of a tape
        gzip.compress(b"another member"),
        gzip.compress(bytes(512)),
        gzip.compress(bytes(64 << 20)),
    ],
)
def test_what_follows_the_archive_is_refused(archive: Path, tmp_path: Path, after: bytes) -> None:
    content = archive.read_bytes()
    (tmp_path / "m.tar.gz").write_bytes(content + after + (content[-4:] if after == b"garbage" else b""))
    tracemalloc.start()
    with pytest.raises(ArtifactError, match=r"m\.tar\.gz (is damaged \(Not a gzipped|holds something after its end)"):
        unpack(tmp_path / "m.tar.gz", tmp_path / "new")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("after", [b"x", bytes(tarfile.RECORDSIZE), packed([entry("manifest.json", b"{}")])])
def test_what_follows_the_last_block_is_refused(archive: Path, tmp_path: Path, after: bytes) -> None:
    """Also another archive: who unpacks it otherwise would take that."""
    (tmp_path / "m.tar.gz").write_bytes(gzip.compress(gzip.decompress(archive.read_bytes()) + after))
    with pytest.raises(ArtifactError, match="holds something after its end"):
        unpack(tmp_path / "m.tar.gz", tmp_path / "new")


def test_no_archive(tmp_path: Path) -> None:
    for content in (b"", b"no gzip", gzip.compress(b""), gzip.compress(b"x" * 512), gzip.compress(bytes(100))):
        (tmp_path / "m.tar.gz").write_bytes(content)
        with pytest.raises(ArtifactError, match=r"m\.tar\.gz"):
            unpack(tmp_path / "m.tar.gz", tmp_path / "new")
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ArtifactError, match="cannot read"):
            unpack(path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@given(st.integers(0), st.integers(0, 255), st.booleans())
@settings(max_examples=60)
def test_damage_is_found(
    archive: Path, tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: bool
) -> None:
    """A byte that is changed, before or after compression, or a file that is cut off: refused, or harmless."""
    folder = tmp_path_factory.mktemp("damage")
    whole = gzip.decompress(archive.read_bytes())
    place %= 4096 if not cut else len(whole)  # headers are where damage does harm
    damaged = whole[:place] if cut else whole[:place] + bytes([value]) + whole[place + 1 :]
    (folder / "m.tar.gz").write_bytes(gzip.compress(damaged, 1))
    try:
        found = unpack(folder / "m.tar.gz", folder / "new")
    except ConvlensError:
        assert not (folder / "new").exists()
    else:  # the change was none, or to a header's time or owner, which nobody reads
        sums = json.loads(found[0].read_bytes())["files"]
        assert sorted(path.name for path in found) == [
            "inference.py",
            "manifest.json",
            "model.npz",
            "model.safetensors",
        ]
        assert len(sums) == 3
