"""Put the claims to the test in one call: run the studies that they need, and derive the verdicts from the results."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError, DataError, nearest
from ..files import make_folder
from ..markup import html_table
from ..studies.assessment.evidence import Evidence
from ..studies.catalog import StudyEntry, entry
from ..studies.executors import ExecutionOptions
from ..studies.needs import left_out, without
from ..studies.pools.pool import Pool, now
from ..studies.results.result import ArmTrials, StudyResult
from ..studies.results.shipped import read_shipped, shipped_names
from ..studies.run import FOLDER, STORE, resumable, run_studies
from ..studies.runner import ProgressDisplay
from ..studies.spec import Profile, Study
from ..studies.storage.store import TrialStore
from ..typing import IntArray
from .rows import ClaimRow, claims, studies_of_claims

NETWORKS, KERNELS = "baseline-vs-cnn", "kernel-size"
BEST_CNN = "cnn, good"  # the arm whose errors and filters are shown: the CNN under the better recipe
SIZES = ("quick", "standard", "full")
LAST_LOOK = 1_000  # whatever the number of looks: a study is run up to its last


@dataclass(frozen=True)
class Reproduction:
    """The claims with their verdicts, and the studies behind them.

    Attributes
    ----------
    command
        The command that repeats it.
    profile
        Its size: ``"quick"``, ``"standard"`` or ``"full"``.
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
    stored
        Results that ship with convlens, by study name. They stand beside what was measured.
    absent
        Studies that cannot be run on this computer, each with what is missing.
    """

    command: str
    profile: str
    studies: Mapping[str, StudyResult]
    claims: Sequence[ClaimRow]
    models_folder: Path | None
    seconds: float
    started: str
    stored: Mapping[str, StudyResult] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

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
        ``"standard"`` runs every study's profile ``claims``, at most 15 minutes on two cores. ``"quick"`` runs the same
        arms with one seed on few images, a preview of about a minute; ``"full"`` the standard profiles, to their last
        look, which takes hours.
    folder
        Folder of the store of trials, which studies share, and of the trained models; created if needed.
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
        If the folder or the store cannot be written, or the store or a stored result is damaged.
    """
    began, started = time.perf_counter(), now()
    models_folder = Path(folder) / "models"
    known = set(shipped_names())
    stored = {name: read_shipped(name) for name in studies_of_claims() if name in known}
    wanted = plans(profile)
    make_folder(models_folder)
    absent = _absent(wanted, folder)
    used = options if pool is not None else replace(resumable(options, folder), models_folder=models_folder)
    found = run_studies(
        [(study, size) for study, size in wanted if study.name not in absent],
        folder=folder,
        pool=pool,
        options=used,
        threads=threads,
        progress=progress,
        look=LAST_LOOK,
    )
    command = _command(profile, folder)
    rows = claims(_evidence(found), command, _evidence(stored), absent)
    seconds = time.perf_counter() - began
    return Reproduction(command, profile, found, rows, models_folder, seconds, started, stored, absent)


def plans(profile: str) -> list[tuple[Study, Profile]]:
    """Return the studies that the claims need, each with the profile in which it is run."""
    if profile not in SIZES:
        raise ConfigurationError(f"claims are reproduced in the sizes {', '.join(SIZES)}{nearest(profile, SIZES)}")
    listed = [entry(name) for name in studies_of_claims()]
    return [(one.study(), _size(one, profile)) for one in listed]


def _size(listed: StudyEntry, profile: str) -> Profile:
    if profile == "full":
        return listed.profile("standard")
    declared = listed.profile("claims")
    if profile == "standard":
        return declared
    quick = listed.profile("quick")
    return replace(declared, name="claims, quick", seeds=quick.seeds[:1], overrides=quick.overrides)


def _absent(wanted: Sequence[tuple[Study, Profile]], folder: str | Path) -> dict[str, str]:
    """Return the studies whose primary estimand cannot be measured here, each with what is missing."""
    found = {}
    with TrialStore(Path(folder) / STORE) as store:
        for study, size in wanted:
            try:
                without(study, size, left_out(study, size, store))
            except DataError as error:
                found[study.name] = str(error)
    return found


def _evidence(results: Mapping[str, StudyResult]) -> dict[str, Evidence]:
    return {name: result.evidence for name, result in results.items()}


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
