"""A real study, killed in the middle and run again, ends with the same table."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from convlens.studies.results.verify import TIMES
from convlens.studies.run import STORE

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")]
COMMAND = (sys.executable, "-m", "convlens", "study", "run", "pooling", "--profile", "quick", "--json", "--out")
TRIALS, BEFORE = 15, 4  # in all, and finished when it is killed


def finished(folder: Path) -> int:
    """Return how many trials are in a store that another process writes; 0 before there is one."""
    try:
        with sqlite3.connect(f"file:{folder / STORE}?mode=ro", uri=True) as store:
            return int(store.execute("SELECT count(*) FROM trials").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def table(printed: bytes) -> dict[str, Any]:
    """Return everything that a study measured and concluded, but for the times."""
    (found,) = json.loads(printed)["studies"].values()
    measured = {
        f"{one['arm']}, {one['seed']}": {n: v for n, v in one["metrics"].items() if n.split(".")[0] not in TIMES}
        for one in found["trials"]
    }
    return {"trials": measured, "primary": found["primary"], "missing": found["missing"]}


def test_a_study_killed_in_the_middle_ends_with_the_same_table(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    running = subprocess.Popen([*COMMAND, str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while finished(killed) < BEFORE:
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.05)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    kept = finished(killed)
    assert BEFORE <= kept < TRIALS
    again = subprocess.run([*COMMAND, str(killed)], check=True, capture_output=True)
    started = again.stderr.decode().count(" finished: ")
    assert started == TRIALS - kept, "a finished trial ran again, or one was lost"
    once = subprocess.run([*COMMAND, str(whole)], check=True, capture_output=True)
    found = table(again.stdout)
    assert found["missing"] == 0
    assert len(found["trials"]) == TRIALS
    assert found == table(once.stdout)
