"""A Numba that the compiler does not know gives one clear line and the NumPy engine, never a traceback."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from convlens import engine
from convlens.engine.compiled import availability
from convlens.errors import ConfigurationError
from tests.faults.forks import environment

ROOT = Path(__file__).parents[2]

USES_THE_DEFAULT = """
import numpy as np
from convlens import models
model = models.build("baseline")
print(type(model.engine).__name__, *model.predict(np.zeros((1, 28, 28, 1), np.uint8)))
"""
ASKS_FOR_IT = """
from convlens import models
from convlens.errors import ConvlensError
try:
    models.build("baseline").use("numba").engine
except ConvlensError as error:
    print(error)
"""
# what a future Numba may do to the inner interface that convlens.fast.compiler uses
BROKEN = {
    "a module is gone": "import sys\nsys.modules['numba.core.compiler'] = None\n",
    "a function takes other arguments": "import numba.core.compiler as c\nc.compile_extra = lambda *, all_new: None\n",
    "a name is gone": "import numba.core.cpu as c\ndel c.CPUTargetOptions\n",
}


def run(code: str, cache: Path) -> tuple[str, list[str]]:
    """Return what a process with an empty cache prints, and the lines of its error stream."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(CONVLENS_CACHE=str(cache), CONVLENS_ENGINE=""),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.splitlines()


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_changed_inner_interface(tmp_path: Path, damage: str) -> None:
    pytest.importorskip("numba")
    out, lines = run(damage + USES_THE_DEFAULT, tmp_path)
    assert re.fullmatch(r"NumpyPlan \d", out)
    assert [line.split()[0] for line in lines] in (["Compiling", "the"], ["the"]), lines
    assert re.match(r"the engine 'numba' cannot start with Numba [\d.]+ \(\w+Error: .+\): pip install ", lines[-1])
    assert lines[-1].endswith("Using the NumPy engine instead, which is about half as fast.")


def test_asked_for_by_name_it_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    out, lines = run(BROKEN["a name is gone"] + ASKS_FOR_IT, tmp_path)
    assert out.startswith("the engine 'numba' cannot start with Numba ")
    assert out.endswith("or choose the engine 'numpy'")
    assert len(lines) <= 1, lines


@pytest.mark.parametrize(
    ("installed", "tested"),
    [
        ("0.61.2", False),
        ("0.62.0", True),
        ("0.68.1", True),
        ("0.68.0rc1", True),
        ("0.69.0", False),
        ("0.70.0dev0+12.gabc", False),
        ("1.0", False),
        ("strange", False),
    ],
)
def test_only_tested_versions_are_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], installed: str, *, tested: bool
) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(availability, "version", lambda _name: installed)
    assert engine.fastest.__wrapped__() == ("numba" if tested else "numpy")
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Compil")]
    assert len(said) == (not tested)
    if not tested:
        assert said[0].startswith(f"Numba {installed} is untested: pip install 'numba>=0.62,<0.69', or try it with ")


def test_without_numba(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(availability, "find_spec", lambda _name: None)
    assert engine.fastest.__wrapped__() == "numpy"
    assert capsys.readouterr().err.startswith("Numba is not installed: pip install ")
    assert "is not installed" in str(availability.cannot_start(ImportError("llvmlite")))


def test_the_range_is_that_of_the_project_and_of_the_lock() -> None:
    """Whoever raises the lock's Numba says here that the tests have run with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    fast = project["project"]["optional-dependencies"]["fast"]
    oldest = {tuple(map(int, found[1].split("."))) for line in fast if (found := re.match(r"numba>=([\d.]+)", line))}
    assert oldest == {availability.OLDEST}
    locked = re.findall(r"^numba==(\d+)\.(\d+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M)
    assert max((int(major), int(minor)) for major, minor in locked) == availability.NEWEST


def test_an_unknown_engine_is_an_error_in_any_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens import models

    monkeypatch.setenv("CONVLENS_ENGINE", "nunba")
    with pytest.raises(ConfigurationError, match="did you mean 'numba'"):
        _ = models.build("baseline").engine
