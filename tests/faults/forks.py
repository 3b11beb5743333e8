"""Real processes by the hundred: a helper imports convlens once, then forks a child for each request.

It sends the child its signals itself, before it has reaped it, so that none ever goes to anybody else; and it ends when
the test that started it does. Started as a program it is the helper; imported, `Forks` is how tests talk to it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import convlens
from convlens.studies.trial import PlannedTrial, TrialOutcome

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """Return the environment in which a process imports the convlens and the tests that this one does."""
    paths = os.pathsep.join([str(Path(convlens.__path__[0]).parent), str(ROOT)])
    return {**os.environ, "PYTHONPATH": paths, **more}


@dataclass
class Ended:
    """How a child ended."""

    code: int  # negative: the signal that killed it
    stdout: str
    stderr: str


class Forks:
    """The test's end. Use as a context manager; children work in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Forks:
        command = [sys.executable, "-m", "tests.faults.forks", str(self.folder)]
        self._helper = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._helper.stdin is not None
        self._helper.stdin.close()
        self._helper.wait(60)
        assert self._helper.stdout is not None
        self._helper.stdout.close()

    def __call__(self, job: str, *arguments: str, signals: Sequence[tuple[float, int]] = ()) -> Ended:
        """Run one of `JOBS` in a child; send it signals after so many seconds each; wait for its end."""
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        print(json.dumps([job, arguments, list(signals)]), file=self._helper.stdin, flush=True)
        answer = self._helper.stdout.readline()
        assert answer, "the helper has ended"
        out, err = ((self.folder / f"child.{name}").read_text() for name in ("stdout", "stderr"))
        return Ended(int(answer), out, err)


def run_command(*arguments: str) -> None:
    """Run convlens, saving a checkpoint after every step."""
    import convlens.train.loop as loop
    from convlens.__main__ import main

    loop.CHECKPOINT_SECONDS = 0.0
    sys.argv = ["convlens", *arguments]
    main()


def write_on(path: str) -> None:
    """Do nothing but save: file after file, each with its own number everywhere."""
    from convlens import artifact

    first = artifact.read(Path(path), "checkpoint").header["number"] if Path(path).exists() else 0
    for number in range(first + 1, first + 100_000):
        artifact.write(Path(path), "checkpoint", {"number": number}, {"a": np.full(50_000, number, np.int32)})


def large_outcome(planned: PlannedTrial) -> TrialOutcome:
    """Return what takes a store several pages, and is another for every seed."""
    classes = np.random.default_rng(planned.seed).integers(0, 10, 20_000, dtype=np.uint8)
    metrics = {"test.accuracy": planned.seed / 1000, "parameters": 9.0}
    return TrialOutcome(metrics, [{"seed": planned.seed}] * 200, {"test": classes, "validation": classes[::-1]})


def run_toy_trials(path: str, acknowledged: str, count: str) -> None:
    """Run trials into a store, and write down which are kept."""
    from convlens.studies.pools.pool import LocalPool
    from convlens.studies.runner import ProgressEvent, run_trials
    from convlens.studies.storage.store import TrialStore
    from tests.studies.examples import planned_trial

    log = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(event: ProgressEvent) -> None:
        if event.kind == "finished":
            os.write(log, f"{event.planned.seed}\n".encode())

    with TrialStore(path) as store:
        run_trials([planned_trial(seed) for seed in range(int(count))], store, LocalPool(large_outcome), note)


JOBS: dict[str, Any] = {"convlens": run_command, "write": write_on, "trials": run_toy_trials}


def _serve(folder: str) -> None:

    os.chdir(folder)
    for line in sys.stdin:
        job, arguments, signals = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(job, arguments)
        for seconds, number in signals:
            time.sleep(seconds)
            os.kill(child, number)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(job: str, arguments: list[str]) -> None:
    """Run a job in this process and end it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name in ((1, "child.stdout"), (2, "child.stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    code: object = 1
    try:
        JOBS[job](*arguments)
        code = 0
    except SystemExit as error:
        code = error.code
    except BaseException:  # noqa: BLE001 - the process ends here
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve(sys.argv[1])
