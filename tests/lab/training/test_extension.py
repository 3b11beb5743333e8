"""Trainings that are trained on: to the bits of one run of that length, or refused in words, with nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convlens.errors import ConfigurationError
from convlens.lab.training.session import Session
from convlens.lab.training.sessions import Sessions
from convlens.nn import load
from convlens.train.loop import fit
from convlens.train.recipes import RECIPES

from .small import data, events, request, wait


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    found = Sessions(tmp_path / "trainings", most=1)
    yield found
    found.close()


def trained(sessions: Sessions, folder: Path, *, stop: dict[str, Any] | None = None, **recipe: Any) -> Session:
    """Return a training of the small network that has ended."""
    given = request(data(folder), recipe={"base": "plain", "epochs": 2, **recipe}, stop=stop or {})
    (session,) = sessions.create(given)
    wait(session, "finished", "stopped")
    return session


def in_one_run(session: Session, epochs: int) -> bytes:
    """Return the weights that `fit` gives in one run of a number of epochs."""
    given = session.configuration()
    dataset = given.dataset()
    model = given.model(dataset)
    fit(model, dataset, replace(given.recipe, epochs=epochs), test=False, progress=False, doubt=False)
    return model.flat.tobytes()


def test_a_training_that_is_extended_has_the_bits_of_one_run(sessions: Sessions, tmp_path: Path) -> None:
    session = trained(sessions, tmp_path, ema_decay=0.9)
    short = session.configuration()
    sessions.extend(session.name, 4)
    wait(session, "finished")
    assert load(session.model).flat.tobytes() == in_one_run(session, 4) != in_one_run(session, 2)
    assert [row["epoch"] for row in events(session, "epoch")] == [1, 2, 3, 4]
    begun = events(session, "start")[-1]
    assert begun["step"] == begun["steps"] // 2
    assert session.configuration() == replace(short, recipe=replace(short.recipe, epochs=4))
    found = session.summary()
    assert found["configuration"] == session.configuration().to_dict()
    assert found["group"] == session.configuration().group != short.group
    sessions.extend(session.name, 5)
    wait(session, "finished")
    assert load(session.model).flat.tobytes() == in_one_run(session, 5)


def test_one_that_was_stopped_in_an_epoch_can_be_extended(sessions: Sessions, tmp_path: Path) -> None:
    session = trained(sessions, tmp_path, stop={"steps": 7})
    sessions.extend(session.name, 3)
    wait(session, "finished")
    assert load(session.model).flat.tobytes() == in_one_run(session, 3)


@pytest.mark.parametrize(
    ("recipe", "epochs", "words"),
    [
        ({"schedule": "OneCycle"}, 4, "schedule OneCycle spreads .* Train it anew with 4 epochs"),
        ({"schedule": "StepDecay"}, 4, "schedule StepDecay spreads"),
        ({"schedule": {"rate": 1e-12}, "patience": 1, "epochs": 9}, 12, "its patience of 1 epoch ended this training"),
        ({}, 2, "this training has 2 epochs"),
        ({}, 1, "this training has 2 epochs"),
        ({}, "3", "epochs is a whole number above 0"),
        ({}, None, "epochs is a whole number above 0"),
    ],
)
def test_what_would_not_be_the_same_is_refused(
    sessions: Sessions, tmp_path: Path, recipe: dict[str, Any], epochs: Any, words: str
) -> None:
    session = trained(sessions, tmp_path, **recipe)
    before = session.journal.path.read_bytes(), session.configuration()
    with pytest.raises(ConfigurationError, match=words):
        sessions.extend(session.name, epochs)
    assert (session.journal.path.read_bytes(), session.configuration()) == before


def test_only_what_has_ended_is_extended(sessions: Sessions, tmp_path: Path) -> None:
    (session,) = sessions.create(request(data(tmp_path), paused=True))
    wait(session, "paused")
    with pytest.raises(ConfigurationError, match="paused cannot be extended"):
        sessions.extend(session.name, 4)


def test_one_that_reached_what_was_asked_for_does_not_stop_for_it_again(sessions: Sessions, tmp_path: Path) -> None:
    session = trained(sessions, tmp_path, stop={"accuracy": 0.01})
    assert session.state() == "stopped"
    sessions.extend(session.name, 4)
    wait(session, "finished")
    assert [row["epoch"] for row in events(session, "epoch")] == [1, 2, 3, 4]


def test_a_recipe_begins_like_another_while_its_rates_are_the_same() -> None:
    steps = 10
    decay = RECIPES["plain"].changed({"schedule": "StepDecay", "epochs": 2})  # its first milestone is at step 10
    longer = replace(decay, epochs=4)
    assert decay.begins_like(longer, 10, steps)
    assert not decay.begins_like(longer, 11, steps)
    assert not RECIPES["good"].begins_like(replace(RECIPES["good"], epochs=9), 2, steps)
