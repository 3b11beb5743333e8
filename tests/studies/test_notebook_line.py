"""Progress of trials in a notebook: one line, updated in place; nothing anywhere else."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from convlens import studies
from convlens.studies.notebook_line import notebook_line
from convlens.studies.pools.pool import LocalPool

from .examples import THREE, execute, make_study


class Handle:
    """IPython's handle of a display: keeps what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.displays = 0

    def display(self, data: dict[str, str], **_: Any) -> Handle:
        self.displays += 1
        self.update(data)
        return self

    def update(self, data: dict[str, str], **_: Any) -> None:
        self.shown.append(data["text/plain"])


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    handle, ipython, display = Handle(), ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    display.display = handle.display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return handle


def test_a_study_shows_one_line_that_is_updated(handle: Handle, tmp_path: Path) -> None:
    studies.run_study(make_study(), THREE, folder=tmp_path, pool=LocalPool(execute))
    assert handle.displays == 1
    assert "0 of 9 trials done; kernel-size/" in handle.shown[0]
    assert any(line.endswith(" left") for line in handle.shown)
    assert handle.shown[-1] == "9 of 9 trials done"


def test_a_display_of_ones_own_is_used_instead(handle: Handle, tmp_path: Path) -> None:
    events: list[Any] = []
    studies.run_study(make_study(), THREE, folder=tmp_path, pool=LocalPool(execute), progress=events.append)
    assert events
    assert not handle.displays


def test_elsewhere_nothing_is_shown() -> None:
    assert notebook_line() is None
