"""What one image costs, in microseconds: the compiled script alone, and each layer of Python around it.

    python benchmarks/one_image.py [MODEL]

Each figure is the minimum over many rounds, in which all are timed in turn; the excess over the script is Python's.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from convlens import models
from convlens.engine.engines import Plan

ROUNDS, CALLS = 400, 20


def seconds(call: Callable[[], object]) -> float:
    """Return the seconds per call, averaged over a few calls."""
    begun = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - begun) / CALLS


def main() -> None:
    model = models.build(sys.argv[1] if len(sys.argv) > 1 else "cnn").use("numba", 1)
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28, 1), dtype=np.uint8)
    x = model.preprocessing(image)
    model.predict_proba(image)
    assert isinstance(model.engine, Plan)
    (task,) = model.engine._idle[0]._block(1).tasks
    calls: dict[str, Callable[[], object]] = {
        "script alone": task,
        "engine.logits, float32": lambda: model.engine.logits(x),
        "Model.logits, float32": lambda: model.logits(x),
        "Model.logits, uint8": lambda: model.logits(image),
        "predict_proba, float32": lambda: model.predict_proba(x),
        "predict_proba, uint8": lambda: model.predict_proba(image),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(seconds(call))
    script = min(times["script alone"])
    print(f"{'':24}{'microseconds':>14}{'above the script':>18}")
    for name, taken in times.items():
        least = min(taken)
        print(f"{name:24}{1e6 * least:14.1f}{1e6 * (least - script):18.1f}")


if __name__ == "__main__":
    main()
