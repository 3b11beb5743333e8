"""How and on what it was measured, read from the configurations and trials as run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import wording
from ..plain import canonical
from ..studies.assessment.evidence import Evidence
from ..studies.executors.training import TRAIN_SAMPLE
from ..studies.results.result import StudyResult, different_trials
from ..studies.statistics.looks import FEWEST_SEEDS
from .sections import Rows


def protocol(results: Sequence[StudyResult]) -> list[tuple[str, str]]:
    """Return the protocol as pairs of a heading and a paragraph."""
    found = [("Data and split", _split(results)), ("Test set", _test_reads(results))]
    found += [(f"Study “{result.name}”", _study(result.evidence)) for result in results]
    found.append(
        (
            "Accuracies",
            f"Train accuracy is that of the final weights on {TRAIN_SAMPLE:,} training images (or all, if fewer), as "
            "many as validation has; the gap is train minus validation. Learning curves show a running mean instead.",
        )
    )
    found.append(
        (
            "Statistics",
            "Intervals are 95 % t-intervals over seeds; differences are paired by seed, as one seed draws the "
            "same initial weights and order of images. They hold for these test images; the two-way interval, "
            "over seeds and images, holds for images in general. There is no verdict before all declared seeds of "
            f"a look are in, nor with fewer than {FEWEST_SEEDS}. A claim is supported if the whole interval lies "
            "inside it, refuted if it lies wholly outside, and otherwise inconclusive; a contrast is better, "
            "equivalent or worse, against its margin. The primary estimand is confirmatory: it is decided at 5 %, "
            "or at its look’s lower level where several looks were declared. All others are exploratory, and "
            "adjusted by Holm’s method over the study’s other contrasts; the interval by which each is decided is "
            "shown. p-values are one-sided t-tests against the margin. McNemar’s exact test compares two trained "
            "networks image by image, one seed at a time: it is secondary, and is about those two networks only.",
        )
    )
    return found


def provenance_table(results: Sequence[StudyResult], command: str, started: str, seconds: float) -> Rows:
    """Return versions, hardware, engine, command and time; several values where trials differ."""
    found: dict[str, dict[str, None]] = {}
    for result in results:
        for name, values in result.evidence.provenance.items():
            for value in values if name not in ("split", "diverged") else ():
                for place, text in _flat(name, value):
                    found.setdefault(place, {})[text] = None
    trials = different_trials(results)
    trained = sum(trial.metrics.get("seconds.train", 0.0) for trial in trials)
    rows = [
        ("command", command),
        ("profile", ", ".join(dict.fromkeys(result.evidence.profile.name for result in results))),
        ("started (UTC)", started),
        *([] if all(result.stored for result in results) else [("wall time of this run", wording.duration(seconds))]),
        ("trainings", f"{len(trials)}, {wording.duration(trained)} of training in all"),
        *((place, "; ".join(texts)) for place, texts in found.items()),
    ]
    return Rows("Provenance", ("what", "value"), rows)


def _split(results: Sequence[StudyResult]) -> str:
    splits: dict[str, Mapping[str, Any]] = {}
    for result in results:
        for split in result.evidence.provenance.get("split", ()):
            if isinstance(split, Mapping) and isinstance(split.get("counts"), Mapping):
                splits.setdefault(canonical(split["counts"]), split)
    data = ", ".join(dict.fromkeys(name for result in results for name in result.evidence.study.data))
    if not splits:
        return f"Data: {data}. No trial has recorded its split."
    described = [
        ", ".join(f"{count:,} {part}" for part, count in split["counts"].items()) + " images"
        + (f" (stratified, split with seed {split['seed']})" if split.get("stratified") else "")
        for split in splits.values()
    ]  # fmt: skip
    return f"Data: {data}; " + "; or ".join(described) + ". Choices are made on validation, never on the test set."


def _test_reads(results: Sequence[StudyResult]) -> str:
    finished = [trial.metrics for trial in different_trials(results) if not trial.metrics.get("diverged")]
    reads = [metrics["test.reads"] for metrics in finished if "test.reads" in metrics]
    if not reads:
        return "No trial has counted how often it read the test set."
    once = sum(count == 1 for count in reads)
    if once == len(reads):
        return (
            f"Read once per trial, at its end: the counter “test.reads” is 1 in all {len(reads)} trials that have it."
        )
    most = max(reads)
    return f"Read once in only {once} of {len(reads)} trials (up to {most:g} times): such test results are biased."


def _study(evidence: Evidence) -> str:
    arms = evidence.study.arms
    images = _different(arm.configuration.get("data", {}) for arm in arms)
    recipes = _different(_named_recipe(arm.configuration) for arm in arms)
    trained = [_images(data) for data in images if isinstance(data, Mapping)]
    text = (
        f"{wording.seeds(len(evidence.profile.seeds))} ({', '.join(map(str, evidence.profile.seeds))}), declared "
        f"beforehand. Trained on {' or '.join(dict.fromkeys(trained)) or 'an unrecorded number of images'}. "
    )
    text += " ".join(_recipe(recipe) for recipe in recipes if isinstance(recipe, Mapping) and recipe)
    controls = "; ".join(evidence.study.controls)
    return f"{text} Kept equal, or also measured: {controls}. Predicted beforehand: {evidence.study.prediction}"


def _named_recipe(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe of a configuration with its name; empty if there is none."""
    recipe, names = configuration.get("recipe"), configuration.get("names")
    if not isinstance(recipe, Mapping):
        return {}
    return {**recipe, "name": names.get("recipe", "unnamed") if isinstance(names, Mapping) else "unnamed"}


def _images(data: Mapping[str, Any]) -> str:
    wanted = data.get("train_images")
    return "all training images" if wanted is None else f"a stratified subset of {wanted:,} training images"


_WORDS = {
    "patience": "early stopping with patience {}",
    "label_smoothing": "labels smoothed by {}",
    "clip_norm": "gradients clipped at {}",
    "ema_decay": "weights averaged with {}",
}


def _recipe(recipe: Mapping[str, Any]) -> str:
    """Return a recipe in words: ``Recipe “good”: Adam (beta1 0.9, ...), OneCycle (rate 0.003, ...), 3 epochs``.

    Every setting is named that is not off (None or zero), also one that this function has no words for.
    """
    parts = [_part(recipe[part]) for part in ("optimizer", "schedule") if isinstance(recipe.get(part), Mapping)]
    epochs, batch = recipe.get("epochs"), recipe.get("batch_size")
    if epochs is not None:
        parts.append(f"{epochs} epoch{'' if epochs == 1 else 's'}")
    if batch is not None:
        parts.append(f"batches of {batch}")
    said = ("name", "optimizer", "schedule", "epochs", "batch_size")
    parts += [_setting(name, value) for name, value in recipe.items() if name not in said and value]
    return f"Recipe “{recipe.get('name', 'unnamed')}”: {', '.join(parts)}."


def _setting(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return _part({"name": name.replace("_", " "), **{key: one for key, one in value.items() if one}})
    return _WORDS.get(name, f"{name.replace('_', ' ')} {{}}").format(value)


def _part(part: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in part.items() if name != "name")
    return f"{part.get('name', '?')} ({settings})" if settings else str(part.get("name", "?"))


def _different(values: Iterable[Any]) -> list[Any]:
    return list({canonical(value): value for value in values}.values())


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(f"{name}, {key}", inner)]
    return [(name, str(value))]
