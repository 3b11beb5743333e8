"""The catalogue of studies: every module in this folder is one.

A module has a ``NAME``, a function ``study()`` that returns the frozen description, and ``PROFILES``, the sizes in
which it can be run.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import ConfigurationError, nearest
from ...plain import check_name
from ..spec import Profile, Study


@dataclass(frozen=True)
class StudyEntry:
    """A study of the catalogue."""

    name: str
    study: Callable[[], Study]
    profiles: Mapping[str, Profile]

    def profile(self, name: str) -> Profile:
        """Return a profile by name; ConfigurationError suggests the nearest known one."""
        if name not in self.profiles:
            raise ConfigurationError(f"the study {self.name!r} has no profile {name!r}{nearest(name, self.profiles)}")
        return self.profiles[name]


def entries(broken: dict[str, str] | None = None) -> dict[str, StudyEntry]:
    """Return the catalogue: study names to entries.

    Parameters
    ----------
    broken
        Filled with the files that cannot be used, each with the reason, and they are left out; where None, the
        first of them is an error.

    Raises
    ------
    ConfigurationError
        If a module cannot be imported or lacks one of the three, or two have the same name.
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
                f"two files of the catalogue have the name {one.name!r}; give each study its own NAME"
            )
        found[one.name] = one
    return dict(sorted(found.items()))


def _unusable(module_name: str, error: Exception) -> ConfigurationError:
    if isinstance(error, ConfigurationError):
        return error
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ConfigurationError(f"catalog/{module_name}.py cannot be imported: {reason}")


def entry(name: str) -> StudyEntry:
    """Return a study of the catalogue by name; ConfigurationError suggests the nearest known one."""
    broken: dict[str, str] = {}
    known = entries(broken)
    if name not in known:
        why = f"; {'; '.join(broken.values())}" if broken else ""
        raise ConfigurationError(f"no study is called {name!r}{nearest(name, known)}{why}")
    return known[name]


def _entry(module_name: str) -> StudyEntry:
    module, where = importlib.import_module(f"{__name__}.{module_name}"), f"catalog/{module_name}.py"
    lacking = [name for name in ("NAME", "study", "PROFILES") if not hasattr(module, name)]
    if lacking:
        raise ConfigurationError(f"{where} lacks {', '.join(lacking)}; see “A new study”")
    _check_folder_name(module.NAME, f"{where}: NAME")
    for name, profile in module.PROFILES.items():
        _check_folder_name(name, f"{where}: the name of a profile")
        if profile.name != name:
            raise ConfigurationError(f"{where}: the profile {name!r} calls itself {profile.name!r}; give it one name")

    def study() -> Study:
        described: Study = module.study()
        if described.name != module.NAME:
            raise ConfigurationError(
                f"{where}: NAME is {module.NAME!r}, and study() calls itself {described.name!r}; give it one name"
            )
        return described

    return StudyEntry(module.NAME, study, module.PROFILES)


def _check_folder_name(name: object, where: str) -> None:
    """Refuse what no folder can be called on every system: reports lie in ``<study>-<profile>``."""
    check_name(name, where)
    if not re.fullmatch(r"[^./\\:*?\"<>|][^/\\:*?\"<>|]*", str(name)):
        raise ConfigurationError(
            f"{where} becomes the name of a folder: it does not begin with a dot, and has none of "
            f'/ \\ : * ? " < > |; not {name!r}'
        )
