"""The oldest versions to be checked are read from pyproject.toml."""

from __future__ import annotations

import pytest

from tests.portability.oldest import PROJECT, oldest_python, pins

TOY = """
[project]
requires-python = ">=3.11"
dependencies = ["numpy>=2.0", "typer>=0.20"]
[project.optional-dependencies]
fast = ["numba>=0.62,<1; sys_platform != 'darwin'"]
studies = ["scikit-learn>=1.5"]
dev = ["mypy>=1.18", "pytest>=8.4"]
"""


def test_each_lower_bound_is_a_pin() -> None:
    fast = "numba==0.62; sys_platform != 'darwin'"
    assert pins(TOY) == ["numpy==2.0", "typer==0.20", fast, "scikit-learn==1.5", "pytest==8.4"]
    assert oldest_python(TOY) == (3, 11)


def test_a_dependency_without_a_bound_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'numpy' has no lower bound"):
        pins(TOY.replace("numpy>=2.0", "numpy"))


def test_the_projects_own_bounds() -> None:
    project = PROJECT.read_text(encoding="utf-8")
    assert {pin.partition("==")[0] for pin in pins(project)} >= {"numpy", "numba", "llvmlite", "scipy", "pytest"}
