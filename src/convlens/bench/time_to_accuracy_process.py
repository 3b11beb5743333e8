"""One contestant of a race, in its own process: ``python -m convlens.bench.time_to_accuracy_process NAME``.

It reads its task as one line of JSON, trains the CNN by a recipe, reads the test set once, answers by one line, and
ends. All contestants start from the same weights and see the same batches in the same order at the same learning rates.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from ..train import Recipe
from .peer_process import take_output


def by_convlens(recipe: Recipe, seed: int, threads: int) -> dict[str, Any]:
    """Train with convlens's fastest engine."""
    from .. import data, models
    from ..train import fit

    digits = data.load("mnist")
    model = models.build("cnn", seed=seed).use(None, threads)
    run = fit(model, digits, recipe, doubt=False, progress=False)
    assert run.test is not None
    return {"seconds": run.seconds["train"], "accuracy": run.test.accuracy, "engine": run.engine}


def by_pytorch(recipe: Recipe, seed: int, threads: int) -> dict[str, Any]:
    """Train with PyTorch, eager, channels_last."""
    from .peers.training import train

    return train(recipe, seed, threads)


RACERS: dict[str, Callable[[Recipe, int, int], dict[str, Any]]] = {
    "convlens": by_convlens,
    "torch-channels-last": by_pytorch,
}


def main() -> None:
    """Run the training requested on standard input."""
    answers = take_output()
    task = json.loads(sys.stdin.readline())
    try:
        answer = RACERS[sys.argv[1]](Recipe.from_dict(task["recipe"]), task["seed"], task["threads"])
    except ImportError as error:
        answer = {"error": f"not installed: {error}"}
    except Exception as error:  # noqa: BLE001 - any error is the reason for the contestant's absence
        answer = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
    answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
