"""The process of one training: ``python -m convlens.lab.training.worker FOLDER THREADS [paused]``.

It is told what to do on standard input, a word a line. When that ends, the lab is gone: it saves the training and ends,
so that nothing computes unseen, and nothing is lost.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TextIO

from ...errors import ConvlensError, TrainingInterrupted
from ...train.loop import fit
from ...train.saver import Saver
from .reporter import Ended, Reporter
from .session import Session

_WAIT = 60.0  # seconds for another process that has the training to end
_CLOSED = "The lab was closed in mid-training; resume goes on from there, to the same result."


def main(folder: Path, threads: int, *, paused: bool, orders: TextIO) -> None:
    """Run a training to its end, and write to its journal how it ended."""
    session, commands = Session(folder), queue.Queue[str]()
    if paused:
        commands.put("pause")
    threading.Thread(target=_listen, args=(orders, commands), daemon=True).start()
    deadline = time.monotonic() + _WAIT
    while True:
        with session.locked() as taken:
            if taken:
                session.journal.repair()
                _run(session, commands, threads)
                return
        if time.monotonic() > deadline:
            session.tell("failed", "Another process has this training; end it, and resume.")
            return
        time.sleep(0.1)


def _listen(orders: TextIO, commands: queue.Queue[str]) -> None:
    for line in orders:
        commands.put(line.strip())
    commands.put("end")


def _run(session: Session, commands: queue.Queue[str], threads: int) -> None:
    try:
        _train(session, commands, threads)
    except (Ended, TrainingInterrupted):
        session.tell("interrupted", _CLOSED)
    except ConvlensError as error:
        session.tell("failed", str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the page says it
        traceback.print_exc()
        session.tell("failed", f"Something went wrong that should not have: {error} (more in {session.errors})")


def _train(session: Session, commands: queue.Queue[str], threads: int) -> None:
    given, saver = session.configuration(), Saver(session.checkpoint)
    dataset = given.dataset()
    model = given.model(dataset).use(threads=threads)
    reporter = Reporter(session, commands, saver, given.stop)
    # Validation chooses among the configurations tried here: read each time, the test set would be one no longer.
    run = fit(
        model, dataset, given.recipe, checkpoint=saver, resume=session.checkpoint.exists(), test=False, progress=False,
        hooks=[reporter],
    )  # fmt: skip
    model.save(session.model)
    if run.stopped:
        session.tell("stopped", f"{reporter.why} Resume goes on from there.".strip())
    else:
        session.tell("finished")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), paused="paused" in sys.argv[3:], orders=sys.stdin)
