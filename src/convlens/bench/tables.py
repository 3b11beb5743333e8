"""A result as tables: Markdown for README and docs, text for a terminal. Both show the same rows."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..text_table import TextTable
from ..wording import NONE, count, percent
from .cells import COMPILED, GEMM, MAIN, NUMBA, NUMPY, ONNX, OPENVINO, RUNTIMES, WORKS
from .results import (
    Ratio,
    Withheld,
    best,
    better_eager,
    compared,
    disturbance,
    race_ratio,
    share_of_peak,
    undisturbed,
)

WORDS = {"train": "training", "predict": "prediction"}
NETWORKS = {
    "cnn": "CNN {0}x{0}",
    "dense": "dense 784-128-64-10",
    "deep": "three blocks with batch normalisation",
    "lenet": "LeNet-5",
}
FASTEST = {COMPILED: "compile", ONNX: "ONNX Runtime", OPENVINO: "OpenVINO"}  # the others are eager
SHORT = {
    "convlens-numpy": "ours\nnumpy", "convlens-numba": "ours\nnumba", "torch-nchw": "torch\nnchw",
    "torch-channels-last": "torch\nlast", "torch-compile": "torch\ncompile",
    "onnxruntime": "onnx\nruntime", "openvino": "open\nvino", "textbook": "text\nbook", "sklearn": "scikit\nlearn",
}  # fmt: skip

Result = Mapping[str, Any]


@dataclass(frozen=True)
class SpeedTable:
    """Rows of text under a title."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: bool = False  # whether the columns after the first hold words, not numbers

    def markdown(self) -> str:
        """Return it in Markdown, without the title."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def text(self) -> TextTable:
        """Return it for a terminal."""
        left = range(len(self.columns)) if self.words else (0,)
        return TextTable(self.title, self.columns, self.rows, left, names=())


HEADLINE = (
    (MAIN, ("train", "predict")), ("cnn-3x3-batch1", ("predict",)), ("cnn-3x3-batch512", ("train", "predict")),
    ("cnn-5x5-batch128", ("train", "predict")), ("cnn-7x7-batch128", ("train", "predict")),
    ("deep-batch128", ("train", "predict")), ("dense-batch128", ("train", "predict")),
    (f"{MAIN}-1thread", ("train",)), ("lenet-batch128", ("train", "predict")),
    ("lenet-batch128-1thread", ("train", "predict")),
)  # fmt: skip
README_ROWS = (
    (MAIN, ("train", "predict")),
    ("cnn-3x3-batch1", ("predict",)),
    ("lenet-batch128", ("train",)),
    ("dense-batch128", ("predict",)),
)  # what people do most, and where it gains least


def headline(result: Result) -> SpeedTable:
    """Return ratios of the compiled and the NumPy engine to PyTorch and the runtimes: rates, memory, time to 99.0 %."""
    found = _ratios(result, HEADLINE)
    return replace(found, rows=[*found.rows, *_memory_headline(result), *_race_headline(result)])


def _ratios(result: Result, names: Sequence[tuple[str, Sequence[str]]]) -> SpeedTable:
    rows = [
        (f"{label(cell)}, {WORDS[work]}", *_both(cell, work, NUMBA), _to_eager(cell, work, NUMPY))
        for name, works in names
        if (cell := result["cells"].get(name))
        for work in works
    ]
    more = any(_with_runtimes(result, work) for work in WORKS)
    columns = ("", "compiled, to better eager PyTorch", _to_best(more=more), "NumPy, to better eager PyTorch")
    title = "convlens beside PyTorch, ONNX Runtime and OpenVINO" if more else "convlens beside PyTorch"
    return SpeedTable(title, columns, rows)


def _with_runtimes(result: Result, work: str) -> bool:
    """Return whether a runtime was measured: only then is the best more than PyTorch's best mode."""
    return any(cell["rates"][work].get(name) for cell in result["cells"].values() for name in RUNTIMES)


def _to_best(*, more: bool) -> str:
    return "compiled, to the best" if more else "compiled, to best PyTorch"


def label(cell: Mapping[str, Any]) -> str:
    """Return a cell's network, batch and threads in words."""
    threads = ", 1 thread" if cell["name"].endswith("-1thread") else ""
    return f"{NETWORKS[cell['network']].format(cell['kernel_size'])}, batch {cell['batch']}{threads}"


