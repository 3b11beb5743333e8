"""Time to an accuracy: the same recipe by convlens and by PyTorch, with several seeds, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..train import Recipe
from ..wording import percent
from .coordinator import PeerLost, Worker
from .load import Watch
from .measure import explained
from .time_to_accuracy_process import RACERS

TARGET = 0.99  # test accuracy
SEEDS = (0, 1, 2)
LIMIT_SECONDS = 600.0  # for one training


def race(
    recipe: Recipe,
    threads: int,
    command: Sequence[str | Path],
    environment: dict[str, str],
    missing: dict[str, str],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Return, by contestant, one row per seed: seconds of training, and from process start to end, and accuracy.

    And ``others``: the share of the machine that other processes took meanwhile; None where it is unknown.
    """
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in RACERS}
    absent: dict[str, str] = {}
    for seed in SEEDS:
        for name in RACERS if seed % 2 == 0 else list(RACERS)[::-1]:
            if name in absent:
                continue
            say(f"time to {percent(TARGET, 1)}: {name}, seed {seed}")
            task = {"do": "race", "recipe": recipe.to_dict(), "seed": seed, "threads": threads}
            try:
                runs[name].append({"seed": seed, **_run((*command, name), environment, task)})
            except PeerLost as lost:
                absent[name] = explained(name, str(lost), missing)
    runs = {name: rows for name, rows in runs.items() if name not in absent}
    return {"target": TARGET, "recipe": recipe.to_dict(), "threads": threads, "runs": runs, "absent": absent}


def _run(command: Sequence[str | Path], environment: dict[str, str], task: dict[str, Any]) -> dict[str, Any]:
    begun, watch = time.perf_counter(), Watch(children=True)
    worker = Worker(command, environment)
    try:
        answer = worker.ask(task, LIMIT_SECONDS)
        worker.process.wait()
        return {**answer, "cold_seconds": time.perf_counter() - begun, "others": watch.others()}
    finally:
        worker.close()
