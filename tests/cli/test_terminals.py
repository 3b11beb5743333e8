"""What the command line prints in real terminals of every width, in pipes, and where a terminal can do little."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from convlens.text_table import cells_of
from tests.cli.terminals import in_terminal

pytest.importorskip("termios")
ROOT = Path(__file__).parents[2]
PATHS = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
TABLES = [sys.executable, "-m", "tests.cli.every_table"]
WIDTHS = (40, 60, 80, 120, 250)
NUMBER = re.compile(r"(?<![\w-])\d[\d,]*\.?\d*(?![\w-])")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture(scope="module")
def screens(place: Path) -> dict[int, str]:
    """What is printed, by the width of the terminal."""
    text = in_terminal([*TABLES, *map(str, WIDTHS)], 80, place, PYTHONPATH=PATHS)
    assert "\x1b[" in text
    parts = plain(text).split("=== ")[1:]
    return {int(part.partition("\n")[0]): part.partition("\n")[2] for part in parts}


@pytest.fixture(scope="module")
def wide(screens: dict[int, str]) -> Counter[str]:
    """The numbers in a terminal that is wide enough for everything."""
    found = numbers(screens[WIDTHS[-1]])
    assert len(found) > 200
    return found


def numbers(text: str) -> Counter[str]:
    """Return the numbers in a text, without signs, and without a comma at their end."""
    unsigned = re.sub(r"(?<!\w)[−-](?=\d)", "", plain(text))
    return Counter(found.rstrip(",.") for found in NUMBER.findall(unsigned))


@pytest.mark.parametrize("columns", WIDTHS)
def test_every_table_fits_and_keeps_every_number(screens: dict[int, str], wide: Counter[str], columns: int) -> None:
    text = screens[columns]
    assert "Traceback" not in text
    assert r"[/]\x1b[31m" in " ".join(text.split())
    longest = max(text.splitlines(), key=cells_of)
    assert cells_of(longest) <= columns, longest
    assert wide - numbers(text) == Counter()


def test_a_terminal_that_can_do_nothing_gets_the_same_in_ascii(place: Path, wide: Counter[str]) -> None:
    text = in_terminal(TABLES, 50, place, PYTHONPATH=PATHS, TERM="dumb", PYTHONIOENCODING="ascii", LANG="C")
    assert text.isascii()
    assert "\x1b" not in text
    assert "Traceback" not in text
    assert "\\u" not in text
    assert max(map(len, text.splitlines())) <= 50 + len("yes supported") - len("✓ supported")
    assert wide - numbers(text) == Counter()
    assert "yes supported" in text


def test_in_a_pipe_no_line_is_broken_and_nothing_is_coloured(place: Path, wide: Counter[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    done = subprocess.run(TABLES, cwd=place, env={**environment, "PYTHONPATH": PATHS}, capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert "\x1b" not in done.stdout + done.stderr
    assert "…" not in done.stdout.replace("… incomplete", "")  # a mark, beside the word
    assert wide - numbers(done.stdout + done.stderr) == Counter()
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("columns", "words"), [(40, "train -h"), (40, "help train"), (80, "train --help")])
def test_help_names_every_option_whole(columns: int, words: str) -> None:
    text = plain(in_terminal([sys.executable, "-m", "convlens", *words.split()], columns, PYTHONPATH=PATHS))
    for option in ("--kernel-size", "--skip-broken", "--train-images", "--checkpoint", "-h", "--help"):
        assert option in text
    assert max(map(cells_of, text.splitlines())) <= columns


def test_narrow_help_cuts_no_sentence() -> None:
    text = plain(in_terminal([sys.executable, "-m", "convlens", "-h"], 40, PYTHONPATH=PATHS))
    assert "..." not in text.partition("Commands:")[2]
    assert "receptive field and stride of every layer." in " ".join(text.split())
    assert max(map(cells_of, text.splitlines())) <= 40


def test_an_error_breaks_between_words(place: Path) -> None:
    text = in_terminal([sys.executable, "-m", "convlens", "summary", "no[/]:cat:"], 30, place, PYTHONPATH=PATHS)
    assert " ".join(text.split()).startswith("convlens: unknown model 'no[/]:cat:'")
    assert max(map(cells_of, text.splitlines())) <= 30
    alone = in_terminal([sys.executable, "-m", "convlens", "study"], 40, place, PYTHONPATH=PATHS)
    assert "Usage: convlens study" in alone
    assert "missing command: list, run, show" in " ".join(alone.split())
