"""Searches for recipes, on validation alone: `python benchmarks/search/search.py STAGE...`.

The test set is never read. A finished (recipe, seed) is stored at once and never runs again; an interrupted one
continues from its checkpoint. At the end the results of all stages are written, ranked by mean validation accuracy;
results of stages that this store does not have stay as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from candidates import STAGES

from convlens.errors import TrainingInterrupted
from convlens.studies.executors.training import configuration
from convlens.studies.executors.training_configuration import TrainingConfiguration
from convlens.studies.pools.pool import LocalPool, Pool
from convlens.studies.pools.processes import ProcessPool
from convlens.studies.runner import ProgressEvent, run_trials
from convlens.studies.statistics.stats import mean_interval
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import PlannedTrial, TrialOutcome
from convlens.train import Recipe, fit
from convlens.version import NUMERICS_VERSION

RESULTS = Path(__file__).parent / "results"


def recipes(name: str, store: TrialStore) -> Mapping[str, Recipe]:
    """Return a stage's recipes by name: its own, or the best of the stage before it, as far as those have run."""
    stage = STAGES[name]
    if not stage.after:
        return stage.recipes
    before = recipes(stage.after, store)
    return {row["name"]: before[row["name"]] for row in results(stage.after, store)[: stage.keep]}


def planned(name: str, store: TrialStore) -> list[PlannedTrial]:
    """Return a stage's trials, with seeds as the outer loop."""
    stage = STAGES[name]
    base = {**configuration(stage.model), "kind": "training without a test"}
    return [
        PlannedTrial(
            study=f"search-{name}",
            arm=f"recipe-{number}",
            seed=seed,
            configuration=described(base, recipe),
            numerics_version=NUMERICS_VERSION,
            cost=recipe.epochs,
            metrics=("validation.accuracy", "validation.loss"),
        )
        for seed in stage.seeds
        for number, recipe in enumerate(recipes(name, store).values())
    ]


def described(base: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Return the configuration of a trial with another recipe."""
    settings = recipe.to_dict()
    return {**base, "names": {**base["names"], "recipe": settings.pop("name")}, "recipe": settings}


class Searcher:
    """Runs a trial without its test set, on some threads (all if None); starts none after a deadline."""

    def __init__(self, folder: Path, seconds: float, threads: int | None = None) -> None:
        self._folder, self._deadline, self._threads = folder, time.monotonic() + seconds, threads

    def __call__(self, trial: PlannedTrial) -> TrialOutcome:
        if time.monotonic() > self._deadline:
            raise TrainingInterrupted("the time given is over; run the same command to go on")
        wanted = TrainingConfiguration.read(trial.configuration, trial.label)
        dataset = wanted.dataset(trial.seed)
        model = wanted.build(dataset, trial.seed).use(threads=self._threads)
        checkpoint = self._folder / f"{trial.key[:16]}.checkpoint"
        run = fit(
            model, dataset, wanted.recipe, seed=wanted.seeds.of("shuffle", trial.seed),
            checkpoint=checkpoint, resume=True,
            checkpoint_on_interrupt_only=True, test=False, progress=False,
        )  # fmt: skip
        model.engine.close()
        assert run.test_reads == 0, "a search must not read the test set"
        checkpoint.unlink(missing_ok=True)
        metrics = {
            "validation.accuracy": run.validation.accuracy,
            "validation.loss": run.validation.loss,
            "seconds.train": run.seconds["train"],
        }
        return TrialOutcome(metrics=metrics, history=run.history)


def show(event: ProgressEvent) -> None:
    if event.kind in ("started", "finished", "failed"):
        left = "" if event.seconds_left is None else f", {event.seconds_left:.0f} s left"
        print(f"{event.kind} {event.position}/{event.total}: {event.planned.label}{left}", file=sys.stderr, flush=True)


def results(name: str, store: TrialStore) -> list[dict[str, Any]]:
    """Return a stage's recipes, best first, each with its seeds' results."""
    rows = []
    trials = planned(name, store)
    for number, (title, recipe) in enumerate(recipes(name, store).items()):
        found = [store.get(trial.key) for trial in trials if trial.arm == f"recipe-{number}"]
        done = [trial for trial in found if trial is not None]
        if not done:
            continue
        accuracies = [trial.metrics["validation.accuracy"] for trial in done]
        rows.append(
            {
                "name": title,
                "validation.accuracy": mean_interval(accuracies).to_dict(),
                "accuracies": {trial.seed: trial.metrics["validation.accuracy"] for trial in done},
                "validation.loss": sum(trial.metrics["validation.loss"] for trial in done) / len(done),
                "seconds.train": sum(trial.metrics["seconds.train"] for trial in done) / len(done),
                "recipe": recipe.to_dict(),
            }
        )
    return sorted(rows, key=lambda row: -row["validation.accuracy"]["mean"])


def table(name: str, rows: list[dict[str, Any]]) -> str:
    lines = [
        f"## {name}: {STAGES[name].model}",
        "",
        "| recipe | validation accuracy, mean | each seed | loss | seconds |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        seeds = ", ".join(f"{100 * accuracy:.2f}" for accuracy in row["accuracies"].values())
        mean, loss, seconds = row["validation.accuracy"]["mean"], row["validation.loss"], row["seconds.train"]
        lines.append(f"| {row['name']} | {100 * mean:.2f} % | {seeds} | {loss:.4f} | {seconds:.0f} |")
    return "\n".join(lines)


def write(store: TrialStore, folder: Path) -> None:
    """Write the results of all stages, those of other stores as they were."""
    path = folder / "search.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    found = {name: rows for name in STAGES if (rows := results(name, store) or earlier.get(name))}
    path.write_text(json.dumps(found, indent=1) + "\n")
    head = "# The search for recipes\n\nOn validation (6,000 images); the test set was not read. Best mean first.\n"
    text = "\n\n".join([head.strip(), *(table(name, rows) for name, rows in found.items())])
    (folder / "search.md").write_text(text + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", choices=STAGES, nargs="+", metavar="STAGE", help=", ".join(STAGES))
    parser.add_argument("--store", type=Path, default=Path("out/search/trials.sqlite"), help="where trials are kept")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the tables")
    parser.add_argument("--processes", type=int, default=1, help="trainings at a time, each on one thread")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="start no trial after this number of seconds"
    )
    given = parser.parse_args()
    given.store.parent.mkdir(parents=True, exist_ok=True)
    given.results.mkdir(parents=True, exist_ok=True)
    alone = given.processes == 1
    search = Searcher(given.store.parent, given.seconds, None if alone else 1)
    with TrialStore(given.store) as store:
        try:
            for name in given.stages:
                pool: Pool = LocalPool(search) if alone else ProcessPool(search, given.processes)
                run_trials(planned(name, store), store, pool, show)
        except TrainingInterrupted as error:
            sys.exit(str(error))
        finally:
            write(store, given.results)
        for name in given.stages:
            print(table(name, results(name, store)))


if __name__ == "__main__":
    main()
