"""Write the figures of ``benchmarks/serving.py`` into the pages that quote them: ``python docs/quote_serving.py``.

A document marks a place by ``<!-- serving: NAME -->`` and ``<!-- end of serving -->``; `VIEWS` has the names. A test
renders all of them again from ``benchmarks/results/serving.json``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "serving.json"
DOCUMENTS = (ROOT / "docs" / "serving.md", ROOT / "docs" / "sagemaker.md")
PLACE = re.compile(r"(<!-- serving: (\w+) -->\n).*?(<!-- end of serving -->)", re.S)
OURS, SCRIPT = "convlens", "script mode"
WAYS = {OURS: "`convlens serve`", SCRIPT: "the module on SageMaker's image"}
WANTED = (10, 100, 1_000, 10_000)  # requests a second
USED = 0.5  # share of what a machine answers that is planned for: what comes in bursts then waits for nobody


def speed(found: Mapping[str, Any]) -> str:
    """Return the table of all servers, and the ratio to the best peer."""
    heads = ("server", "connections", "requests a second", "median, ms", "99th percentile, ms", "processor time, us")
    rows = [
        (one["server"], one["connections"], f"{one['per_second']:,.0f}", f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}",
         f"{one['cpu_us']:,.0f}")
        for one in found["summary"]
    ]  # fmt: skip
    ratios = [
        f"{one['connections']}: {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['most']:.2f})"
        for one in found["summary"]
        if (ratio := one.get("ratio_to_best_peer"))
    ]
    versions = ", ".join(f"{name} {one}" for name, one in found["versions"].items() if name != OURS)
    return (
        f"{_table(heads, rows)}\n\nRequests a second relative to the best peer of each round, by connections, median "
        f"(least to most): {'; '.join(ratios)}. Medians of {_rounds(found)} rounds of {found['seconds']:g} s, on "
        f"{found['machine']['cores']} cores, which the load generator shares; {versions}.\n"
    )


def capacity(found: Mapping[str, Any]) -> str:
    """Return how many machines answer so many requests a second, and what they cost in prices of one."""
    most = max(_numbers(found))
    rates = {one["server"]: one["per_second"] for one in found["summary"] if one["connections"] == most}
    named = [(name, rates[server]) for server, name in WAYS.items() if server in rates]
    rows = [(f"{wanted:,}", *(f"{math.ceil(wanted / (USED * rate)):,}" for _, rate in named)) for wanted in WANTED]
    measured = " and ".join(f"{rate:,.0f} with {name}" for name, rate in named)
    script = "was not measured" if SCRIPT not in rates else "has nginx before gunicorn, which was left out"
    return (
        f"One machine of {found['machine']['cores']} cores answered so many requests a second for one image each: "
        f"{measured} ({_rounds(found)} rounds, the load generator beside it). Planned with {USED:.0%} of that, which "
        "leaves room for bursts, it takes so many machines, and so many times the price of one:\n\n"
        f"{_table(('requests a second', *(name for name, _ in named)), rows)}\n\n`convlens serve` is in an image of "
        f"one's own. SageMaker's, for the module in the archive, {script}.\n"
    )


VIEWS = {"speed": speed, "capacity": capacity}


def _numbers(found: Mapping[str, Any]) -> set[int]:
    return {one["connections"] for one in found["summary"]}


def _rounds(found: Mapping[str, Any]) -> int:
    return 1 + max(one["round"] for one in found["rounds"])


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def replaced(text: str, found: Mapping[str, Any]) -> str:
    """Return a document with every marked place written again."""
    return PLACE.sub(lambda m: m[1] + "\n" + VIEWS[m[2]](found) + "\n" + m[3], text)


def main() -> None:
    """Write the documents."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    for path in DOCUMENTS:
        path.write_text(replaced(path.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
