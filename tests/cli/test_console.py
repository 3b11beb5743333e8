"""Consoles that cannot show every character, and readers that go away."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys

import pytest

from convlens.cli import console


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
