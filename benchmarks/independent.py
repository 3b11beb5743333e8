"""Check stored verdicts without convlens: its statistics again in a few lines, from the raw values of every seed.

    python benchmarks/independent.py [FILE.json ...] [--retrain]

By default the files that ship. Of each, the primary estimand's values are read, its mean and t-interval are computed
with NumPy and SciPy, and the verdict that follows is compared with the one that was drawn: word, bounds and mean, as
written. With --retrain the study's cheapest training is trained again as well, from its configuration, by convlens's
``fit`` but without its studies, and compared to the last bit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

STORED = Path(__file__).parents[1] / "src" / "convlens" / "studies" / "stored"
LEVELS = {(): 0.05, (5, 10): 0.0283, (5, 10, 20): 0.0198}  # of one look, and of several that together keep 0.05


def values(stored: dict[str, Any], arm: str, place: str, name: str) -> dict[int, Any]:
    """Return what an arm's trials measured, by seed: a metric, or a curve's values."""
    found = {one["seed"]: one[place][name] for one in stored["trials"] if one["arm"] == arm}
    return {seed: one["values"] if isinstance(one, dict) else one for seed, one in found.items()}


def differences(stored: dict[str, Any], asked: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Return an estimand's values, one a seed (or one a seed and fold), and what is declared of its metric.

    Those of its arm, minus those of its reference if it has one, over the seeds up to the look that both have reached.
    """
    metric = next(one for one in stored["study"]["metrics"] if one["name"] == asked["metric"])
    place, name = ("metrics", metric["name"]) if metric["folds"] is None else ("curves", metric["folds"])
    arms = [values(stored, arm, place, name) for arm in (asked["arm"], asked["reference"]) if arm is not None]
    seeds = [seed for seed in stored["profile"]["seeds"] if all(seed in arm for arm in arms)]
    looks = [look for look in stored["profile"]["looks"] if look <= len(seeds)]
    seeds = seeds[: looks[-1] if looks else None]
    table = [np.array([arm[seed] for seed in seeds], float) for arm in arms]
    return (table[0] if len(arms) == 1 else table[0] - table[1]), metric


def interval(found: np.ndarray, metric: dict[str, Any], level: float) -> tuple[float, float, float]:
    """Return mean and bounds by Student's t, the rounding of a metric of finite resolution added to the variance.

    Over folds of repeated cross-validation (seeds, folds) with the correction of Nadeau and Bengio (2003).
    """
    share = 0.0 if found.ndim == 1 else 1 / (found.shape[1] - 1)  # test rows for every training row
    variance = found.var(ddof=1) + (metric["resolution"] or 0.0) ** 2 / 12
    half = stats.t.ppf(1 - level / 2, found.size - 1) * np.sqrt((1 / found.size + share) * variance)
    return found.mean(), found.mean() - half, found.mean() + half


def word(low: float, high: float, region: dict[str, Any]) -> str:
    """Return the verdict on a claim that the value lies in a region."""
    least, most = region["low"], region["high"]
    least, most = -np.inf if least is None else least, np.inf if most is None else most
    if least < low and high < most:
        return "Supported"
    return "Refuted" if high < least or low > most else "Inconclusive"


def written(value: float, unit: str, *, signed: bool) -> str:
    """Return a number as the sentence of a verdict has it."""
    sign = "+" if signed else ""
    text = f"{100 * value:{sign}.2f}" if unit == "fraction" else f"{value:{sign}.4g}"
    return (text if float(text) else text.lstrip("+-")).replace("-", "−")


def check(stored: dict[str, Any]) -> list[str]:
    """Return what of the primary estimand's verdict comes out otherwise here."""
    asked, looks = stored["study"]["primary"], tuple(stored["profile"]["looks"])
    found, metric = differences(stored, asked)
    mean, low, high = interval(found, metric, LEVELS[looks])
    drawn = stored["drawn"][-1]["verdict"]
    signed, unit = asked["reference"] is not None, metric["unit"]
    low_text, high_text, mean_text = (written(one, unit, signed=signed) for one in (low, high, mean))
    expected = (f"{word(low, high, asked['region'])}: ", f" interval {low_text} to {high_text}", f"(mean {mean_text}")
    return [f"{one.strip()!r} is not in {drawn!r}" for one in expected if one not in drawn]


def cheapest_training(stored: dict[str, Any]) -> dict[str, Any] | None:
    """Return the arm whose training costs least; None if all arms measure something else."""
    trained = [one for one in stored["study"]["arms"] if one["configuration"]["kind"] == "training"]
    return min(trained, key=lambda one: one["cost"], default=None)


def retrained(configuration: dict[str, Any], seed: int) -> dict[str, float]:
    """Train what a configuration describes, and return some of its metrics."""
    from convlens import data, nn
    from convlens.nn.serialize import layers_from_data
    from convlens.train import Recipe, fit

    wanted, names = configuration["data"], configuration["names"]
    seeds = {purpose: seed if one == "trial" else one for purpose, one in configuration["seeds"].items()}
    found = data.load(names["data"], validation_fraction=wanted["validation_fraction"], seed=seeds["split"])
    found = found if wanted["train_images"] is None else found.subset(wanted["train_images"], seeds["subset"])
    found = found if wanted["permute"] is None else found.permuted(wanted["permute"])
    layers = layers_from_data(configuration["model"]["layers"])
    model = nn.Model(layers, found.input_shape, seeds["initialisation"], preprocessing=found.preprocessing)
    recipe = Recipe.from_dict({"name": names["recipe"], **configuration["recipe"]})
    run = fit(model, found, recipe, seed=seeds["shuffle"], progress=False)
    assert run.test is not None
    return {
        "test.accuracy": run.test.accuracy,
        "test.loss": run.test.loss,
        "validation.loss": run.validation.loss,
        "parameters": model.program.parameter_count,
    }


def check_training(stored: dict[str, Any]) -> list[str]:
    """Train the cheapest training again; return what differs in any bit."""
    arm = cheapest_training(stored)
    if arm is None:
        return []
    trial = next(one for one in stored["trials"] if one["arm"] == arm["name"])
    again = retrained(arm["configuration"], trial["seed"])
    name = f"{arm['name']}, seed {trial['seed']}"
    print(f"  trained again: {name}: {', '.join(f'{metric} {value!r}' for metric, value in again.items())}")
    kept = trial["metrics"]
    return [f"{name}: {one} was {kept[one]!r}, is {again[one]!r}" for one in again if kept[one] != again[one]]


def main(*arguments: str) -> None:
    """Check the files; end with what is not the same."""
    paths = [Path(one) for one in arguments if one != "--retrain"] or sorted(STORED.glob("*.json"))
    wrong = []
    for path in paths:
        stored = json.loads(path.read_text(encoding="utf-8"))
        problems = check(stored) + (check_training(stored) if "--retrain" in arguments else [])
        wrong += [f"{path.stem}: {one}" for one in problems]
        sentence = stored["drawn"][-1]["verdict"].partition(";")[0]
        print(f"{path.stem}: {'NOT the same' if problems else 'the same'}: {sentence}")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main(*sys.argv[1:])
