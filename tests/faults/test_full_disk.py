"""No space or no permission to write: the last good file is kept, the error is one line, and the exit code is 2.

The disk is a real one, of memory: each case runs in a mount namespace of its own, which ends with its process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from convlens import artifact
from convlens.studies.storage.store import TrialStore
from tests.studies.examples import all_trials, make_trial
from tests.toys import write_toy_folder

from .forks import ROOT, environment

UNSHARE = (
    ["unshare", "--mount"] if os.name == "posix" and os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
)


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    return tried.returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_mount(), reason="this system permits no mount namespace with a tmpfs"),
]


@dataclass
class Result:
    code: int
    stderr: str
    after: Path  # what was on the disk afterwards


class Disk:
    """A small disk, prepared from a folder, then filled or made read-only, on which a command runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = folder / "before"
        self.before.mkdir()
        (folder / "disk").mkdir()

    def run(self, state: str, *command: str, room: int = 0) -> Result:
        """Run a command with `disk` full but for so many KiB, or ``read-only``."""
        after = self.folder / "after"
        shutil.rmtree(after, ignore_errors=True)
        steps = ["mount -t tmpfs -o size=6m tmpfs disk", "cp -a before/. disk/"]
        if state == "full":
            steps += [f"head -c {1024 * room} /dev/zero > disk/slack" if room else ":"]
            steps += ["cat /dev/zero > disk/filler 2>/dev/null; rm -f disk/slack"]
        else:
            steps += ["mount -o remount,ro disk"]
        script = "; ".join(
            [*steps, '"$@"; code=$?', "rm -f disk/filler 2>/dev/null", "cp -a disk/. after", "exit $code"]
        )
        found = subprocess.run(
            [*UNSHARE, "sh", "-c", script, "sh", *command],
            cwd=self.folder,
            env=environment(TOY=str(self.folder / "bars")),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Result(found.returncode, found.stderr, after)

    def convlens(self, state: str, *arguments: str, room: int = 0) -> Result:
        return self.run(state, sys.executable, "-m", "tests.faults.toy_convlens", *arguments, room=room)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    write_toy_folder(tmp_path / "bars")
    # the toy command is a module of the tests, found by PYTHONPATH
    assert (ROOT / "tests" / "faults" / "toy_convlens.py").exists()
    return Disk(tmp_path)


TRAIN = ("train", "baseline", "--data", "bars", "--epochs", "3", "--threads", "1")


def assert_one_line(found: Result, *words: str) -> None:
    lines = [line for line in found.stderr.splitlines() if line.startswith("convlens: ")]
    assert found.code == 2, found.stderr
    assert len(lines) == 1, found.stderr
    assert "Traceback" not in found.stderr
    assert found.stderr.splitlines()[-1] == lines[0]
    for word in words:
        assert word in lines[0]


def good_files(disk: Disk) -> dict[str, bytes]:
    """Put a good model, result and checkpoint on the disk."""
    files = ("--out", "before/m.safetensors", "--json", "before/run.json", "--checkpoint", "before/c.checkpoint")
    command = [sys.executable, "-m", "tests.faults.toy_convlens", *TRAIN[:5], "2", *files]
    subprocess.run(command, cwd=disk.folder, env=environment(TOY="bars"), capture_output=True, check=True, timeout=120)
    return {path.name: path.read_bytes() for path in disk.before.iterdir()}


WHAT = {"checkpoint": "disk/new.checkpoint", "out": "disk/m.safetensors", "json": "disk/run.json"}


@pytest.mark.parametrize(("state", "room"), [("full", 0), ("full", 4), ("read-only", 0)])
def test_train(disk: Disk, state: str, room: int) -> None:
    good = good_files(disk)
    for option, place in WHAT.items():
        reason = "Read-only" if state == "read-only" else "No space left"
        found = disk.convlens(state, *TRAIN, f"--{option}", place, room=room if option != "json" else 0)
        assert_one_line(found, f"cannot write {place}", reason)
        assert {path.name: path.read_bytes() for path in found.after.iterdir()} == good


def test_what_was_trained_before_the_disk_was_full_is_not_lost(disk: Disk) -> None:
    """The result cannot be written where it was asked for; the safety net elsewhere can."""
    found = disk.convlens("full", *TRAIN, "--json", "disk/run.json")
    assert_one_line(found, "No space left", "--checkpoint baseline.checkpoint --resume")
    again = disk.convlens("read-only", *TRAIN, "--checkpoint", "baseline.checkpoint", "--resume", "--json", "run.json")
    assert again.code == 0, again.stderr
    assert "epoch 1/3" not in again.stderr


def test_a_full_disk_behind_standard_output(disk: Disk) -> None:
    for arguments in ("summary cnn", "summary cnn --json", "data list --json"):
        found = disk.run(
            "full", "sh", "-c", f"exec {sys.executable} -m tests.faults.toy_convlens {arguments} > disk/output"
        )
        assert_one_line(found, "No space left")


@pytest.mark.parametrize("state", ["full", "read-only"])
def test_reproduce_into_an_empty_folder(disk: Disk, state: str) -> None:
    found = disk.convlens(state, "reproduce", "--quick", "--threads", "1", "--out", "disk/reproduce")
    assert_one_line(found, "disk is full" if state == "full" else "Read-only")
    assert [path.name for path in found.after.rglob("*") if path.name.endswith((".part", ".new"))] == []


def test_reproduce_keeps_trials_and_report(disk: Disk) -> None:
    """Run it whole, then again where there is no room at all, or too little for the report."""
    environ = environment(TOY="bars")
    command = [sys.executable, "-m", "tests.faults.toy_convlens", "reproduce", "--quick", "--threads", "1", "--out"]
    subprocess.run([*command, "whole"], cwd=disk.folder, env=environ, capture_output=True, check=True, timeout=200)
    small = disk.before / "reproduce"
    small.mkdir()
    whole = disk.folder / "whole"
    for name in ("trials.sqlite", "report.html", "report.md", "results.json"):
        (small / name).write_bytes(b"the last good one" if name[0] == "r" else (whole / name).read_bytes())
    shutil.copytree(whole / "models", small / "models")
    half = (whole / "report.html").stat().st_size // 2048  # KiB
    for state, room, reason in (
        ("full", 0, "is full"),
        ("full", half, "report.html: No space left"),
        ("read-only", 0, "cannot write in"),  # the store comes first: what is declared is written down
    ):
        found = disk.convlens(state, *command[3:], "disk/reproduce", room=room)
        assert_one_line(found, reason)
        assert (found.after / "reproduce" / "report.html").read_bytes() == b"the last good one"
        with (
            TrialStore(found.after / "reproduce" / "trials.sqlite", read_only=True) as after,
            TrialStore(whole / "trials.sqlite", read_only=True) as before,
        ):
            assert [trial.key for trial in all_trials(after)] == [trial.key for trial in all_trials(before)]


PUT = """
import sys
from pathlib import Path
from convlens.errors import OutputError
from convlens.studies.storage.store import TrialStore
from tests.studies.examples import make_trial
try:
    with TrialStore("disk/trials.sqlite") as store:
        for seed in range(3, 10_000):
            store.put(make_trial(seed))
            print(seed, file=open("acknowledged", "w"), flush=True)
except OutputError as error:
    print("convlens:", error, file=sys.stderr)
    sys.exit(2)
"""


@pytest.mark.parametrize("room", [0, 64, 200, 1000])
def test_a_store_that_runs_out_of_room(disk: Disk, room: int) -> None:
    with TrialStore(disk.before / "trials.sqlite") as store:
        for seed in range(3):
            store.put(make_trial(seed))
    found = disk.run("full", sys.executable, "-c", PUT, room=room)
    assert_one_line(found, "cannot write", "is full")
    acknowledged = disk.folder / "acknowledged"
    kept = int(acknowledged.read_text()) + 1 if acknowledged.exists() else 3
    assert (kept > 3) == (room > 0)
    with TrialStore(found.after / "trials.sqlite") as store:
        assert [trial.seed for trial in all_trials(store)] == list(range(kept))
        assert store.put(make_trial(99_999))


def test_a_folder_without_permission(disk: Disk) -> None:
    good_files(disk)
    kept = artifact.read(disk.before / "c.checkpoint", "checkpoint").header
    disk.before.chmod(0o555)
    try:
        if os.access(disk.before, os.W_OK):
            pytest.skip("this user, root, may write whatever the permission bits say")
        command = [sys.executable, "-m", "tests.faults.toy_convlens", *TRAIN, "--checkpoint", "before/c.checkpoint"]
        found = subprocess.run(
            command, cwd=disk.folder, env=environment(TOY="bars"), capture_output=True, text=True, check=False
        )
        assert_one_line(Result(found.returncode, found.stderr, disk.before), "Permission denied")
        assert artifact.read(disk.before / "c.checkpoint", "checkpoint").header == kept
    finally:
        disk.before.chmod(0o755)
