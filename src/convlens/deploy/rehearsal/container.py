"""A model's container, as far as a machine without Docker has one: the archive unpacked, and the real server.

A model on AWS's scikit-learn image runs in script mode (`host`); a model on any other image runs convlens's own entry
point, ``python -m convlens.deploy.sagemaker.container serve``.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..sagemaker.archive import unpack
from ..sagemaker.container import HOST_VARIABLE, ROOT_VARIABLE
from .leash import GRACE

PREBUILT = "sagemaker-scikit-learn"  # the repository of AWS's image
PATIENCE = 120.0  # real seconds that a server may take until it answers /ping
_PING_SECONDS, _ANSWER_SECONDS = 2.0, 60.0  # as SageMaker's contract has it
_ENDING_SECONDS = 2 * GRACE  # the leash takes one at most
_HERE = Path(__file__).parent
_CUT = 64  # bytes that remain of a damaged file


@dataclass(frozen=True)
class Definition:
    """What a container is made of: image, the archive's bytes, and environment."""

    image: str
    archive: bytes
    environment: Mapping[str, str]
    damaged: bool = False


class Answer(NamedTuple):
    """A server's answer to an invocation."""

    status: int
    content_type: str
    body: bytes


class Container:
    """A model's server in a process of its own, on a free port of loopback; it ends with this process.

    Parameters
    ----------
    definition
        What it is made of.

    Raises
    ------
    ConvlensError
        If the archive is damaged or unsafe.
    """

    def __init__(self, definition: Definition) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="convlens-container-")
        root = Path(self._folder.name)
        self._log = root / "log"
        model, archive = root / "opt" / "ml" / "model", root / "model.tar.gz"
        try:
            archive.write_bytes(definition.archive)
            unpack(archive, model)
            if definition.damaged:
                _damage(model)
            self.port = _free_port()
            self._process = self._start(definition, model)
        except BaseException:
            self._folder.cleanup()
            raise

    def healthy(self) -> bool:
        """Wait until the server answers /ping with 200; return whether it did before it ended or time was up."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                return False
            if self._pings():
                return True
            time.sleep(0.02)
        return False

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send an invocation; OSError or HTTPException if the server does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("POST", "/invocations", body, dict(headers))
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers.get("Content-Type", "application/octet-stream"), reply.read())
        finally:
            connection.close()

    def log(self) -> list[str]:
        """Return the lines that it has written so far."""
        return self._log.read_text(errors="replace").splitlines() if self._log.exists() else []

    def stop(self) -> None:
        """End the server and remove its files. Its log is gone then."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_ENDING_SECONDS)
        finally:
            self._folder.cleanup()

    def _start(self, definition: Definition, model: Path) -> subprocess.Popen[bytes]:
        own = PREBUILT not in definition.image
        program = definition.environment.get("SAGEMAKER_PROGRAM", "inference.py")
        script = [sys.executable, "-I", str(_HERE / "host.py"), str(model), str(self.port), program]
        entry = [sys.executable, "-m", "convlens.deploy.sagemaker.container", "serve"]
        command = [sys.executable, "-I", "-S", str(_HERE / "leash.py"), *(entry if own else script)]
        environment = {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME", "LANG") if name in os.environ},
            **definition.environment,
            ROOT_VARIABLE: str(model.parent),
            HOST_VARIABLE: "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": str(self.port),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own server
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, cwd=model
            )

    def _pings(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PING_SECONDS)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _damage(model: Path) -> None:
    """Cut the weights short, as a copy that was interrupted."""
    for path in model.rglob("*"):
        if path.suffix in {".npz", ".safetensors"}:
            path.write_bytes(path.read_bytes()[:_CUT])


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
