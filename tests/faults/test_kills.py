"""Killed at any moment, again and again: nothing is ever damaged, nothing piles up, and the bits are the same.

``CONVLENS_KILLS=200`` kills more often than `make check` does; ``pytest -s`` shows what was hit.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import artifact
from convlens.studies.storage.store import TrialStore
from tests.studies.examples import all_trials, planned_trial
from tests.toys import write_toy_folder

from .forks import Forks, large_outcome

KILLS = int(os.environ.get("CONVLENS_KILLS", "30"))
QUICK_KILLS = 4

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")
amounts = pytest.mark.parametrize("kills", [QUICK_KILLS, pytest.param(KILLS, marks=pytest.mark.slow)])


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Forks]:
    with Forks(tmp_path) as started:
        yield started


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith((".part", ".new"))]


class Interrupted:
    """Counts the kills that came while a file was written: those that left a temporary file not seen before."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count, self._seen = folder, 0, set[str]()

    def look(self) -> None:
        found = leftovers(self.folder)
        assert len(found) <= 1, "temporary files pile up"
        self.count += len(set(found) - self._seen)
        self._seen |= set(found)


def state_of(checkpoint: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return all that a checkpoint says, but for the times."""
    found = artifact.read(checkpoint, "checkpoint")
    progress = {name: value for name, value in found.header["progress"].items() if name != "seconds"}
    arrays = {name: array.tobytes() for name, array in found.arrays.items()}
    return {"progress": progress, "step": found.header["optimizer_step"]}, arrays


def result_of(folder: Path, name: str) -> tuple[Any, ...]:
    """Return weights, history, best-so-far, test result and last checkpoint of a finished training."""
    run = json.loads((folder / f"{name}.json").read_text())
    weights = artifact.read(folder / f"{name}.safetensors", "model").arrays
    return (
        {key: array.tobytes() for key, array in weights.items()},
        {key: run[key] for key in ("history", "best_epoch", "test", "validation")},
        state_of(folder / f"{name}.checkpoint"),
    )


def command(name: str) -> tuple[str, ...]:
    options = ["--filters", "4,6", "--data", "bars", "--epochs", "25", "--patience", "99", "--threads", "1", "--resume"]
    files = ("--out", f"{name}.safetensors", "--json", f"{name}.json", "--checkpoint", f"{name}.checkpoint")
    return ("train", "cnn", *options, *files)


@amounts
def test_training_killed_at_random_ends_with_the_same_bits(tmp_path: Path, forks: Forks, kills: int) -> None:
    write_toy_folder(tmp_path / "bars")
    ended = forks("convlens", *command("whole"))
    assert ended.code == 0, ended.stderr
    whole = result_of(tmp_path, "whole")
    draw, reached, interrupted, finished = random.Random(7), (-1, -1), Interrupted(tmp_path), 0
    checkpoint, done = tmp_path / "killed.checkpoint", 0
    while True:
        # most of a process's life here is saving: it saves after every step
        signals = [(draw.uniform(0, 0.3), signal.SIGKILL)] if done < kills else []
        ended = forks("convlens", *command("killed"), signals=signals)
        assert ended.code == (-signal.SIGKILL if signals and ended.code else 0), ended.stderr
        if checkpoint.exists():
            progress = state_of(checkpoint)[0]["progress"]
            place = (progress["epoch"], progress["step"])
            assert place >= reached, "training went back"
            reached = place
        interrupted.look()
        done += ended.code != 0
        if ended.code == 0:
            assert result_of(tmp_path, "killed") == whole
            assert leftovers(tmp_path) == []
            finished += 1
            if done >= kills:
                break
            reached = (-1, -1)
            for path in tmp_path.glob("killed.*"):
                path.unlink()
    print(f"training: {done} kills, {interrupted.count} while a file was written, {finished} trainings finished")


@amounts
def test_a_writer_that_does_nothing_else(tmp_path: Path, forks: Forks, kills: int) -> None:
    path, draw, last, interrupted = tmp_path / "c.checkpoint", random.Random(11), 0, Interrupted(tmp_path)
    for _ in range(kills):
        assert forks("write", str(path), signals=[(draw.uniform(0, 0.06), signal.SIGKILL)]).code == -signal.SIGKILL
        interrupted.look()
        if path.exists():
            found = artifact.read(path, "checkpoint")
            number = found.header["number"]
            assert number >= last
            assert (found.arrays["a"] == number).all()
            last = number
    assert last > kills
    print(f"writer: {kills} kills, {interrupted.count} while the file was written, {last} files written")


@amounts
def test_trials_killed_at_random(tmp_path: Path, forks: Forks, kills: int) -> None:
    path, acknowledged = tmp_path / "trials.sqlite", tmp_path / "acknowledged"
    draw, done, finished, count = random.Random(13), 0, 0, 120
    while True:
        signals = [(draw.uniform(0, 0.08), signal.SIGKILL)] if done < kills else []
        ended = forks("trials", path.name, acknowledged.name, str(count), signals=signals)
        assert ended.code == (-signal.SIGKILL if signals and ended.code else 0), ended.stderr
        done += ended.code != 0
        assert len(leftovers(tmp_path)) <= 1
        if path.exists():
            said = {int(line) for line in acknowledged.read_text().split()} if acknowledged.exists() else set()
            with TrialStore(path, read_only=True) as store:
                trials = {trial.seed: trial for trial in all_trials(store)}
            assert said <= trials.keys(), "an acknowledged trial is lost"
            assert sorted(trials) == list(range(len(trials)))
            for seed in list(trials)[-3:]:
                found, expected = trials[seed], large_outcome(planned_trial(seed))
                assert (found.metrics, found.history) == (expected.metrics, expected.history)
                assert all(np.array_equal(found.predictions[s], a) for s, a in expected.predictions.items())
        if ended.code == 0:
            assert len(trials) == count
            assert sorted(found.name for found in tmp_path.glob("trials*")) == [
                "trials.sqlite",
                "trials.sqlite.lock",
            ]
            finished += 1
            if done >= kills:
                break
            for left in (path, acknowledged):
                left.unlink()
    print(f"store: {done} kills, {finished} stores filled")


def test_a_living_writer_keeps_its_temporary_file(tmp_path: Path) -> None:
    """Two that write the same file at once: the one does not take the other's work for a left-over."""
    from convlens.files import _open_temporary, write_atomically

    path = tmp_path / "file"
    descriptor, living = _open_temporary(path)
    dead = tmp_path / ".file.12345678.part"
    foreign = tmp_path / ".other.12345678.part"
    for left in (dead, foreign):
        left.write_bytes(b"half")
    write_atomically(path, b"whole")
    assert Path(living).exists()
    assert not dead.exists()
    assert foreign.exists()
    os.close(descriptor)
    write_atomically(path, b"again")
    assert not Path(living).exists()
    assert path.read_bytes() == b"again"
