"""Decides whether the compiled engine can be the default here, before anything of it is imported.

The compiler (`convlens.fast.compiler`) uses Numba's internal interface, which may change with any version. So the
compiled engine is the default only with versions that the tests have run with; asked for by name, it tries any.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from ...errors import ConfigurationError

OLDEST, NEWEST = (0, 62), (0, 68)  # of Numba: the versions that the tests have run with, any patch of them
ADVICE = f"pip install 'numba>={OLDEST[0]}.{OLDEST[1]},<{NEWEST[0]}.{NEWEST[1] + 1}'"


def require_tested_numba() -> None:
    """Raise ConfigurationError if Numba is not installed, or in a version that the tests have not run with."""
    if find_spec("numba") is None:
        raise ConfigurationError(f"Numba is not installed: {ADVICE}")
    installed = _numba_version()
    numbers = re.match(r"(\d+)\.(\d+)", installed)
    if numbers is None or not OLDEST <= (int(numbers[1]), int(numbers[2])) <= NEWEST:
        raise ConfigurationError(f"Numba {installed} is untested: {ADVICE}, or try it with CONVLENS_ENGINE=numba")


def cannot_start(error: Exception) -> ConfigurationError:
    """Return the error for a Numba that cannot be imported, or does not compile what the engine needs."""
    if find_spec("numba") is None:
        return ConfigurationError(f"the engine 'numba' needs Numba, which is not installed: {ADVICE}")
    why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return ConfigurationError(
        f"the engine 'numba' cannot start with Numba {_numba_version()} ({why}): {ADVICE}, or choose the engine 'numpy'"
    )


def _numba_version() -> str:
    try:
        return version("numba")
    except PackageNotFoundError:
        return "of unknown version"
