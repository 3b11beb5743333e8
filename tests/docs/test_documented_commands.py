"""Every command in README and docs is run, or says why it is not.

A shell block is preceded by a marker that a reader of the rendered page does not see::

    <!-- run -->                 run as it stands
    <!-- run with ADDED -->      run with these words added to each line
    <!-- run, printing TEXT -->  run, and what it prints contains this text, which the document quotes
    <!-- run in PROFILE -->      run in an account of Amazon's that is emulated on this machine
    <!-- shown: REASON -->       not run, and why

Blocks of one document run one after the other in one folder, as a reader would.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(
    r"(?:<!-- (?P<marker>[^\n]*?) -->\n)?```(?P<language>sh|python|toml)(?P<name> \S+)?\n(?P<text>.*?)```", re.S
)
MOST_SHOWN = 4


@dataclass(frozen=True)
class Block:
    marker: str | None
    language: str
    name: str
    text: str


def blocks(document: Path) -> list[Block]:
    found = BLOCK.finditer(document.read_text(encoding="utf-8"))
    return [Block(m["marker"], m["language"], (m["name"] or "").strip(), m["text"]) for m in found]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_is_marked(document: Path) -> None:
    for block in blocks(document):
        assert block.marker is not None, block.text
        assert re.fullmatch(r"run|run (with|in) .+|run, printing .+|shown: .+|file", block.marker), block.marker


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_to_be_printed_is_quoted(document: Path) -> None:
    for block in blocks(document):
        _, _, printed = (block.marker or "").partition(", printing ")
        assert printed in block.text


def test_few_commands_are_only_shown() -> None:
    shown = [block for document in DOCUMENTS for block in blocks(document) if (block.marker or "").startswith("shown")]
    assert len(shown) <= MOST_SHOWN, [block.text for block in shown]


@pytest.fixture
def accounts() -> Iterator[Callable[[str], dict[str, str]]]:
    """Return a function that gives the environment of an emulated account, which lasts until another kind is wanted."""
    with ExitStack() as stack:
        running: dict[str, dict[str, str]] = {}

        def emulated(profile: str) -> dict[str, str]:
            if profile not in running:
                from convlens.deploy.rehearsal.clock import Clock
                from convlens.deploy.rehearsal.emulator import Emulator

                stack.close()  # one at a time
                running.clear()
                running[profile] = stack.enter_context(Emulator(profile, clock=Clock(step=600))).environment
            return running[profile]

        yield emulated


@pytest.mark.slow
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if any(b.marker for b in blocks(d))], ids=lambda d: d.name)
def test_documented_commands_work(document: Path, tmp_path: Path, accounts: Callable[[str], dict[str, str]]) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks(document):
        marker = block.marker or ""
        marker, _, profile = marker.partition(" in ") if marker.startswith("run in ") else (marker, "", "")
        if profile:
            environment |= accounts(profile)
        if marker == "file":
            (tmp_path / block.name).write_text(block.text, encoding="utf-8")
        elif marker.startswith("run"):
            marker, _, printed = marker.partition(", printing ")
            added = marker.removeprefix("run").removeprefix(" with ").strip()
            if block.language == "python":
                command = [sys.executable, "-c", block.text]
            else:
                lines = [line for line in block.text.strip().splitlines() if line and not line.startswith("#")]
                command = ["bash", "-euc", "\n".join(f"{line.split('  #')[0].rstrip()} {added}" for line in lines)]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=900
            )
            assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
            assert printed in done.stdout, f"{block.text}\n{done.stdout}"
