"""Consoles that cannot show every character, and readers that go away."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from typing import cast

import pytest

from convlens.cli import console
from convlens.cli.console import Screen
from convlens.cli.trials import running_line
from convlens.studies.runner import ProgressEvent
from convlens.studies.trial import PlannedTrial
from convlens.text_table import TextTable


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", "-0.12 - 3x3 yes inf \\u732b \\xe9"), ("cp1252", "-0.12 – 3×3 yes inf \\u732b é"),
     ("utf-8", "−0.12 – 3×3 ✓ ∞ 猫 é")],
)  # fmt: skip
def test_no_character_fails(monkeypatch: pytest.MonkeyPatch, encoding: str, expected: str) -> None:
    buffers = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", buffers[0])
    monkeypatch.setattr(sys, "stderr", buffers[1])
    console.show_everything()
    for stream in buffers:
        stream.write("−0.12 – 3×3 ✓ ∞ 猫 é")
        stream.flush()
        assert stream.buffer.getvalue().decode(encoding) == expected  # type: ignore[attr-defined]


def test_an_error_names_what_ascii_cannot_show() -> None:
    command = [sys.executable, "-m", "convlens", "summary", "猫−"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert found.returncode == 2
    assert found.stderr.startswith("convlens: unknown model '\\u732b-'")
    assert len(found.stderr.splitlines()) == 1


def test_a_reader_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert console.reader_has_gone(BrokenPipeError(errno.EPIPE, "gone"))
    invalid = OSError(errno.EINVAL, "invalid argument")
    assert not console.reader_has_gone(invalid)
    monkeypatch.setattr(console.os, "name", "nt")
    assert console.reader_has_gone(invalid)
    assert not console.reader_has_gone(OSError(errno.ENOSPC, "full"))


@pytest.mark.parametrize("encoding", ["cp437", "cp850", "cp932", "cp1251", "latin-1"])
def test_code_pages_of_windows_show_every_character_in_some_form(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="convlens-plain")
    console.show_everything()
    screen = Screen()
    screen.file = stream
    screen.print("−0.12 “a” ✓ ≥ 猫 é")
    screen.print(TextTable("a title", ("class", "n"), [("猫\udcff\x1b", "1,234")]))
    stream.flush()
    text = stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert "\x1b" not in text
    assert "0.12" in text
    assert "1,234" in text
    assert r"\xff\x1b" in text


def screen(width: int | None = None) -> tuple[Screen, io.StringIO]:
    found, text = Screen(), io.StringIO()
    found.file = text
    if width is not None:
        found.width = width
    return found, text


def test_names_are_neither_markup_nor_emoji_nor_obeyed() -> None:
    here, text = screen()
    name = "[/] [bold red]x :cat: https://a.b \x1b[31m\u202e"
    here.print(name)
    here.print(TextTable(name, (name, "n"), [(name, "1")]))
    assert text.getvalue().count(r"[/] [bold red]x :cat: https://a.b \x1b[31m\u202e") == 4
    assert "\x1b" not in text.getvalue()


def test_a_table_in_a_pipe_is_as_wide_as_it_likes_however_it_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    here, text = screen()
    here.print(TextTable("", ("class", "n"), [("a long name " * 4, "x" * 100)]), soft_wrap=False)
    assert len(text.getvalue().splitlines()) == 3
    narrow, text = screen(40)
    narrow.print(TextTable("", ("class", "n"), [("a long name " * 4, "7 " * 30)]), soft_wrap=False)
    assert max(map(len, text.getvalue().splitlines())) <= 40


def test_lines_break_between_words_and_a_path_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    here, text = screen(20)
    monkeypatch.setattr(Screen, "is_terminal", True)
    here.print("  猫猫猫猫猫猫 a line, /a/path/that/is/longer/than/that 12,345.67 %")
    assert text.getvalue().splitlines() == [
        "  猫猫猫猫猫猫 a", "    line,", "    /a/path/that/is/longer/than/that", "    12,345.67 %",
    ]  # fmt: skip


class _Planned:
    label = "[/]a study/an arm of a long name, seed 100"


def test_the_line_of_a_running_trial_fits() -> None:
    event = ProgressEvent("started", cast("PlannedTrial", _Planned()), 12, 18, seconds_left=3900)
    assert running_line(event, 100) == "trial 12/18: [/]a study/an arm of a long name, seed 100, 1 h 5 min left"
    assert running_line(event, 30) == "trial 12/18, 1 h 5 min left"
    assert running_line(event, 18) == "trial 12/18"
