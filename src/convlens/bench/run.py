"""The whole benchmark, cell by cell; each is saved as soon as it is measured."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from ..engine.lanes import thread_count
from ..errors import ConfigurationError
from ..files import make_folder, write_atomically
from ..train import Recipe
from ..train.provenance import hardware, versions
from ..wording import count, percent
from . import results
from .cells import MAIN, MEMORY, RACE, WORKS, Cell, cells, chosen
from .coordinator import PeerPool
from .environment import Environment, prepare
from .load import DISTURBED, others_now
from .measure import measure_memory, rounds_of, time_cell, visits
from .peers import work
from .time_to_accuracy import race

FILE = "speed.json"
PEER_PACKAGES = ("numpy", "numba", "scipy", "torch", "jax", "scikit-learn", "onnx", "onnxruntime", "openvino")


@dataclass(frozen=True)
class BenchSettings:
    """What to measure, and how.

    Attributes
    ----------
    only
        Names or patterns of what to measure; everything if empty.
    rounds, seconds
        How often each work of each peer is timed, and for how many seconds each time.
    threads
        Number of threads peers may use, except in the cell with one thread.
    recipe
        The recipe of the time to an accuracy.
    environment
        Folder of the peers' Python.
    folder
        Folder for the result.
    resume
        Keep the results in the folder, also of a finished measurement, and measure the rest; `rounds` may be larger
        than before. A measurement that was interrupted is continued in any case, if it is the same one.
    """

    only: tuple[str, ...]
    rounds: int
    seconds: float
    threads: int
    recipe: Recipe
    environment: Path
    folder: Path
    resume: bool = False

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ConfigurationError(f"a benchmark needs at least 1 round, not {self.rounds}")
        thread_count(self.threads)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that must be the same for all results in one file."""
        return {"rounds": self.rounds, "seconds": self.seconds, "threads": self.threads}


