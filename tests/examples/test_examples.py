"""Every example runs, in a quick form."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
QUICK = {"train_from_top_to_bottom.py": ["--seeds", "1", "--images", "1000"]}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_runs(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(path), *QUICK[path.name]]
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    found = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert found.returncode == 0, found.stderr
    seed, mean = found.stdout.splitlines()
    accuracy = float(seed.partition("accuracy ")[2].partition("%")[0])
    assert accuracy > 70  # it learns: 16 steps
    assert mean.startswith("mean ")


WRONG = {
    "no seeds": (["--seeds", "0"], "above 0"),
    "a word": (["--seeds", "many"], "--seeds"),
    "no images": (["--images", "-5"], "above 0"),
    "no data": (["--data", "mnits"], "did you mean 'mnist'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_one_line_and_no_traceback(case: str, tmp_path: Path) -> None:
    arguments, says = WRONG[case]
    command = [sys.executable, str(EXAMPLES / "train_from_top_to_bottom.py"), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_example_is_read_at_one_go() -> None:
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 100
