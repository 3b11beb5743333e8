"""Progress: silent for short trainings, plain lines for long ones, a bar on a terminal and in a notebook."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from convlens.data import Dataset
from convlens.optim import SGD, Constant
from convlens.train import Hook, Recipe, Training, TrainingProgress, fit
from convlens.train import progress as progress_module
from tests.train.test_fit import small_cnn

RECIPE = Recipe("test", SGD(), Constant(0.05), epochs=3, batch_size=48)


class Clock:
    """A clock that moves by a number of seconds whenever it is read."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def perf_counter(self) -> float:
        self.now += self.step
        return self.now


def lines(toy: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: float) -> list[str]:
    monkeypatch.setattr(progress_module, "time", Clock(step))
    fit(small_cnn(toy), toy, RECIPE)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_a_short_training_is_silent(
    toy: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines(toy, monkeypatch, capsys, 0.01) == []


def test_a_longer_one_says_where_it_is_and_how_it_ended(
    toy: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = lines(toy, monkeypatch, capsys, 0.3)  # about 7 seconds in all
    assert found[0].startswith("epoch 2/3, step ")
    assert found[-1].startswith("epoch 3/3: train loss ")
    assert len(found) == 2
    found = lines(toy, monkeypatch, capsys, 2)  # about 50 seconds
    assert 4 <= len(found) <= 7


def test_it_is_turned_off(toy: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress_module, "time", Clock(100))
    fit(small_cnn(toy), toy, RECIPE, progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_has_a_bar_and_a_line_for_each_epoch(toy: Dataset) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, highlight=False)
    fit(small_cnn(toy), toy, RECIPE, progress=False, hooks=[TrainingProgress(console)])
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "images/s" in text
    for epoch in (1, 2, 3):
        assert text.count(f"epoch {epoch}/3: train loss") == 1
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor, hidden and shown again


@pytest.mark.parametrize("width", [24, 30, 40, 60, 80, 120])
def test_a_line_fits_the_terminal(toy: Dataset, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no room is left out: nothing is wrapped, and no number is cut, however long the times are."""
    monkeypatch.setattr(progress_module, "time", Clock(0.5))
    console = Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False)
    recipe = replace(RECIPE, epochs=100, batch_size=4)
    fit(small_cnn(toy), toy, recipe, progress=False, hooks=[TrainingProgress(console), StopAfter(150)])
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())  # type: ignore[attr-defined]
    assert "…" not in text
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    assert max(map(len, lines)) <= width
    assert (
        any(re.search(r"epoch 1/100: .*validation (loss .*accuracy )?[0-9.]+ %$", line) for line in lines) or width < 31
    )
    moving = [line for line in lines if "left" in line]
    assert all(re.search(r"[0-9.]+ (s|min [0-9]+ s) left", line) for line in moving)
    assert bool(moving) == (width >= 40)


class StopAfter(Hook):
    """Stops the training after a number of steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step_end(self, training: Training) -> None:
        if training.steps_taken == self.steps:
            training.stop()


class Handle:
    """IPython's handle of a display: keeps what is shown."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def display(self, shown: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        assert not self.shown
        self.shown.append(shown)
        return self

    def update(self, shown: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(shown)


def test_a_notebook_has_one_display_that_is_updated(
    toy: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handle, ipython, display = Handle(), ModuleType("IPython"), ModuleType("IPython.display")
    shell: Any = type("Shell", (), {"kernel": object()})()
    monkeypatch.setattr(ipython, "get_ipython", lambda: shell, raising=False)
    monkeypatch.setattr(display, "display", handle.display, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(progress_module, "REFRESH_SECONDS", 0.0)
    fit(small_cnn(toy), toy, RECIPE)
    assert capsys.readouterr() == ("", "")
    assert any("<progress " in one["text/html"] for one in handle.shown)
    last = handle.shown[-1]
    assert "<progress" not in last["text/html"]
    assert [line.partition(":")[0] for line in last["text/plain"].splitlines()] == [f"epoch {n}/3" for n in (1, 2, 3)]
    shell.kernel = None  # IPython in a terminal
    assert not progress_module.in_notebook()


def test_what_a_hook_prints_gets_to_where_output_goes(toy: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """Also while a bar is shown: Rich would take it to the bar's terminal."""

    class Prints(Hook):
        def on_step_end(self, training: object) -> None:
            print("mine")

    console = Console(file=io.StringIO(), force_terminal=True)
    fit(small_cnn(toy), toy, RECIPE, progress=False, hooks=[TrainingProgress(console), Prints()])
    assert capsys.readouterr().out.splitlines() == ["mine"] * 15
