"""The whole rehearsal, for every kind of account."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.cli.main import app
from convlens.deploy.rehearsal import PROFILES, rehearse
from convlens.errors import ConfigurationError
from convlens.figures.life_cycle import Lifeline, Mark, Span, draw_life_cycle
from convlens.figures.style import LOOKS, Look, png

REFUSED = {
    "no-passrole": "iam:PassRole",
    "quota-0": "ml.t2.medium for endpoint usage",
    "unhealthy-model": "did not pass the ping health check",
}
"""Profiles without an endpoint, and what is said about it."""


def test_a_model_lives_its_life_and_a_page_tells_it(digits_file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    found = rehearse(digits_file, tmp_path, progress=said.append)
    assert [one.name for one in found.stages] == ["doctor", "deploy", "predict", "update", "destroy"]
    assert found.right, found.stages
    assert found.deployed
    assert found.exit_code == 0
    assert len(said) == 5
    assert [one.name for one in found.files] == ["rehearsal.html", "life-cycle.png", "life-cycle-dark.png"]
    page = found.files[0].read_text()
    assert "A rehearsal on one machine, not AWS" in page
    assert not re.findall(r"(?:src|href|srcset)=\"(?!data:)[^\"#]", page)  # nothing from elsewhere
    assert page.count("sagemaker:InvokeEndpoint") >= 6
    light, dark = (np.asarray(Image.open(one).convert("L")) for one in found.files[1:])
    assert light.mean() > 128 > dark.mean()
    json.dumps(found.to_dict())
    assert found.to_dict()["findings"] != []


@pytest.mark.slow
@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"open"}))
def test_every_account_is_foreseen_and_left_clean(profile: str, digits_file: Path, tmp_path: Path) -> None:
    found = rehearse(digits_file, tmp_path, profile)
    assert found.right, found.stages
    assert found.deployed is (profile not in REFUSED)
    if profile in REFUSED:
        assert REFUSED[profile] in found.stages[1].words
        made = {one.action for one in found.calls if one.status < 300}
        if profile == "no-passrole":
            assert "sagemaker:CreateModel" not in made
            assert found.stages[0].words.startswith("no-go")
    if profile == "learner-lab":
        assert not [one for one in found.calls if one.action == "iam:CreateRole"]
        assert "role/LabRole" in found.stages[1].words
    if profile == "scp-instance-type":
        assert "ml.m5" in found.stages[1].words


def test_the_command_line_says_what_came_of_it(
    digits_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "sagemaker",
        "rehearse",
        str(digits_file),
        "--out",
        str(tmp_path / "out"),
        "--profile",
        "no-passrole",
        "--json",
    ]
    assert app(command, standalone_mode=False) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["profile"] == "no-passrole"
    assert (found["right"], found["deployed"]) == (True, False)
    denied = [one for one in found["findings"] if one["answer"] == "denied"]
    assert [one["what"] for one in denied] == ["iam:PassRole"]


def test_an_unknown_profile_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'quota-0'"):
        rehearse(tmp_path / "no-model", tmp_path, "quota0")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.suffix or "wide")
def test_every_state_has_a_colour_and_a_place(look: Look) -> None:
    states = ("Creating", "InService", "Updating", "RollingBack", "InService", "Deleting")
    spans = tuple(Span(place, place + 1, state) for place, state in enumerate(states))
    lines = [Lifeline("a model", (Span(0, 6),)), Lifeline("an endpoint", spans)]
    with look.applied():
        figure = draw_life_cycle("a life", lines, [Mark(1.5, "3 answers")], look)
        assert png(figure) == png(draw_life_cycle("a life", lines, [Mark(1.5, "3 answers")], look))
    axes = figure.axes[0]
    bars = [(bar.get_x(), bar.get_width(), bar.get_facecolor(), bar.get_hatch()) for bar in axes.patches]
    assert [(left, width) for left, width, *_ in bars] == [(0, 6), *((place, 1) for place in range(6))]
    assert len({bar[2:] for bar in bars}) == 1 + len(set(states))
    assert "3 answers" in {one.get_text() for one in axes.texts}
