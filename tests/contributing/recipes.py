"""Follows a section of CONTRIBUTING.md: does what its diffs say, in a copy of the project, and nothing else.

A diff names its file in its first line, behind ``#``. Lines that begin with a space are there, ``-`` leave, ``+`` come;
a diff of ``+`` alone is a new file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIFF = re.compile(r"```diff\n# (?P<file>\S+)\n(?P<lines>.*?)```", re.S)


def section(title: str) -> str:
    """Return the text of a section of CONTRIBUTING.md."""
    _, _, text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert text, f"CONTRIBUTING.md has no section {title!r}"
    return text.partition("\n## ")[0]


def link(source: str, target: str) -> None:
    """Put a link in the place of a copy: an edit replaces it."""
    Path(target).symlink_to(source)


@dataclass(frozen=True)
class Copy:
    """A copy of the project's source."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> Copy:
        """Make one."""
        for folder in ("src", "benchmarks"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / folder, root / folder, copy_function=link, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", root)
        return cls(root)

    def follow(self, title: str) -> list[Path]:
        """Do what the diffs of a section say; return the files that changed."""
        changed = []
        for diff in DIFF.finditer(section(title)):
            path, lines = self.root / diff["file"], diff["lines"].splitlines()
            new = "\n".join(line[1:] for line in lines if line[:1] != "-")
            if path.exists():
                old = "\n".join(line[1:] for line in lines if line[:1] != "+")
                text = path.read_text(encoding="utf-8")
                assert text.count(old) == 1, f"{diff['file']} does not have, once: {old}"
                new = text.replace(old, new)
                path.unlink()
            else:
                assert all(line[:1] == "+" for line in lines), f"{diff['file']} does not exist"
                new += "\n"
            path.write_text(new, encoding="utf-8")
            changed.append(path)
        assert changed, f"section {title!r} shows no change"
        return changed

    def run(self, *command: str) -> str:
        """Run Python with the copy's package; return what it printed."""
        environment = {**os.environ, "PYTHONPATH": str(self.root / "src"), "COLUMNS": "200"}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        found = subprocess.run(
            [sys.executable, *command], cwd=self.root, env=environment, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        return found.stdout

    def convlens(self, *words: str) -> str:
        """Run the command line."""
        return self.run("-m", "convlens", *words)

    def check(self, files: list[Path]) -> None:
        """Check the style of the files, as `make lint` does."""
        ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
        if ruff is not None:
            for words in (["check"], ["format", "--check"]):
                found = subprocess.run(
                    [ruff, *words, "--no-cache", *map(str, files)], cwd=self.root, capture_output=True
                )
                assert found.returncode == 0, found.stdout.decode()
