"""CONTRIBUTING's "A new data set", followed to its end in a copy of the package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package in which the first two steps were done."""
    copied = tmp_path_factory.mktemp("copy") / "convlens"
    shutil.copytree(ROOT / "src" / "convlens", copied, ignore=shutil.ignore_patterns("__pycache__", "archive"))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A new data set\n")[2]
    (code,) = re.findall(r"```python toy\.py\n(.*?)```", text.partition("\n## ")[0], re.S)
    sources = copied / "data" / "sources"
    (sources / "toy.py").write_text(code, encoding="utf-8")
    table = (sources / "__init__.py").read_text(encoding="utf-8")
    for place, added in (("from . import ", "toy, "), ("_NAMED: tuple[Source, ...] = (\n", "    toy.SOURCE,\n")):
        assert table.count(place) == 1
        table = table.replace(place, place + added)
    (sources / "__init__.py").write_text(table, encoding="utf-8")
    return copied


def convlens(package: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    command = [sys.executable, "-m", "convlens", *arguments]
    done = subprocess.run(
        command, cwd=package.parent, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_list_shows_it_and_it_is_sound(package: Path) -> None:
    rows = {row["name"]: row for row in json.loads(convlens(package, "data", "list", "--json"))}
    assert rows["toy"]["ready"] is True
    assert "toy" in convlens(package, "data", "list")
    convlens(package, "data", "verify", "toy")


def test_the_command_line_learns_it(package: Path) -> None:
    convlens(package, "train", "baseline", "--data", "toy", "--epochs", "1", "--json", "run.json")
    run = json.loads((package.parent / "run.json").read_text())
    data = run["configuration"]["data"]
    assert (data["name"], data["class_names"]) == ("toy", ["lying", "standing"])
    assert data["split"]["counts"] == {"train": 450, "validation": 50, "test": 100}
    assert len(data["sha256"]) == 64
    assert run["test"]["images"] == 100
