"""Small models that are served, and a client of the application without a socket."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from convlens import models, nn
from convlens.predictor import Predictor
from convlens.serve import App, Settings
from convlens.serve.served import Models, Served

from ..loopback import stays_on_loopback as stays_on_loopback
from .client import Client


@pytest.fixture(scope="session")
def served() -> Models:
    digits = models.build("baseline", seed=0).use("numpy")
    colours = nn.Model([nn.Flatten(), nn.Dense(3)], (8, 8, 3), seed=0, class_names=["ant", "bee", "cat"]).use("numpy")
    return Models([Served("digits", Predictor(digits, prepare=True)), Served("colours", Predictor(colours))])


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def client(served: Models, log: io.StringIO, request: pytest.FixtureRequest) -> Iterator[Client]:
    """The application, ready; a test's settings come from its mark ``parametrize(..., indirect=True)``."""
    with Client(App(served, getattr(request, "param", Settings()), log)) as found:
        yield found.wait_until_ready()
