"""What one image costs, in microseconds: the compiled script alone, each layer of Python around it, and all threads.

    python benchmarks/one_image.py [MODEL]

Each figure is the minimum over many rounds, in which all are timed in turn; the excess over the script is Python's.
ONNX Runtime takes part where it is installed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from convlens import models, nn
from convlens.engine.engines import Plan
from convlens.typing import Array

ROUNDS, WARM, CALLS = 150, 20, 50  # calls before each timing: threads sleep while others are timed


def seconds(call: Callable[[], object]) -> float:
    """Return the seconds per call, averaged over some calls that follow each other."""
    for _ in range(WARM):
        call()
    begun = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - begun) / CALLS


def onnxruntime(model: nn.Model, x: Array, threads: int) -> dict[str, Callable[[], object]]:
    """Return the call of ONNX Runtime for one image, if it is installed."""
    try:
        import onnxruntime as runtime

        from convlens.bench.peers import onnx_model
    except ImportError:
        return {}
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    session = runtime.InferenceSession(onnx_model.written(model, 1), options, providers=["CPUExecutionProvider"])
    given = {"input": onnx_model.images(x)}
    return {f"ONNX Runtime, {threads} thread(s)": lambda: session.run(None, given)}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "cnn"
    model, pair = models.build(name).use("numba", 1), models.build(name).use("numba", 2)
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
        "engine.logits, 2 threads": lambda: pair.engine.logits(x),
        **onnxruntime(model, x, 1),
        **onnxruntime(model, x, 2),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(seconds(call))
    script = min(times["script alone"])
    print(f"{'':26}{'microseconds':>14}{'above the script':>18}")
    for name, taken in times.items():
        least = min(taken)
        print(f"{name:26}{1e6 * least:14.1f}{1e6 * (least - script):18.1f}")


if __name__ == "__main__":
    main()
