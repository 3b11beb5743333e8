"""`convlens verify`: the recorded hashes hold here, on other processors of this kind, and differences are named."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from convlens import errors, verification
from convlens.nn.layers import LAYERS, Layer, Residual
from tests.engine.test_widths import WIDTHS
from tests.faults.forks import environment

pytest.importorskip("numba")


def test_every_layer_is_trained() -> None:
    def inside(layer: Layer) -> list[Layer]:
        return [layer, *(layer.layers if isinstance(layer, Residual) else ())]

    used = {type(one) for case in verification.CASES.values() for layer in case.layers() for one in inside(layer)}
    assert used == set(LAYERS.values())


def test_the_recorded_bits_hold_with_any_number_of_threads() -> None:
    report = verification.verify((1, 2, 3, 8))
    assert report.holds, str(report)
    promised = [(one.engine, one.threads) for one in report.outcomes if one.promised]
    assert promised == [("numba", 1), ("numba", 2), ("numba", 3), ("numba", 8)]
    assert {one.engine for one in report.outcomes if not one.promised} == {"numpy", "interpreter"}


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Return a file of hashes in which two arrays are others."""
    content = json.loads(verification.RECORDED.read_text())
    for name in content["engines"]:
        for what in ("trained conv1.w", "gradient of conv2.w"):
            content["engines"][name]["cnn"][what] = "0" * 64
    path = tmp_path / "other.json"
    path.write_text(json.dumps(content))
    return path


def test_a_difference_is_named(other: Path) -> None:
    report = verification.verify((1,), recorded=other)
    assert not report.holds
    assert {one.difference for one in report.outcomes} == {"cnn: gradient of conv2.w"}
    assert "DIFFERENT, first in cnn: gradient of conv2.w" in str(report)
    assert json.loads(json.dumps(report.to_dict()))["holds"] is False


def test_hashes_of_another_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"numerics": 3, "engines": {}}))
    with pytest.raises(errors.ConfigurationError, match=r"numerics version 3, .* --record"):
        verification.verify((1,), recorded=path)


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convlens", "verify", *arguments]
    return subprocess.run(command, env=environment(**settings), capture_output=True, text=True, check=False)


def test_the_command_says_what_was_compared() -> None:
    done = run("--threads", "2", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one["threads"] for one in json.loads(done.stdout)["outcomes"] if one["promised"]] == [2]
    wrong = run("--threads", "2,many")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "--threads takes" in wrong.stderr


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="tries an older processor of this kind")
def test_the_recorded_bits_hold_with_narrower_vectors_another_numpy_and_another_blas() -> None:
    name, features = WIDTHS[16]
    done = run(
        *("--threads", "1,3", "--json"),
        NUMBA_CPU_NAME=name,
        NUMBA_CPU_FEATURES=features,
        OPENBLAS_CORETYPE="Haswell",
        NPY_DISABLE_CPU_FEATURES="AVX512F AVX512CD AVX512_SKX AVX2 FMA3 X86_V3 X86_V4",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["vector_width"] == 8
