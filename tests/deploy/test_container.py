"""The entry point of an image of one's own: serve until asked to stop, train, and errors in one line."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest

from convlens import data
from convlens.deploy.sagemaker import container
from convlens.nn import Model
from tests.deploy.requests_and_answers import NPY, npy


@contextmanager
def running(root: Path, verb: str) -> Iterator[subprocess.Popen[str]]:
    """Start the entry point as SageMaker does, at loopback and on a port that is free."""
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(root), "CONVLENS_HOST": "127.0.0.1"}
    environment["SAGEMAKER_BIND_TO_PORT"] = "0"
    command = [sys.executable, "-m", "convlens.deploy.sagemaker.container", verb]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            yield run
        finally:
            run.kill()


@pytest.mark.slow
def test_a_package_is_served_until_sigterm(unpacked: Path, digits: Model, tmp_path: Path) -> None:
    shutil.copytree(unpacked, tmp_path / "model")
    images = data.load("mnist").test.images[:3]
    with running(tmp_path, "serve") as run:
        assert run.stderr is not None
        host, port = next(json.loads(line)["address"] for line in run.stderr if "address" in line)[7:].split(":")
        deadline = time.monotonic() + 120
        while ask(host, port, "GET", "/ping")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        status, body = ask(host, port, "POST", "/invocations", npy(images))
        run.send_signal(signal.SIGTERM)
        run.stderr.read()
        assert run.wait(60) == 0
    found = [list(one["probabilities"].values()) for one in json.loads(body)["predictions"]]
    assert status == 200
    np.testing.assert_allclose(found, digits.predict_proba(images), atol=2e-6)


def ask(host: str, port: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = HTTPConnection(host, int(port), timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": NPY} if body else {})
    except ConnectionRefusedError:  # it has its address, and is not listening yet
        return 0, b""
    reply = connection.getresponse()
    found = reply.status, reply.read()
    connection.close()
    return found


def test_a_failed_training_ends_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "input" / "config").mkdir(parents=True)
    (tmp_path / "input" / "config" / "hyperparameters.json").write_text('{"epoch": "1"}')
    with running(tmp_path, "train") as run:
        _, error = run.communicate(timeout=120)
    assert run.returncode == 2
    assert error == f"convlens: {(tmp_path / 'output' / 'failure').read_text()}\n"


@pytest.mark.parametrize("arguments", [[], ["server"], ["serve", "train"]])
def test_other_words_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert container.main(arguments, {}) == 2
    error = capsys.readouterr().err
    assert error.startswith("convlens: expected the argument serve or train, not ")
    assert error.count("\n") == 1


def test_only_a_whole_package_is_served(unpacked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"SAGEMAKER_BASE_DIR": str(tmp_path)}
    assert container.main(["serve"], environment) == 2
    assert "lacks manifest.json" in capsys.readouterr().err
    shutil.copytree(unpacked, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"x")
    assert container.main(["serve"], environment) == 2
    assert "model.safetensors in " in capsys.readouterr().err


def test_the_dockerfile_starts_what_is_tested_here() -> None:
    """It cannot be built here: this is what can be known of it."""
    root = Path(__file__).parents[2]
    text = (root / "src" / "convlens" / "deploy" / "sagemaker" / "docker" / "Dockerfile").read_text()
    lines = dict(line.split(" ", 1) for line in text.splitlines() if line and line[0] not in "# ")
    assert json.loads(lines["ENTRYPOINT"]) == ["python", "-m", container.__name__]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    [extras] = re.findall(r'"\.\[(.*)\]"', lines["RUN"])
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    copied = [name for line in text.splitlines() if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert {"pyproject.toml", "src", project["readme"], *project["license-files"]} == set(copied)
    assert all((root / name).exists() for name in copied)
    assert "never built" in text
