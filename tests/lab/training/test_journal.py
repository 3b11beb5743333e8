"""The journal of a training: appended to, read on from any place, repaired after a kill; and configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convlens.errors import ConfigurationError, ConvlensError
from convlens.lab.training.configuration import Configuration
from convlens.lab.training.events import news, read, written
from convlens.lab.training.journal import Journal
from convlens.lab.training.session import Session
from convlens.lab.training.sessions import Sessions
from convlens.train.recipes import RECIPES

from .small import LAYERS, data, request


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.read() == ([], 0, 0)
    journal.append({"kind": "a"})
    events, begin, place = journal.read()
    assert (events, begin) == ([{"kind": "a"}], 0)
    journal.append({"kind": "b"})
    assert journal.read(place)[0] == [{"kind": "b"}]
    assert journal.read(journal.read()[2]) == ([], journal.read()[2], journal.read()[2])


@pytest.mark.parametrize("place", [3, -1, 10**9])
def test_a_place_that_is_none_begins_anew(tmp_path: Path, place: int) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"kind": "a"})
    assert journal.read(place)[:2] == ([{"kind": "a"}], 0)


def test_half_a_line_is_never_read_and_is_repaired(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"kind": "a"})
    with journal.path.open("ab") as stream:
        stream.write(b'{"kind":"cut')
    assert journal.read()[0] == [{"kind": "a"}]
    journal.repair()
    journal.append({"kind": "b"})
    assert journal.read()[0] == [{"kind": "a"}, {"kind": "b"}]


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = {"0001-aaaa": 120, "0002-bbbb": 0}
    assert read(written(cursor)) == cursor
    assert read("") == {}
    assert read("nonsense,0001-aaaa:x,:7,a:99999999999999999999") == {}


def test_news_are_what_happened_since_and_what_is_gone(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    session = Session.create(tmp_path, configuration())
    session.tell("finished")
    found, cursor = news(sessions, {"0009-dead": 5})
    assert [event["kind"] for event in found["changes"][0]["events"]] == ["created", "state"]
    assert found["gone"] == ["0009-dead"]
    assert news(sessions, cursor)[0] == {"changes": [], "gone": []}
    sessions.close()


def configuration(**others: Any) -> Configuration:
    return Configuration.from_dict({"layers": LAYERS, "recipe": {"base": "good"}, "data": "mnist", **others})


def test_a_configuration_is_read_as_it_was_written() -> None:
    one = configuration(seed=3, share=0.5, stop={"accuracy": 0.98}, title="mine")
    assert Configuration.from_dict(one.to_dict()) == one
    assert one.recipe == RECIPES["good"]
    assert one.group == configuration(seed=4, share=0.5).group != configuration(seed=3).group


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sare": 0.5}, "did you mean 'share'"),
        ({"share": 0}, "share"),
        ({"share": True}, "share"),
        ({"data": 5}, "data"),
        ({"title": "a\nb"}, "title"),
        ({"seed": -1}, "seed"),
        ({"recipe": {"base": "god"}}, "did you mean 'good'"),
        ({"recipe": {"base": "good", "schedule": {"rate": -1}}}, "rate"),
        ({"recipe": 5}, "a recipe is"),
        ({"stop": {"steps": 1.5}}, "whole number of steps"),
        ({"stop": {"accuracy": 98}}, "accuracy"),
        ({"stop": {"minutes": "3"}}, "minutes"),
        ({"stop": {"step": 3}}, "did you mean 'steps'"),
        ({"layers": "Dense"}, "layers are a list"),
    ],
)
def test_a_wrong_configuration_is_refused_in_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConvlensError, match=words):
        configuration(**given)


def test_the_share_of_the_images_has_every_class(tmp_path: Path) -> None:
    path = data(tmp_path, images=300)
    whole = configuration(data=path).dataset()
    assert len(configuration(data=path, share=0.5).dataset().train) == round(0.5 * len(whole.train))
    assert len(configuration(data=path, share=1e-6).dataset().train) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seeds": []}, "seeds"),
        ({"seeds": [1, 1]}, "different"),
        ({"paused": 1}, "paused"),
        ({"data": "mnits"}, "did you mean 'mnist'"),
        ({"layers": [{"layer": "Flatten"}, {"layer": "Dense", "units": 4}]}, "layer 2: .*4 scores"),
    ],
)
def test_what_cannot_be_trained_makes_no_folder(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    sessions = Sessions(tmp_path / "trainings")
    with pytest.raises(ConvlensError, match=words):
        sessions.create({**request(data(tmp_path)), **given})
    assert sessions.all() == []
    sessions.close()


def test_a_second_lab_leaves_the_trainings_to_the_first(tmp_path: Path) -> None:
    first, second = Sessions(tmp_path / "trainings"), Sessions(tmp_path / "trainings")
    session = Session.create(tmp_path / "trainings", configuration())
    session.tell("finished")
    assert len(first.all()) == len(second.all()) == 1
    with pytest.raises(ConfigurationError, match="another lab has the trainings"):
        second.command(session.name, "resume")
    first.close()
    second.delete(session.name)
    assert second.all() == []
    second.close()
