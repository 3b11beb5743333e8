"""The oldest versions that pyproject.toml allows, as requirements for pip: ``python tests/portability/oldest.py``.

They have wheels only for the oldest Python; on any other, nothing is printed and the exit code is 3.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
TESTING = ("hypothesis", "pytest", "pytest-xdist")  # what running tests needs of the extra "dev"
BOUND = re.compile(r"(?P<name>[\w.-]+)>=(?P<version>[\w.]+)")


def pins(project: str) -> list[str]:
    """Return a requirement ``name==version`` for each lower bound: of users' dependencies, and of what tests need.

    Raises
    ------
    ValueError
        If a dependency has no lower bound.
    """
    table = tomllib.loads(project)["project"]
    extras = table["optional-dependencies"]
    wanted = [*table["dependencies"], *extras["fast"], *extras["studies"]]
    wanted += [line for line in extras["dev"] if BOUND.match(line) and BOUND.match(line)["name"] in TESTING]
    return [_pin(line) for line in wanted]


def _pin(requirement: str) -> str:
    found = BOUND.match(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} has no lower bound: write name>=version")
    _, semicolon, marker = requirement.partition(";")
    return f"{found['name']}=={found['version']}{semicolon}{marker}"


def oldest_python(project: str) -> tuple[int, int]:
    """Return the oldest Python that the project allows."""
    major, minor = tomllib.loads(project)["project"]["requires-python"].removeprefix(">=").split(".")
    return int(major), int(minor)


def main() -> int:
    """Print the requirements, or say why not."""
    project = PROJECT.read_text(encoding="utf-8")
    if sys.version_info[:2] != oldest_python(project):
        version, oldest = (".".join(map(str, pair)) for pair in (sys.version_info[:2], oldest_python(project)))
        sys.stderr.write(f"skipped: the oldest versions have wheels for Python {oldest} alone, and this is {version}\n")
        return 3
    print("\n".join(pins(project)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
