"""Compiled code on disk: found again, shared by processes, never believed when damaged, never needed."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.forks import environment

pytest.importorskip("numba")

# a small part of the engine, used: it says what came of it
PART = """
from convlens.fast import update
import numpy as np
p, g = np.ones(20, np.float32), np.full(20, 2, np.float32)
mean, none = np.zeros(20, np.float32), np.zeros(0, np.float32)
ranges = np.array([0, 20], np.int32)
update.sgd(p, g, none, none, ranges, np.array([0.25, 0, 0], np.float32))()
update.average(mean, p, ranges, np.array([2 / 3], np.float32))()
print(p.sum(), round(float(mean.sum()), 3))
"""
WITHOUT_NUMBA = "import sys\nassert not {'numba', 'scipy'} & set(sys.modules)\n"
SAYS = "10.0 6.667"
WHOLE = """
import hashlib
import numpy as np
from convlens import models
model = models.build("cnn", seed=0).use("numba", 2)
images = np.random.default_rng(0).integers(0, 256, (48, 28, 28, 1), dtype=np.uint8)
gradient = np.zeros_like(model.flat)
model.engine.gradient(model.preprocessing(images), np.arange(48) % 10, gradient)
print(hashlib.sha256(gradient.tobytes()).hexdigest(), model.logits(images[:4]).tobytes().hex())
"""


def start(code: str, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment(CONVLENS_CACHE=str(cache)), **pipes)


def run(code: str, cache: Path) -> tuple[str, str]:
    """Return what it says, and its remarks."""
    process = start(code, cache)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip(), err


def test_compiled_once_and_found_again(tmp_path: Path) -> None:
    out, err = run(PART, tmp_path)
    assert out == SAYS
    assert [line.split()[0] for line in err.splitlines()] == ["Compiling", "Compiled"]
    assert run(PART + WITHOUT_NUMBA, tmp_path) == (SAYS, "")


def halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


def one_bit_flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGE = {
    "half the code": halved,
    "an empty file": lambda _: b"",
    "a bit of the code": one_bit_flipped,
    "another file": lambda _: b"#!/bin/sh\n",
}
slow = pytest.mark.slow


@pytest.mark.parametrize(
    "damage",
    [pytest.param(case, marks=slow if number else (), id=name) for number, (name, case) in enumerate(DAMAGE.items())],
)
def test_damage_is_compiled_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    run(PART, tmp_path)
    files = sorted(tmp_path.rglob("*.o"))
    assert len(files) > 3
    for path in files:
        path.write_bytes(damage(path.read_bytes()))
    out, err = run(PART, tmp_path)
    assert out == SAYS
    assert [line.split()[0] for line in err.splitlines()] == ["Compiled", "Compiling", "Compiled"], err
    assert "is damaged" in err
    assert run(PART, tmp_path) == (SAYS, "")


def test_only_what_has_gone_is_compiled_again(tmp_path: Path) -> None:
    run(PART, tmp_path)
    (gone,) = tmp_path.rglob("convlens.fast.update.sgd-*.o")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.o")}
    gone.unlink()
    out, err = run(PART, tmp_path)
    assert (out, "damaged" in err) == (SAYS, False)
    assert [path for path, time in before.items() if path.stat().st_mtime_ns != time] == [gone]
    assert run(PART, tmp_path) == (SAYS, "")


@pytest.mark.slow
def test_no_place_for_compiled_code(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for _ in range(2):
        out, err = run(PART, tmp_path / "file")
        assert out == SAYS
        assert "in every process: no folder for compiled code is writable" in err


@pytest.mark.slow
def test_a_place_that_turns_out_not_to_be_one(tmp_path: Path) -> None:
    """As when something else has a file's name."""
    run(PART, tmp_path)
    for path in tmp_path.rglob("*.o"):
        path.unlink()
        path.mkdir()
    out, err = run(PART, tmp_path)
    assert out == SAYS
    assert sum("cannot be kept" in line for line in err.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_full_disk(tmp_path: Path) -> None:
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    out, err = run(f"{limit}resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n{PART}", tmp_path)
    assert out == SAYS
    assert sum("cannot be kept" in line for line in err.splitlines()) == 1
    out, err = run(PART, tmp_path)
    assert out == SAYS
    assert "damaged" not in err


@pytest.mark.slow
def test_processes_that_compile_at_the_same_time(tmp_path: Path) -> None:
    processes = [start(WHOLE, tmp_path) for _ in range(3)]
    ended = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ended
    assert all("Compiling" in err for _, err in ended)
    out, err = run(WHOLE, tmp_path)
    assert err == ""
    assert {said.strip() for said, _ in ended} == {out}
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("seconds", [0, 0.3, 1, 2])
def test_stopped_while_it_compiles(tmp_path: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "convlens", "train", "cnn", "--epochs", "100000", "--out", "m.safetensors"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(CONVLENS_CACHE=str(tmp_path / "cache")),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Compiling")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    (line,) = [line for line in err.splitlines() if line.startswith("convlens:")]
    assert line.startswith("convlens: stopped")
    assert "Traceback" not in err
    assert "Exception" not in err


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="tries an older processor of this kind")
def test_a_processor_with_fewer_registers_computes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = run(WHOLE, tmp_path)
    monkeypatch.setenv("NUMBA_CPU_NAME", "haswell")
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+sse4.2,+popcnt,+avx,+avx2,+fma,+bmi,+bmi2,+lzcnt,+movbe,+f16c")
    older, said = run(f"{WHOLE}\nfrom convlens.fast.product import STRIPS\nassert STRIPS == 1", tmp_path)
    assert "Compiling" in said
    assert older == out
