"""Accuracy of a model and a recipe on the test set, over seeds: `python benchmarks/accuracy.py cnn best`.

Every training reads the test set once, at its end. A finished seed is stored at once and never runs again, so the
same command continues where it stopped. Writes mean, 95 % interval and range as JSON, and prints them as a row of
docs/training.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens.errors import TrainingInterrupted
from convlens.studies.executors import ExecutionOptions, execute
from convlens.studies.executors.training import configuration
from convlens.studies.pools.pool import LocalPool, Pool
from convlens.studies.pools.processes import ProcessPool
from convlens.studies.runner import ProgressEvent, failures, run_trials, stored
from convlens.studies.statistics.stats import mean_interval
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import PlannedTrial, TrialOutcome
from convlens.train import recipe
from convlens.version import NUMERICS_VERSION

METRICS = ("test.accuracy", "validation.accuracy", "seconds.train", "images_per_second", "test.reads")


def planned(model: str, name: str, seeds: int) -> list[PlannedTrial]:
    wanted = configuration(model, recipe_name=name, epochs=recipe(name).epochs)
    return [
        PlannedTrial("accuracy", f"{model}-{name}", seed, wanted, NUMERICS_VERSION, metrics=METRICS)
        for seed in range(seeds)
    ]


@dataclass(frozen=True)
class Trainer:
    """Runs a trial; starts none after a deadline."""

    options: ExecutionOptions
    deadline: float

    def __call__(self, trial: PlannedTrial) -> TrialOutcome:
        if time.monotonic() > self.deadline:
            raise TrainingInterrupted("the time given is over; run the same command to go on")
        return execute(trial, self.options)


def show(event: ProgressEvent) -> None:
    if event.kind in ("started", "finished", "failed"):
        left = "" if event.seconds_left is None else f", {event.seconds_left:.0f} s left"
        print(f"{event.kind} {event.position}/{event.total}: {event.planned.label}{left}", file=sys.stderr, flush=True)


def summary(model: str, name: str, trials: list[Any]) -> dict[str, Any]:
    return {
        "model": model,
        "parameters": int(trials[0].metrics["parameters"]),
        "recipe": recipe(name).to_dict(),
        **{metric: mean_interval([trial.metrics[metric] for trial in trials]).to_dict() for metric in METRICS},
        "seeds": [{"seed": trial.seed, **trial.metrics} for trial in trials],
        "provenance": trials[0].provenance,
        "numerics_version": NUMERICS_VERSION,
    }


def row(found: dict[str, Any]) -> str:
    """Return the row of docs/training.md for the result."""
    interval, values = found["test.accuracy"], [100 * seed["test.accuracy"] for seed in found["seeds"]]
    bounds = [interval["low"], interval["high"]]  # None where the seeds show no spread
    between = ", ".join("–" if bound is None else f"{100 * bound:.2f}" for bound in bounds)
    return (
        f"| {found['model']}, {found['parameters']:,} parameters | `{found['recipe']['name']}`, "
        f"{found['recipe']['epochs']} epochs | {100 * interval['mean']:.2f} % [{between}] | "
        f"{min(values):.2f} to {max(values):.2f} | {len(values)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a model by name, such as cnn or baseline")
    parser.add_argument("recipe", help="a recipe by name, such as best or best-dense")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds, from 0; two or more")
    parser.add_argument("--store", type=Path, default=Path("out/accuracy/trials.sqlite"), help="where trials are kept")
    parser.add_argument("--out", type=Path, help="JSON; benchmarks/results/accuracy-MODEL-RECIPE.json if not given")
    parser.add_argument("--processes", type=int, default=1, help="trainings at a time")
    parser.add_argument("--threads", type=int, help="threads of each training; by default all")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="start no training after this number of seconds"
    )
    given = parser.parse_args()
    place = given.out or Path(__file__).parent / "results" / f"accuracy-{given.model}-{given.recipe}.json"
    trials = planned(given.model, given.recipe, given.seeds)
    alone = given.processes == 1
    options = ExecutionOptions(
        threads=given.threads,
        side_by_side=given.processes,
        checkpoints_folder=given.store.parent if alone else None,
    )
    given.store.parent.mkdir(parents=True, exist_ok=True)
    train = Trainer(options, time.monotonic() + given.seconds)
    pool: Pool = LocalPool(train) if alone else ProcessPool(train, given.processes)

    with TrialStore(given.store) as store:
        try:
            run_trials(trials, store, pool, show)
        except TrainingInterrupted as error:
            sys.exit(str(error))
        finally:
            done = stored(trials, store)
            for trial in done:
                print(f"seed {trial.seed}: {100 * trial.metrics['test.accuracy']:.2f} %")
        if failed := failures(trials, store):
            sys.exit("\n".join(f"{trial.label} failed: {error.message}" for trial, error in failed))
    found = summary(given.model, given.recipe, done)
    place.write_text(json.dumps(found, indent=1) + "\n")
    print(f"{row(found)}\n{found['seconds.train']['mean']:.0f} s of training per seed; written to {place}")


if __name__ == "__main__":
    main()
