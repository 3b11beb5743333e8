"""Files are written whole, with the locks of Unix and without them, as on Windows."""

from __future__ import annotations

import io
import os
from pathlib import Path, PurePosixPath

import pytest

from convlens import files
from convlens.data.download import download
from convlens.errors import ConfigurationError, DataError, OutputError
from convlens.files import checked_path, require_writable


@pytest.fixture(params=["locks", "no locks"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder; in one case the system has no locks, and renames no file that is open."""
    if request.param == "no locks":
        monkeypatch.setattr(files, "fcntl", None)
        rename, opened = Path.replace, []
        fdopen = os.fdopen

        def remember(*arguments: object) -> io.BufferedWriter:
            opened.append(fdopen(*arguments))  # type: ignore[call-overload]
            return opened[-1]

        def refuse(path: Path, target: Path) -> Path:
            if not all(file.closed for file in opened):
                raise PermissionError(13, "the file is open")
            return rename(path, target)

        monkeypatch.setattr(os, "fdopen", remember)
        monkeypatch.setattr(Path, "replace", refuse)
    return tmp_path


def test_a_file_is_replaced_or_stands(place: Path) -> None:
    path = place / "größe №1.bin"
    files.write_atomically(path, b"first")
    files.write_atomically(path, memoryview(b"second"))
    with pytest.raises(TypeError), files.replacing(path) as (stream, _):
        stream.write("no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"second"
    assert list(place.iterdir()) == [path]
    with pytest.raises(OutputError, match=r"cannot write .*nowhere.*choose another place"):
        files.write_atomically(place / "nowhere" / "file", b"")


def test_what_killed_writers_left_is_removed(place: Path) -> None:
    left, foreign = place / ".file.abcdefgh.part", place / ".other.abcdefgh.part"
    for path in (left, foreign):
        path.write_bytes(b"half")
        os.utime(path, (0, 0))
    files.write_atomically(place / "file", b"whole")
    assert not left.exists()
    assert foreign.exists()


def test_without_locks_a_new_temporary_file_may_be_a_living_writers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "fcntl", None)
    living = tmp_path / ".file.abcdefgh.part"
    living.write_bytes(b"half")
    files.write_atomically(tmp_path / "file", b"whole")
    assert living.exists()


def test_a_download_is_checked_then_named(place: Path) -> None:
    source, target = place / "source", place / "kept" / "ünï.gz"
    source.write_bytes(b"right")
    checked = []
    download([(place / "none").as_uri(), source.as_uri()], target,
             check=lambda path: checked.append(path.read_bytes()), largest=9, otherwise="")  # fmt: skip
    assert (checked, target.read_bytes()) == ([b"right"], b"right")

    def refuse(path: Path) -> None:
        raise DataError(f"{path}: is wrong")

    with pytest.raises(DataError, match=r"source: is wrong\. Without a download: walk"):
        download([source.as_uri()], target, check=refuse, largest=9, otherwise="walk")
    assert list(target.parent.iterdir()) == [target]


def test_a_null_character_in_a_name_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"'.*a\\x00b': no name of a file holds a null character"):
        require_writable(tmp_path / "a\0b")


@pytest.mark.parametrize("path", [None, 5, b"m", "", "a\0b", ["m"]])
def test_what_is_no_path(path: object) -> None:
    with pytest.raises(ConfigurationError, match=r"a file is named by a string or a pathlib\.Path, not"):
        checked_path(path, "a file")


@pytest.mark.parametrize("path", ["m", Path("m"), PurePosixPath("m")])
def test_what_is_a_path(path: object) -> None:
    assert checked_path(path, "a file") == Path("m")


def _named(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return pairs of names of one file."""
    (folder / "there").write_text("")
    (folder / "link").symlink_to("there")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "hard").hardlink_to(folder / "there")
    (folder / "sub").mkdir()
    (folder / "way").symlink_to("sub")
    return {
        "the same name": (folder / "x", folder / "x"),
        "dots": (folder / "x", folder / "sub" / ".." / "x"),
        "a link": (folder / "there", folder / "link"),
        "a link to what is not there yet": (folder / "nowhere", folder / "dangling"),
        "a hard link": (folder / "there", folder / "hard"),
        "a linked folder": (folder / "sub" / "x", folder / "way" / "x"),
    }


def test_names_of_one_file(tmp_path: Path) -> None:
    for case, (one, other) in _named(tmp_path).items():
        assert files.same_file(one, other), case
        with pytest.raises(OutputError, match="two outputs would be written to one file"):
            files.require_distinct([tmp_path / "y", one, other])
        with pytest.raises(OutputError, match="it is read too, and would be lost"):
            files.require_distinct([one, tmp_path / "y"], [other])
    files.require_distinct([tmp_path / "x", tmp_path / "y", tmp_path / "sub" / "x"], [tmp_path / "there"])


def test_case_counts_where_the_file_system_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "Run.json", tmp_path / "run.JSON"
    (tmp_path / "case").write_text("")
    ignored = (tmp_path / "CASE").exists()
    assert files.same_file(one, other) == ignored
    monkeypatch.setattr(files, "_ignores_case", lambda folder: True)
    assert files.same_file(one, other)
    assert not files.same_file(one, tmp_path / "other.json")
    assert [path.name for path in tmp_path.iterdir()] == ["case"]  # the probe is gone
