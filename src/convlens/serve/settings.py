"""What a server is told: addresses, limits and times, frozen and checked."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ConfigurationError
from ..plain import is_number
from .media import ANSWERS

MIB = 2**20

_VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "SAGEMAKER_BIND_TO_PORT": ("port", int),
    "SAGEMAKER_MAX_PAYLOAD_IN_MB": ("largest_body", lambda text: round(float(text) * MIB)),
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": ("default_accept", str),
    "SAGEMAKER_MODEL_SERVER_TIMEOUT": ("timeout", float),
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a server; times are in seconds, sizes in bytes.

    Attributes
    ----------
    host, port
        Where it listens; port 0 is any that is free.
    prepare
        As in `convlens.Predictor`: whether pictures are made like MNIST's digits; None: as recorded with the model.
    threads
        Of each model's engine. One suits small batches; None: all that the process may use.
    default_accept
        Media type of the answer if a request names none, or any.
    batch
        Most images that are predicted together.
    batch_wait
        How long a request waits for others while the engine is idle. While it is busy, requests gather anyway.
    queue
        Most requests that are read, wait or are predicted; others are refused with 503.
    held
        Most bytes of all bodies that are held at a time; a request beyond that is refused with 503.
    connections
        Most open connections; others are refused with 503.
    largest_body, largest_picture
        Of one request: bytes of its body, pixels of a picture in it. SageMaker's limit is 6 MiB.
    readers
        Threads that decode pictures and large bodies.
    timeout
        For an answer; a later one is refused with 503.
    patience
        For a client to send its head, and its body; a slower one is refused with 408. One that does not read for so
        long is cut off, and so is one that asks nothing.
    grace
        How long a server that was asked to stop still listens, no longer ready, so that clients hear of it.
    drain
        How long it then finishes what it has accepted. SageMaker ends a container after 30 seconds.
    log_requests
        Whether each request is a line of the log.

    Raises
    ------
    ConfigurationError
        If a value is of another type, or out of range.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    prepare: bool | None = None
    threads: int | None = 1
    default_accept: str = "application/json"
    batch: int = 32
    batch_wait: float = 0.0
    queue: int = 128
    held: int = 64 * MIB
    connections: int = 1024
    largest_body: int = 6 * MIB
    largest_picture: int = 2**24
    readers: int = 2
    timeout: float = 60.0
    patience: float = 30.0
    grace: float = 1.0
    drain: float = 25.0
    log_requests: bool = True

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == "int":
                least = 0 if field.name == "port" else 1
                self._require(field.name, type(value) is int and value >= least, f"a whole number from {least}")
            elif field.type == "float":
                self._require(field.name, is_number(value) and value >= 0, "a number of seconds, 0 or more")
            elif field.type == "str":
                self._require(field.name, isinstance(value, str) and value != "", "a text")
            elif field.type == "bool":
                self._require(field.name, isinstance(value, bool), "True or False")
        self._require("prepare", self.prepare in (True, False, None), "True, False or None")
        self._require("threads", self.threads is None or type(self.threads) is int, "a whole number, or None")
        self._require("port", self.port <= 65535, "at most 65535")
        self._require("timeout", self.timeout > 0, "above 0")
        self._require("patience", self.patience > 0, "above 0")
        self._require("default_accept", self.default_accept in ANSWERS, f"one of {', '.join(ANSWERS)}")
        self._require("held", self.held >= self.largest_body, f"at least largest_body, {self.largest_body:,}")

    def _require(self, name: str, good: bool, expected: str) -> None:  # noqa: FBT001 - read as a sentence
        if not good:
            raise ConfigurationError(f"a server's {name} is {expected}, not {getattr(self, name)!r}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **others: Any) -> Settings:
        """Return settings with what the variables of a SageMaker container say, and others as given by name.

        ``SAGEMAKER_BIND_TO_PORT``, ``SAGEMAKER_MAX_PAYLOAD_IN_MB``, ``SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT`` and
        ``SAGEMAKER_MODEL_SERVER_TIMEOUT`` (seconds); one that is absent or empty says nothing.

        Raises
        ------
        ConfigurationError
            If a variable's value is no number, or out of range; the message names the variable.
        """
        environment = os.environ if environment is None else environment
        found: dict[str, Any] = {}
        for variable, (name, kind) in _VARIABLES.items():
            if text := environment.get(variable, "").strip():
                try:
                    found[name] = kind(text)
                except (ValueError, OverflowError) as error:
                    raise ConfigurationError(f"{variable} is a number, not {text!r}") from error
        if "largest_body" in found:
            found["held"] = max(cls.held, 2 * found["largest_body"])
        try:
            return cls(**(found | others))
        except ConfigurationError as error:
            used = ", ".join(variable for variable, (name, _) in _VARIABLES.items() if name in found)
            raise ConfigurationError(f"{error} (from the environment: {used or 'nothing'})") from error
