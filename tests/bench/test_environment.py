"""The peers' environment: it reports what is missing, and why."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from convlens.bench import environment
from convlens.bench.measure import explained
from convlens.cli.main import app
from convlens.errors import ConfigurationError


def test_a_place_that_cannot_be_leaves_our_own_python_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "REQUIREMENTS", {"no_such_module": "no-such-module", "json": "json"})
    (tmp_path / "file").touch()
    found = environment.prepare(tmp_path / "file" / "folder", lambda _: None)
    assert found.python == Path(sys.executable)
    assert list(found.missing) == ["no_such_module"]
    assert "no environment could be made" in found.missing["no_such_module"]


def test_what_cannot_be_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "REQUIREMENTS", {"no_such_module": "/nowhere/no_such_module-1-py3-none-any.whl"})
    venv.create(tmp_path / "peers", with_pip=False, symlinks=True)  # it borrows pip from us
    said: list[str] = []
    found = environment.prepare(tmp_path / "peers", said.append)
    assert found.python == tmp_path / "peers" / "bin" / "python"
    assert "cannot be installed" in found.missing["no_such_module"]
    before, each = said
    assert before.startswith("installing /nowhere/no_such_module-1-py3-none-any.whl into")
    assert "GiB on disk" in before
    assert "the same command with --remove-environment" in before  # another folder than this one would be removed
    assert each == "installing /nowhere/no_such_module-1-py3-none-any.whl"
    seen = subprocess.run([found.python, "-c", "import numpy; print(numpy.__file__)"], capture_output=True, text=True)
    assert seen.stdout.strip().startswith(str(Path(sys.prefix))), seen.stderr


def test_an_absent_peer_says_why_its_library_is_not_there() -> None:
    assert explained("torch-nchw", "not installed", {"torch": "no space"}) == "not installed (no space)"
    assert explained("jax", "not installed", {"torch": "no space"}) == "not installed"
    lacking = "not installed: No module named 'onnx'"
    assert explained("openvino", lacking, {"onnx": "no space", "jax": "no wheel"}) == f"{lacking} (no space)"


def test_only_an_environment_of_the_benchmark_is_removed(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(ConfigurationError, match="holds no environment of convlens bench, so nothing is removed"):
        environment.remove(tmp_path / "photos")
    venv.create(tmp_path / "another", with_pip=False)
    with pytest.raises(ConfigurationError, match="nothing is removed"):
        environment.remove(tmp_path / "another")
    with pytest.raises(ConfigurationError, match="nothing is removed"):
        environment.remove(tmp_path / "nowhere")
    assert (tmp_path / "another" / "pyvenv.cfg").exists()


def test_the_environment_is_removed_with_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "REQUIREMENTS", {"json": "json"})
    venv.create(tmp_path / "peers", with_pip=False, symlinks=True)
    environment.prepare(tmp_path / "peers", lambda _: None)
    (tmp_path / "peers" / "large").write_bytes(bytes(3_000_000))
    done = CliRunner().invoke(app, ["bench", "--environment", str(tmp_path / "peers"), "--remove-environment"])
    assert done.exit_code == 0, done.output
    assert " 3 MB" in done.output
    assert not (tmp_path / "peers").exists()