def _both(cell: Mapping[str, Any], work: str, ours: str) -> tuple[str, str]:
    rates = undisturbed(cell, work)
    fastest = best(rates)
    if fastest is None or ours not in rates:
        return _to_eager(cell, work, ours), NONE
    ratio, mode = compared(rates[ours], fastest.rates), FASTEST.get(fastest.name, "eager")
    return _to_eager(cell, work, ours), str(ratio) if isinstance(ratio, Withheld) else f"{ratio} {mode}"


def _to_eager(cell: Mapping[str, Any], work: str, ours: str) -> str:
    rates = undisturbed(cell, work)
    eager = better_eager(rates)
    return str(compared(rates[ours], eager.rates)) if eager is not None and ours in rates else NONE


def _memory_headline(result: Result) -> Iterator[tuple[str, ...]]:
    peak: Mapping[str, float] = result.get("memory", {}).get("peak_mib", {})
    eager = [size for name, size in peak.items() if name in ("torch-nchw", "torch-channels-last")]
    every = [size for name, size in peak.items() if name.startswith("torch")]
    if eager:
        cells = [
            f"{peak[ours] / min(sizes):.2f} ({peak[ours]:.0f} of {min(sizes):.0f} MiB)" if ours in peak else NONE
            for ours, sizes in ((NUMBA, eager), (NUMBA, every), (NUMPY, eager))
        ]
        yield ("peak memory of a training process", *cells)


def _race_headline(result: Result) -> Iterator[tuple[str, ...]]:
    if "time-to-99" not in result:
        return
    race = result["time-to-99"]
    reached = [
        f"{name} {sum(row['accuracy'] >= race['target'] for row in rows)} of {len(rows)}"
        for name, rows in race["runs"].items()
    ]
    for key, words in (("seconds", "training"), ("cold_seconds", "from process start to end")):
        ratio = race_ratio(race, key)
        yield (f"time to {percent(race['target'], 1)}, {words}", str(ratio or NONE), NONE, NONE)
    yield (f"seeds that reached {percent(race['target'], 1)}", ", ".join(reached), NONE, NONE)


def speed(result: Result, work: str) -> SpeedTable:
    """Return one kind of work in all cells: the median rate of every peer, in images/s."""
    present = [name for cell in result["cells"].values() for name in cell["rates"][work] if name != GEMM]
    peers = list(dict.fromkeys(present))
    rows = []
    for cell in result["cells"].values():
        rates = cell["rates"][work]
        medians = [f"{statistics.median(rates[name]):,.0f}" if name in rates else NONE for name in peers]
        rows.append((label(cell), *medians, *_both(cell, work, NUMBA), _percent(share_of_peak(cell, work, NUMBA))))
    to_best = _to_best(more=_with_runtimes(result, work))
    columns = ("images a second", *peers, "compiled, to better eager", to_best, "of GEMM peak")
    return SpeedTable(f"{WORDS[work].capitalize()}, median images a second", columns, rows)


def short(result: Result, work: str) -> SpeedTable:
    """Return what `speed` returns, narrow enough for a terminal: in thousands, and without ratios."""
    whole = speed(result, work)
    peers = whole.columns[1:-3]
    rows = []
    for cell in result["cells"].values():
        rates = cell["rates"][work]
        medians = [statistics.median(rates[name]) if name in rates else None for name in peers]
        rows.append((cell["name"], *(NONE if rate is None else _thousands(rate) for rate in medians)))
    columns = ("", *(SHORT.get(name, name) for name in peers))
    return SpeedTable(f"{WORDS[work].capitalize()}, median images a second (K: thousands)", columns, rows)


def _thousands(rate: float) -> str:
    return f"{rate:.0f}" if rate < 1000 else f"{rate / 1000:.1f}K" if rate < 100_000 else f"{rate / 1000:.0f}K"


def _percent(ratio: Ratio | Withheld | None) -> str:
    return percent(ratio.median, 0) if isinstance(ratio, Ratio) else str(ratio or NONE)


