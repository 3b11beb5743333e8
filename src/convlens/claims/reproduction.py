"""Put the claims to the test in one call: run two studies, and derive the verdicts from their results."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..files import make_folder
from ..markup import html_table
from ..studies.catalog import entry
from ..studies.evidence import Evidence
from ..studies.executors import ExecutionOptions
from ..studies.pool import Pool, now
from ..studies.result import ArmTrials, StudyResult
from ..studies.run import resumable, run_studies
from ..studies.runner import ProgressDisplay
from ..typing import IntArray
from .rows import ClaimRow, claims

FOLDER = Path("out/reproduce")  # where nobody names one
NETWORKS, KERNELS = "baseline-vs-cnn", "kernel-size"
BEST_CNN = "cnn, good"  # the arm whose errors and filters are shown: the CNN under the better recipe


@dataclass(frozen=True)
class Reproduction:
    """The claims with their verdicts, and the studies behind them.

    Attributes
    ----------
    command
        The command that repeats it.
    profile
        Name of the profile that was run.
    studies
        Results by study name.
    claims
        The claims with their verdicts.
    models_folder
        Folder of the trained models; None if none were kept.
    seconds
        Wall time of the call; trials found in the store take none.
    started
        Time of the call: ISO 8601, UTC.
    """

    command: str
    profile: str
    studies: Mapping[str, StudyResult]
    claims: Sequence[ClaimRow]
    models_folder: Path | None
    seconds: float
    started: str

    @property
    def evidence(self) -> dict[str, Evidence]:
        """Evidence by study name."""
        return {name: result.evidence for name, result in self.studies.items()}

    @property
    def missing(self) -> int:
        """Number of declared trials that have not been run."""
        return sum(evidence.missing for evidence in self.evidence.values())

    def __repr__(self) -> str:
        words = Counter(row.verdict.word for row in self.claims)
        counts = ", ".join(f"{count} {word}" for word, count in words.items())
        missing = f", {self.missing} trial{'' if self.missing == 1 else 's'} missing" if self.missing else ""
        return f"<Reproduction: {self.profile}, {len(self.claims)} claims: {counts}{missing}>"

    def _repr_html_(self) -> str:
        rows = [(row.number, row.claim, row.claimed, row.verdict.label) for row in self.claims]
        return html_table(f"Claims, profile {self.profile}", ("number", "claim", "claimed", "verdict"), rows)

    def best_cnn(self) -> ArmTrials | None:
        """Return the arm whose errors and filters are shown."""
        arms = self.studies[NETWORKS].arms if NETWORKS in self.studies else []
        return next((arm for arm in arms if arm.name == BEST_CNN), None)


def reproduce(
    profile: str = "standard",
    folder: str | Path = FOLDER,
    *,
    pool: Pool | None = None,
    options: ExecutionOptions | None = None,
    threads: int | None = None,
    progress: ProgressDisplay | None = None,
) -> Reproduction:
    """Run the missing trials, and put the claims to the test. Nothing is printed.

    Parameters
    ----------
    profile
        ``"quick"``, ``"standard"`` or ``"full"``.
    folder
        Folder of the store of trials and of the trained models; created if needed.
    pool, options, threads, progress
        As for `convlens.studies.run_study`; models and stopped trainings are kept in the folder, unless a pool is
        given, which decides that.

    Raises
    ------
    ConfigurationError
        If there is no such profile.
    TrainingInterrupted
        After Ctrl-C; finished trials are kept, and the same call continues from there.
    OutputError, ArtifactError
        If the folder or the store cannot be written, or the store is damaged.
    """
    began, started = time.perf_counter(), now()
    models_folder = Path(folder) / "models"
    entries = [entry(name) for name in (NETWORKS, KERNELS)]
    wanted = [(one.study(), one.profile(profile)) for one in entries]
    make_folder(models_folder)
    used = options if pool is not None else replace(resumable(options, folder), models_folder=models_folder)
    found = run_studies(wanted, folder=folder, pool=pool, options=used, threads=threads, progress=progress)
    command = _command(profile, folder)
    rows = claims({name: result.evidence for name, result in found.items()}, command)
    return Reproduction(command, profile, found, rows, models_folder, time.perf_counter() - began, started)


def _command(profile: str, folder: str | Path) -> str:
    """Return what repeats a reproduction: into the same folder."""
    size = "" if profile == "standard" else f" --{profile}"
    return f"convlens reproduce{size}" + ("" if Path(folder) == FOLDER else f" --out {shlex.quote(str(folder))}")


@dataclass(frozen=True)
class Confusion:
    """Number of test images of class i (row) predicted as j (column), summed over the networks of `seeds`."""

    seeds: tuple[int, ...]
    matrix: IntArray

    @property
    def errors(self) -> list[tuple[int, int, int]]:
        """The confusions (true class, predicted class, count), the most frequent first."""
        true, called = np.nonzero(self.matrix)
        found = [(int(i), int(j), int(self.matrix[i, j])) for i, j in zip(true, called, strict=True) if i != j]
        return sorted(found, key=lambda one: (-one[2], one[0], one[1]))

    @classmethod
    def of(cls, arm: ArmTrials | None) -> Confusion | None:
        """Sum over the arm's trials that stored test predictions; None without any."""
        kept = [t for t in arm.trials if "test" in t.predictions and "test" in t.labels] if arm else []
        if not kept:
            return None
        size = 1 + max(int(max(t.predictions["test"].max(), t.labels["test"].max())) for t in kept)
        matrix = np.zeros((size, size), np.int64)
        for trial in kept:
            np.add.at(matrix, (trial.labels["test"], trial.predictions["test"]), 1)
        return cls(tuple(trial.seed for trial in kept), matrix)
