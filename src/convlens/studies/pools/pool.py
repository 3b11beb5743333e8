"""What runs trials: a minimal interface, and the pool that runs them in this process.

A pool takes trials and yields each when it finishes, in any order, with its outcome or its failure. It knows nothing of
stores, studies or progress displays, so trials can run anywhere; `processes` runs them in parallel processes, `cluster`
on other machines.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from ...errors import OutputError, TrainingInterrupted
from ..trial import Failure, PlannedTrial, TrialKey, TrialOutcome

Execute: TypeAlias = Callable[[PlannedTrial], TrialOutcome]
Result: TypeAlias = tuple[TrialKey, TrialOutcome | Failure]

STOPPING = (TrainingInterrupted, OutputError)
"""Errors that stop the whole run and are not a trial's failure: an interrupt, or output that cannot be written."""


def unheard(planned: PlannedTrial) -> None:
    """Do nothing when a trial starts."""


class Pool(Protocol):
    """Runs trials, one after another or several at once."""

    def run(
        self, trials: Sequence[PlannedTrial], started: Callable[[PlannedTrial], None] = unheard
    ) -> Iterator[Result]:
        """Run trials and yield each as it finishes: its key, and its outcome or failure.

        Parameters
        ----------
        trials
            All with different keys.
        started
            Called with each trial when it starts, if the pool knows when that is.

        Raises
        ------
        KeyboardInterrupt, TrainingInterrupted, OutputError
            These stop the whole run. Any other exception of a trial is its failure, and the other trials go on.
        """


class LocalPool:
    """Runs trials in this process, one after another.

    Parameters
    ----------
    execute
        Runs one trial.
    """

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

    def run(
        self, trials: Sequence[PlannedTrial], started: Callable[[PlannedTrial], None] = unheard
    ) -> Iterator[Result]:
        """See `Pool.run`."""
        for planned in trials:
            started(planned)
            yield planned.key, attempt(self._execute, planned)


def attempt(execute: Execute, planned: PlannedTrial) -> TrialOutcome | Failure:
    """Run one trial in this process; every pool ends up here.

    Returns
    -------
    TrialOutcome or Failure
        The outcome, with ``started`` and ``finished`` in its provenance, or the failure.
    """
    started = now()
    try:
        outcome = execute(planned)
        return replace(outcome, provenance={"started": started, "finished": now(), **outcome.provenance})
    except STOPPING:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the error, the other trials go on
        return failure(error)


def answer(execute: Execute, planned: PlannedTrial) -> bytes:
    """Run one trial for another process; return what it came to, or what stops everything, for `read_answer`."""
    try:
        return pickle.dumps(attempt(execute, planned))
    except STOPPING as error:
        return pickle.dumps(_plain(error))
    except Exception as error:  # noqa: BLE001 - an outcome that cannot be sent is a failure
        return pickle.dumps(failure(error))


def read_answer(content: bytes) -> TrialOutcome | Failure:
    """Return what `answer` found; raise what stops everything. Only for bytes from a process that we trust."""
    try:
        found = pickle.loads(content)  # noqa: S301 - see above
    except Exception as error:  # noqa: BLE001 - an outcome that cannot be read is a failure
        return failure(error)
    if isinstance(found, STOPPING):
        raise found
    assert isinstance(found, TrialOutcome | Failure)
    return found


def _plain(error: TrainingInterrupted | OutputError) -> Exception:
    """Return a stopping error as one of the class in `STOPPING` that it is of: any other may not survive pickling."""
    cls = next(one for one in STOPPING if isinstance(error, one))
    text = message_of(error)
    return cls(text if type(error) is cls else f"{type(error).__name__}: {text}")


def failure(error: Exception) -> Failure:
    """Return an error as the failure of its trial, its message on one line."""
    return Failure(type(error).__name__, message_of(error), now())


def message_of(error: Exception) -> str:
    """Return an error's message on one line, in characters that every encoding of Unicode has."""
    try:
        text = str(error)
    except Exception as second:  # noqa: BLE001 - an error's own code may be wrong too
        text = f"its message cannot be shown ({type(second).__name__})"
    return " ".join(text.split()).encode(errors="backslashreplace").decode()


def now() -> str:
    """Return the current time: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
