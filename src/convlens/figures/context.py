"""On what an arm was trained, in words: for captions, and to put beside one another only arms that compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..studies.results.result import ArmTrials
from ..studies.trial import NAMES
from ..studies.tuned import trainings


def data_of(arm: ArmTrials) -> str:
    """Return data and number of training images: ``mnist, 18,000 training images``; of a table, its name."""
    return _joined(_data(one) for one in _parts(arm.arm.configuration))


def setting(arms: Sequence[ArmTrials]) -> str:
    """Return data and recipes of arms as sentences; several values where arms differ."""
    parts = [part for arm in arms for part in _parts(arm.arm.configuration)]
    found = {"Data": _joined(map(_data, parts), "; "), "Recipe": _joined(map(_recipe, parts), "; ")}
    return " ".join(f"{name}: {text}." for name, text in found.items() if text)


def _parts(configuration: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the trainings that a configuration names, or else itself."""
    return list(trainings(configuration)) or [configuration]


def _data(part: Mapping[str, Any]) -> str:
    data, names = part.get("data"), _mapping(part.get(NAMES))
    if isinstance(data, Mapping):
        images = data.get("train_images")
        shuffled = ", pixels shuffled" if data.get("permute") is not None else ""
        said = "all training images" if images is None else f"{images:,} training images"
        return f"{names.get('data', 'unrecorded')}{shuffled}, {said}"
    return str(_mapping(part.get("table")).get("name") or names.get("data") or names.get("table") or "")


def _recipe(part: Mapping[str, Any]) -> str:
    recipe, names = part.get("recipe"), _mapping(part.get(NAMES))
    if not isinstance(recipe, Mapping):
        return ""
    epochs = recipe.get("epochs")
    return f"“{names.get('recipe', 'unrecorded')}”, {epochs} epoch{'' if epochs == 1 else 's'}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _joined(texts: Any, between: str = " or ") -> str:
    return between.join(dict.fromkeys(text for text in texts if text))