def run(settings: BenchSettings, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure what the settings name, save it in the folder, and return the result.

    Raises
    ------
    ConfigurationError
        If a name is unknown, or the result to be resumed was measured with other settings or on other hardware.
    OutputError
        If the folder cannot be written.
    """
    wanted, others = chosen(settings.only, settings.threads)
    make_folder(settings.folder)
    path = settings.folder / FILE
    result = _begun(path, settings) if settings.resume and path.exists() else _interrupted(path, settings, say)
    result["complete"], result["only"] = False, list(settings.only)
    place = prepare(settings.environment, say)
    _say_what_it_takes(len(wanted), others, settings.rounds, say)
    result["versions"] = {**versions(), **_versions(place.python)}
    with tempfile.TemporaryDirectory(prefix="convlens-bench-") as scratch:
        variables = _variables(scratch, settings.threads)
        with PeerPool((place.python, "-m", "convlens.bench.peer_process"), variables) as pool:
            for until, cell in product(visits(settings.rounds), wanted):
                before = result["cells"].get(cell.name)
                if rounds_of(before) < until:
                    begun = time.perf_counter()
                    found = time_cell(
                        _as_begun(cell, before), pool, until, settings.seconds, place.missing, say, before
                    )
                    _add_cell(result, found, time.perf_counter() - begun)
                    _keep(path, result)
        for name in others:
            if name not in result or (name == RACE and Recipe.from_dict(result[name]["recipe"]) != settings.recipe):
                begun = time.perf_counter()
                result[name] = _other(name, settings, place, variables, say)
                result["seconds"][name] = round(time.perf_counter() - begun, 1)
                _keep(path, result)
    result["complete"] = True
    _keep(path, result)
    return result


def _as_begun(cell: Cell, before: Mapping[str, Any] | None) -> Cell:
    """Return a cell with the peers that its first rounds had: later ones of another peer would have no pair there."""
    return replace(cell, peers=tuple(before["peers"])) if before else cell


CELL_SECONDS, OTHER_SECONDS = 57, {MEMORY: 30, RACE: 90}  # of two cores, six rounds of a fifth of a second


def _say_what_it_takes(cells_wanted: int, others: Sequence[str], rounds: int, say: Callable[[str], None]) -> None:
    """Report how long it will take, and whether other processes are at work."""
    seconds = cells_wanted * CELL_SECONDS * rounds / 6 + sum(OTHER_SECONDS[name] for name in others)
    minutes = max(1, round(seconds / 60))
    say(f"{count(cells_wanted + len(others), 'measurement')}, about {minutes} min; Ctrl-C keeps what is measured")
    share = others_now()
    if share is not None and share > DISTURBED:
        say(
            f"other processes take {percent(share, 0)} of this machine: what they disturb will have no ratio; "
            "close them, or come back when it is quiet"
        )


def _other(
    name: str, settings: BenchSettings, place: Environment, variables: dict[str, str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure something other than a cell."""
    if name == MEMORY:
        main = next(cell for cell in cells(settings.threads) if cell.name == MAIN)
        with PeerPool((place.python, "-m", "convlens.bench.peer_process"), variables) as pool:
            return measure_memory(main, pool, place.missing, say)
    command = (place.python, "-m", "convlens.bench.time_to_accuracy_process")
    return race(settings.recipe, settings.threads, command, variables, place.missing, say)


def _empty(settings: BenchSettings) -> dict[str, Any]:
    return {
        "what": "training images a second (forward, loss, backward, Adam) and predicted images a second, float32, "
        "by peer and round; 'gemm' is the machine's own rate of multiplying matrices, in FLOP/s",
        "format": results.FORMAT,
        "date": datetime.now(UTC).date().isoformat(),
        "settings": settings.to_dict(),
        "hardware": hardware(),
        "versions": {},
        "seconds": {},
        "cells": {},
    }


def _interrupted(path: Path, settings: BenchSettings, say: Callable[[str], None]) -> dict[str, Any]:
    """Return what is left of the same measurement if it was interrupted, to be continued; else an empty result."""
    empty = _empty(settings)
    try:
        found = read(path)
    except ConfigurationError:  # there is none, or one of an older version
        return empty
    same = all(found.get(what) == empty[what] for what in ("settings", "hardware")) and found.get("only") == list(
        settings.only
    )
    if found.get("complete", True) or not same:
        return empty
    done = count(len(found["cells"]), "cell")
    say(f"continuing the measurement of {found['date']} that was interrupted: {done} so far")
    return found


def _begun(path: Path, settings: BenchSettings) -> dict[str, Any]:
    """Return the result in the file, to be resumed with the missing cells, or with more rounds."""
    found = read(path)
    begun, now = found.get("settings"), settings.to_dict()
    if isinstance(begun, dict) and begun.get("rounds", 0) <= settings.rounds:
        found["settings"] = {**begun, "rounds": settings.rounds}
    for what, value, had in (("settings", now, begun), ("hardware", hardware(), found.get("hardware"))):
        if found.get(what) != value:
            raise ConfigurationError(
                f"{path} was measured with other {what} ({had}, here {value}); "
                "leave out --resume, or name another folder with --out"
            )
    return found


def read(path: Path) -> dict[str, Any]:
    """Read a result; ConfigurationError if the file is not one."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != results.FORMAT:
            raise ValueError(f"its format is {found['format']}, and {results.FORMAT} is needed")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is not a result of convlens bench ({error}); run it again") from error
    return found


def _add_cell(result: dict[str, Any], found: dict[str, Any], seconds: float) -> None:
    """Add a cell to the result, with its ratios, and its rates rounded to six digits."""
    cell = found["cell"]
    rates = {w: {n: [float(f"{rate:.6g}") for rate in row] for n, row in found["rates"][w].items()} for w in WORKS}
    others = {
        w: {n: [None if share is None else round(share, 3) for share in row] for n, row in found["others"][w].items()}
        for w in WORKS
    }
    kept = {"rates": rates, "others": others}
    result["cells"][cell["name"]] = {
        **cell,
        "flops": work.model(Cell.from_dict(cell)).program.flops,
        "absent": found["absent"],
        "first_call_seconds": {
            name: {w: round(s, 2) for w, s in first.items()} for name, first in found["first_call_seconds"].items()
        },
        **kept,
        "ratios": {w: results.ratios(results.undisturbed(kept, w)) for w in WORKS},
    }
    result["seconds"][cell["name"]] = round(result["seconds"].get(cell["name"], 0) + seconds, 1)


def _keep(path: Path, result: dict[str, Any]) -> None:
    write_atomically(path, (json.dumps(result, indent=1, allow_nan=False) + "\n").encode())


def _variables(scratch: str, threads: int) -> dict[str, str]:
    """Return the peers' environment variables: this copy of convlens, and an empty cache of compiled PyTorch code."""
    source = str(Path(__file__).parents[2])
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH", "")))),
        "TORCHINDUCTOR_CACHE_DIR": f"{scratch}/inductor",  # so that compilation time is that of a first run
        "VECLIB_MAXIMUM_THREADS": str(threads),  # macOS: the only way to set Accelerate's number of threads
    }


def _versions(python: Path) -> dict[str, str | None]:
    """Return the versions of the peers' packages; None for those that are not installed."""
    code = (
        "import importlib.metadata as m, json, sys\n"
        "def v(n):\n"
        "    try: return m.version(n)\n"
        "    except m.PackageNotFoundError: return None\n"
        "print(json.dumps({n: v(n) for n in sys.argv[1:]}))"
    )
    done = subprocess.run([python, "-c", code, *PEER_PACKAGES], check=False, capture_output=True, text=True)  # noqa: S603
    found: dict[str, str | None] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found
