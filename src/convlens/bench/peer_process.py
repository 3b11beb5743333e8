"""What runs in a peer's process: ``python -m convlens.bench.peer_process NAME``.

Requests are lines of JSON on standard input; each is answered by one line, and in between the process sleeps in
`readline`. It ends when its input does. Whatever a library prints goes to standard error.

=============================================  ==================================================================
request                                        answer
=============================================  ==================================================================
``{"do": "prepare", "cell", "works"}``         ``{"first": {work: seconds}}``: the first call of each, compilation
                                               included; then the peer is warm
``{"do": "measure", "work", "seconds"}``       ``{"calls", "seconds", "others"}``: the last is the share of the
                                               machine that other processes took; None where the
                                               system does not report it
``{"do": "memory"}``                           ``{"mib"}``: the peak memory of the process
=============================================  ==================================================================

A request that fails is answered by ``{"error": reason}``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import start
from ..ops import softmax
from ..typing import FloatArray
from .cells import Cell
from .load import Watch
from .peak_memory import peak_memory
from .peers import Peer, Timed, load, work

WARM_SECONDS, WARM_CALLS = 0.3, 3
SILENCE_SECONDS, SILENCE_TRIES = 0.01, 60
SAME = 1e-4  # largest allowed difference of a peer's probabilities from the interpreter's
CHECKED = 32  # images of the first batch that are compared


class Server:
    """Answers requests about one peer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.peer: Timed | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks."""
        if request["do"] == "prepare":
            return self.prepare(Cell.from_dict(request["cell"]), request["works"])
        if request["do"] == "memory":
            return {"mib": peak_memory()}
        return self.measure(request["work"], request["seconds"])

    def prepare(self, cell: Cell, works: list[str]) -> dict[str, Any]:
        """Create the peer, check that it does the cell's work, and warm up."""
        self.peer = None  # free the memory of the last cell first
        self.peer = load(self.name, cell)
        first = {}
        for name in sorted(works):  # "predict" comes first, while all peers have the same weights
            call = getattr(self.peer, name)
            first[name] = timed(call)
            if name == "predict" and isinstance(self.peer, Peer):
                x = work.batches(cell.batch, 1)[0][0]
                difference = disagreement(self.peer.logits(x)[:CHECKED], expected(cell, x[:CHECKED]))
                if not difference <= SAME:
                    return {"error": f"its probabilities differ from convlens's by {difference:.2g}: other work"}
            warm_up(call)
        fall_silent()
        return {"first": first}

    def measure(self, name: str, seconds: float) -> dict[str, Any]:
        """Call a work repeatedly for `seconds`; one call before that, to fill the caches, does not count."""
        call: Callable[[], None] = getattr(self.peer, name)
        call()
        watch, calls, begun = Watch(), 0, time.perf_counter()
        while (spent := time.perf_counter() - begun) < seconds or not calls:
            call()
            calls += 1
        others = watch.others()
        fall_silent()
        return {"calls": calls, "seconds": spent, "others": others}


def disagreement(logits: FloatArray, reference: FloatArray) -> float:
    """Return the largest difference between the probabilities of two sets of logits (N, K)."""
    return float(np.abs(softmax(logits.astype(np.float64)) - softmax(reference.astype(np.float64))).max())


def expected(cell: Cell, x: Any) -> FloatArray:
    """Return the interpreter's logits for images (N, H, W, C)."""
    model = work.model(cell)
    return start(model.program, model.flat, "interpreter", cell.threads, model.flat_buffers).logits(x)


def timed(call: Callable[[], None]) -> float:
    """Return the seconds that a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def warm_up(call: Callable[[], None]) -> None:
    """Call a function until it runs at a steady speed."""
    begun, calls = time.perf_counter(), 0
    while calls < WARM_CALLS or time.perf_counter() - begun < WARM_SECONDS:
        call()
        calls += 1


def fall_silent() -> None:
    """Wait until the threads of this process have stopped polling for work, as OpenBLAS's do for 0.1 s."""
    for _ in range(SILENCE_TRIES):
        before = time.process_time()
        time.sleep(SILENCE_SECONDS)
        if time.process_time() - before < SILENCE_SECONDS / 10:
            return


def take_output() -> Any:
    """Return standard output for answers alone; whatever else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    return answers


def main() -> None:
    """Serve the peer that the command line names."""
    answers, server = take_output(), Server(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except ImportError as error:
            answer = {"error": f"not installed: {error}"}
        except Exception as error:  # noqa: BLE001 - any error of a peer is the reason for its absence
            answer = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
