"""Augmentation in training: part of the recipe, and of what a resumed run repeats to the bit."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from convlens import nn
from convlens.data import Dataset
from convlens.errors import ConfigurationError, TrainingInterrupted
from convlens.models import CNN
from convlens.optim import Adam, OneCycle
from convlens.train import Recipe, fit, recipe
from convlens.train.augmentation import Augmentation
from tests.train.test_fit import StopAt

PLAIN = Recipe("test", Adam(), OneCycle(5e-3), epochs=2, batch_size=16)
MOVED = replace(PLAIN, augmentation=Augmentation(shift=1, rotation=5, elastic=5))


def model(toy: Dataset) -> nn.Model:
    return nn.Model(CNN(filters=(4, 6), hidden=12).layers(3), toy.input_shape, 3)


def test_a_resumed_run_sees_the_same_images(toy: Dataset, tmp_path: Path) -> None:
    whole = fit(model(toy), toy, MOVED)
    assert whole.model.flat.tobytes() != fit(model(toy), toy, PLAIN).model.flat.tobytes()
    path = tmp_path / "checkpoint"
    with pytest.raises(TrainingInterrupted):
        fit(model(toy), toy, MOVED, checkpoint=path, hooks=[StopAt(18)])
    with pytest.raises(ConfigurationError, match=r"recipe\.augmentation\."):
        fit(model(toy), toy, PLAIN, checkpoint=path, resume=True)
    resumed = fit(model(toy), toy, MOVED, checkpoint=path, resume=True)
    assert resumed.model.flat.tobytes() == whole.model.flat.tobytes()


def test_a_recipe_names_every_setting() -> None:
    # the keys of stored trials are sums of this data: a default that changes must change them
    assert set(recipe("good").to_dict()) == {field.name for field in fields(Recipe)}
    for one in (PLAIN, MOVED):
        assert Recipe.from_dict(one.to_dict()) == one
    assert MOVED.to_dict()["augmentation"]["rotation"] == 5
    with pytest.raises(ConfigurationError, match="did you mean 'shift'"):
        Recipe.from_dict({**PLAIN.to_dict(), "augmentation": {"shfit": 1}})
