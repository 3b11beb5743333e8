"""The race of two versions: the ratio has the right direction, and only slow cells get more rounds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from convlens.bench.cells import Cell
from convlens.bench.coordinator import PeerPool
from tests.faults.forks import environment
from tests.scripts import script

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "versus.py"

# rates by version and network: the working tree is half as fast with one, twice as fast with the other
TOY = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "prepare":
        network = request["cell"]["network"]
        print(json.dumps({"first": {"train": 1.0, "predict": 1.0}}), flush=True); continue
    ours = sys.argv[1] == "working-tree"
    calls = (1 if network == "cnn" else 4) if ours else 2
    print(json.dumps({"calls": calls, "seconds": 1.0}), flush=True)
"""


@pytest.fixture
def versus() -> Any:
    return script("benchmarks/versus.py")


def cell(network: str, versus: Any) -> Cell:
    return Cell(network, network, 1, 1, peers=(versus.BASE, versus.NEW))


def test_what_looks_slow_goes_on_until_it_is_decided(versus: Any) -> None:
    with PeerPool([sys.executable, "-c", TOY]) as pool:
        results = versus.race([cell("cnn", versus), cell("dense", versus)], pool, 2, 4, 0.1)
    lines = [line.split() for line in versus.report(results).splitlines()]
    assert [line[:3] for line in lines] == [
        ["cnn", "train", "0.50"],
        ["cnn", "predict", "0.50"],
        ["dense", "train", "2.00"],
        ["dense", "predict", "2.00"],
    ]
    assert [" ".join(line[6:]) for line in lines] == ["4 rounds below 0.95"] * 2 + ["2 rounds"] * 2
    assert [versus.slow(found) for found in results.values()] == [True, False]


def test_a_working_tree_that_cannot_run_is_slow(versus: Any) -> None:
    with PeerPool(
        [sys.executable, "-c", TOY.replace("ours = ", "ours = 1 / (sys.argv[1] != 'working-tree') and ")]
    ) as pool:
        results = versus.race([cell("cnn", versus)], pool, 1, 1, 0.1)
    assert versus.slow(results["cnn"])
    assert "working-tree: in round 1: ended with code 1: ZeroDivisionError" in versus.report(results)


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the repository's history")
def test_the_last_commit_races_the_working_tree(tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, "HEAD", "--rounds", "1", "--decide", "1", "--seconds", "0.01", "--cells"]
    done = subprocess.run(
        [*command, "dense-batch1", "--engine", "convlens-numpy", "--out", tmp_path],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "fewer than 12 rounds decide nothing" in done.stdout
    found = json.loads((tmp_path / "versus.json").read_text())
    assert set(found["cells"]["dense-batch1"]["ratios"]) == {"train", "predict"}, found
