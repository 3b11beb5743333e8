"""``convlens speedrun``."""

from __future__ import annotations

import json as json_module
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import wording
from ..errors import ConfigurationError, ConvlensError, TrainingInterrupted
from .options import EngineOption, JsonFlag, ThreadsOption, duration, notes, out, percent, print_json


@dataclass(frozen=True)
class SpeedrunSettings:
    """The options of ``convlens speedrun``."""

    seeds: int = 5
    target: float = 99.0
    engine: str | None = None
    threads: int | None = None
    json: bool = False
    model: str = "cnn"
    data: str = "mnist"
    recipe: str = "speedrun"

    def __post_init__(self) -> None:
        if not 1 <= self.seeds <= 1000:
            raise ConfigurationError(f"--seeds is a whole number from 1 to 1000, not {self.seeds}")
        if not 0 < self.target <= 100:
            raise ConfigurationError(f"--target is a test accuracy in per cent, above 0 to 100, not {self.target:g}")


def speedrun(
    seeds: Annotated[int, typer.Option("--seeds", help="Number of trainings, with seeds from 0.")] = 5,
    target: Annotated[float, typer.Option("--target", help="Test accuracy to reach, in per cent.")] = 99.0,
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    json: JsonFlag = False,
) -> None:
    """Train the CNN to 99.0 % in the shortest time, with several seeds.

    Each training is a separate process, `convlens train cnn --recipe speedrun`. The time of the whole process is
    reported too, including imports, data and evaluation.

    Example: [bold]convlens speedrun --seeds 5 --target 99.0[/bold]
    """
    run(SpeedrunSettings(seeds, target, engine, threads, json))


def run(settings: SpeedrunSettings) -> None:
    """Train with every seed, and report."""
    from .. import models

    # also compiles the engine on first use, so that no training's time includes it
    engine = models.build("cnn").use(settings.engine, settings.threads).engine
    engine.close()
    notes.print(f"{settings.seeds} trainings with recipe {settings.recipe}, engine {engine.name}")
    records: list[dict[str, Any]] = []
    began = time.perf_counter()
    try:
        for seed in range(settings.seeds):
            records.append(one(settings, seed))
            left = (time.perf_counter() - began) / len(records) * (settings.seeds - len(records))
            notes.print(f"seed {seed}: {_line(records[-1])}" + (f"; {duration(left)} left" if left else ""))
    except KeyboardInterrupt:
        raise TrainingInterrupted(
            f"stopped after {len(records)} of {settings.seeds} trainings; nothing is kept: repeat the command"
        ) from None
    found = {"engine": engine.name, **summarise(records, settings.target)}
    if settings.json:
        print_json(found)
    else:
        report(found)


def one(settings: SpeedrunSettings, seed: int) -> dict[str, Any]:
    """Train once in a new process; return seed, test accuracy, and seconds of training and of the whole process.

    Raises
    ------
    ConvlensError
        If the training failed; its own last line says why.
    """
    with tempfile.TemporaryDirectory(prefix="convlens-speedrun-") as folder:
        result = Path(folder) / "run.json"
        command = [sys.executable, "-m", "convlens", "train", settings.model, "--data", settings.data]
        command += ["--recipe", settings.recipe, "--seed", str(seed)]
        command += ["--json", str(result)]
        if settings.engine is not None:
            command += ["--engine", settings.engine]
        if settings.threads is not None:
            command += ["--threads", str(settings.threads)]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        seconds = time.perf_counter() - start
        if done.returncode == TrainingInterrupted.exit_code:
            raise KeyboardInterrupt
        if done.returncode != 0:
            why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1].removeprefix("convlens: ")
            raise ConvlensError(f"the training with seed {seed} ended with exit code {done.returncode}: {why}")
        written = json_module.loads(result.read_text(encoding="utf-8"))
    return {
        "seed": seed,
        "test.accuracy": written["test"]["accuracy"],
        "seconds.train": written["seconds"]["train"],
        "seconds.cold_start": seconds,
        **{name: written[name] for name in ("threads", "images_per_second", "versions", "hardware")},
        "recipe": written["configuration"]["recipe"],
    }


def summarise(records: list[dict[str, Any]], target: float) -> dict[str, Any]:
    """Summarise the trainings as plain JSON: means with 95 % intervals over seeds, and how many reached the target."""
    from ..studies.statistics.stats import mean_interval

    shared = {name: records[0][name] for name in ("threads", "recipe", "versions", "hardware")}
    reached = sum(record["test.accuracy"] * 100 >= target - 1e-9 for record in records)
    measured = ("test.accuracy", "seconds.train", "seconds.cold_start")
    return {
        "target": target,
        "reached": reached,
        "share": reached / len(records),
        **{name: mean_interval([record[name] for record in records]).to_dict() for name in measured},
        "seeds": [{name: value for name, value in record.items() if name not in shared} for record in records],
        **shared,
    }


def report(found: dict[str, Any]) -> None:
    """Print the summary."""
    seeds, recipe = len(found["seeds"]), found["recipe"]
    epochs, trained = wording.count(recipe["epochs"], "epoch"), wording.seeds(seeds)
    out.print(
        f"recipe {recipe['name']}: {epochs}, batch {recipe['batch_size']}; engine {found['engine']}, "
        f"{found['threads']} threads; mean over {trained} [95 % interval], and range"
    )
    for title, name, show in (
        ("training", "seconds.train", _seconds),
        ("from cold start", "seconds.cold_start", _seconds),
        ("test accuracy", "test.accuracy", percent),
    ):
        values = [record[name] for record in found["seeds"]]
        mean, low, high = (found[name][part] for part in ("mean", "low", "high"))
        interval = "one seed has no interval" if low is None else f"{show(low)} to {show(high)}"
        out.print(f"{title:16} {show(mean)} [{interval}], {show(min(values))} to {show(max(values))}")
    out.print(f"{found['reached']} of {trained} reached {found['target']:g} % ({percent(found['share'])})")


def _line(record: dict[str, Any]) -> str:
    return (
        f"{_seconds(record['seconds.train'])} of training, {_seconds(record['seconds.cold_start'])} from cold start, "
        f"{percent(record['test.accuracy'])}"
    )


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if math.isfinite(value) else "?"