def first_calls(result: Result) -> SpeedTable:
    """Return how long compilers took: the first call of each work."""
    rows = []
    for cell in result["cells"].values():
        first = cell["first_call_seconds"]
        rows.append(
            (
                label(cell),
                *(
                    f"{first[name][work]:.1f} s" if name in first else NONE
                    for name in ("torch-compile", "jax")
                    for work in ("train", "predict")
                ),
            )
        )
    columns = ("first call", "torch-compile, train", "torch-compile, predict", "jax, train", "jax, predict")
    return SpeedTable("Seconds to compile: the first call of each process for each shape", columns, rows)


def memory(result: Result) -> SpeedTable:
    """Return the peak memory of each peer."""
    peak = result.get("memory", {}).get("peak_mib", {})
    rows = [(name, f"{size:,.0f} MiB") for name, size in peak.items()]
    return SpeedTable("Peak memory of a process that only trains (CNN 3x3, batch 128)", ("peer", "at most"), rows)


def race_table(result: Result) -> SpeedTable:
    """Return the time to an accuracy, one row per run."""
    found = result.get("time-to-99", {"runs": {}, "target": 0.99, "recipe": {"name": "", "epochs": 0}})
    rows = [
        (name, str(row["seed"]), f"{row['seconds']:.1f} s", f"{row['cold_seconds']:.1f} s", percent(row["accuracy"]))
        for name, of_peer in found["runs"].items()
        for row in of_peer
    ]
    recipe = found["recipe"]
    epochs = count(recipe["epochs"], "epoch")
    title = f"Time to {percent(found['target'], 1)} test accuracy: recipe {recipe['name']}, {epochs}"
    return SpeedTable(title, ("", "seed", "training", "from process start to end", "test accuracy"), rows)


def absent(result: Result) -> SpeedTable:
    """Return which peers are missing where, and why: one row per reason."""
    places: dict[tuple[str, str], list[str]] = {}
    parts = {**result["cells"], **{name: result[name] for name in ("memory", "time-to-99") if name in result}}
    for place, part in parts.items():
        for name, reason in part["absent"].items():
            places.setdefault((name, reason), []).append(place)
    rows = [(name, ", ".join(where), reason) for (name, reason), where in places.items()]
    return SpeedTable("Not measured", ("peer", "where", "why"), rows, words=True)


def tables(result: Result) -> Sequence[SpeedTable]:
    """Return all tables that have rows."""
    found = (headline(result), speed(result, "train"), speed(result, "predict"), first_calls(result), memory(result),
             race_table(result), absent(result))  # fmt: skip
    return [table for table in found if table.rows]


def conditions(result: Result) -> str:
    """Return a sentence on where and how a result was measured."""
    how, hardware, versions = result["settings"], result["hardware"], result["versions"]
    names = {
        "NumPy": "numpy", "Numba": "numba", "PyTorch": "torch", "JAX": "jax", "scikit-learn": "scikit-learn",
        "ONNX Runtime": "onnxruntime", "OpenVINO": "openvino",
    }  # fmt: skip
    with_what = ", ".join(f"{title} {versions[name]}" for title, name in names.items() if versions.get(name))
    threads, rounds = count(how["threads"], "thread"), count(how["rounds"], "round")
    return (
        f"Measured {result['date']} on {hardware['processor']} ({hardware['system']}), {threads}, {rounds} "
        f"of {how['seconds']} s, with {with_what}. Ratios are medians of paired rounds, with their range."
    )


def markdown(result: Result) -> str:
    """Return all tables in Markdown; where the measurement was disturbed, that comes first."""
    parts = [f"### {table.title}\n\n{table.markdown()}" for table in tables(result)]
    return "\n\n".join([*_warning(result), conditions(result), *parts]) + "\n"


def _warning(result: Result) -> list[str]:
    disturbed = disturbance(result)
    return [] if disturbed is None else [disturbed]


def readme(result: Result) -> str:
    """Return what README shows of a result."""
    return "\n\n".join([*_warning(result), _ratios(result, README_ROWS).markdown(), conditions(result)]) + "\n"


def terminal(result: Result) -> Sequence[TextTable | str]:
    """Return what a terminal shows of a result."""
    found = (headline(result), short(result, "train"), short(result, "predict"), memory(result), race_table(result))
    shown = [table for table in (*found, absent(result)) if table.rows]
    return [*_warning(result), *(table.text() for table in shown), conditions(result)]
