"""The catalogue of studies: one file each, and a file that is here is in it.

A file has a ``NAME``, a function ``study()`` that returns the frozen description, and ``PROFILES``: how large it can be
run.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import ConfigurationError, nearest
from ..spec import Profile, Study


@dataclass(frozen=True)
class StudyEntry:
    """A study of the catalogue."""

    name: str
    study: Callable[[], Study]
    profiles: Mapping[str, Profile]

    def profile(self, name: str) -> Profile:
        """Return a profile by name; ConfigurationError names the nearest right one."""
        if name not in self.profiles:
            raise ConfigurationError(f"the study {self.name!r} has no profile {name!r}{nearest(name, self.profiles)}")
        return self.profiles[name]


def entries(broken: dict[str, str] | None = None) -> dict[str, StudyEntry]:
    """Return the catalogue by name of the study.

    Parameters
    ----------
    broken
        Filled with the files that cannot be used, each with the reason, and they are left out; where None, the
        first of them is an error.

    Raises
    ------
    ConfigurationError
        If a file of the catalogue cannot be imported or lacks what it needs, or two have one name.
    """
    found: dict[str, StudyEntry] = {}
    for module in pkgutil.iter_modules(__path__):
        try:
            one = _entry(module.name)
        except Exception as error:  # whatever the file does: the other studies are as good as before
            problem = _unusable(module.name, error)
            if broken is None:
                raise problem from error
            broken[f"catalog/{module.name}.py"] = str(problem)
            continue
        if one.name in found:
            raise ConfigurationError(
                f"two files of the catalogue are called {one.name!r}; give each study its own NAME"
            )
        found[one.name] = one
    return dict(sorted(found.items()))


def _unusable(module_name: str, error: Exception) -> ConfigurationError:
    if isinstance(error, ConfigurationError):
        return error
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ConfigurationError(f"catalog/{module_name}.py cannot be imported: {reason}")


def entry(name: str) -> StudyEntry:
    """Return a study of the catalogue by name; ConfigurationError names the nearest right one."""
    broken: dict[str, str] = {}
    known = entries(broken)
    if name not in known:
        why = f"; {'; '.join(broken.values())}" if broken else ""
        raise ConfigurationError(f"no study is called {name!r}{nearest(name, known)}{why}")
    return known[name]


def _entry(module_name: str) -> StudyEntry:
    module = importlib.import_module(f"{__name__}.{module_name}")
    lacking = [name for name in ("NAME", "study", "PROFILES") if not hasattr(module, name)]
    if lacking:
        raise ConfigurationError(f"catalog/{module_name}.py lacks {', '.join(lacking)}; see “A new study”")
    return StudyEntry(module.NAME, module.study, module.PROFILES)
