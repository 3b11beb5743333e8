"""The register: what a study declared before its first trial, every change of that, and every verdict drawn.

So a reader sees whether the question, the prediction, the arms or the seeds were changed after results were in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...plain import canonical, difference
from ...train.provenance import code_version
from ...version import NUMERICS_VERSION
from ..pools.pool import now
from ..spec import Profile, Study
from .store import TrialStore


@dataclass(frozen=True)
class Registration:
    """A declaration of a study under a profile.

    Attributes
    ----------
    digest
        SHA-256 of the description: 64 hexadecimal digits.
    numerics_version
        Version of the arithmetic.
    code
        Version of convlens, with the commit where it is known.
    created
        ISO 8601, UTC.
    amended
        Where it differs from the declaration before it, in words; None for the first.
    """

    digest: str
    numerics_version: int
    code: str
    created: str
    amended: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class DrawnVerdict:
    """A verdict on the primary estimand, as it was drawn: at which declaration, with n seeds, in which words."""

    digest: str
    numerics_version: int
    seeds: int
    verdict: str
    created: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


def declaration(study: Study, profile: Profile) -> dict[str, Any]:
    """Return what is registered: study and profile as plain JSON, all sentences included."""
    return {"study": study.to_dict(), "profile": profile.to_dict()}


def digest_of(declared: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a declaration."""
    return hashlib.sha256(canonical(declared, "declaration").encode()).hexdigest()


def register(store: TrialStore, study: Study, profile: Profile) -> None:
    """Write down what is declared, unless the last declaration of this study and profile is the same.

    Raises
    ------
    OutputError
        If the store cannot be written.
    """
    declared = declaration(study, profile)
    digest, found = digest_of(declared), registrations(store, study.name, profile.name)
    if found and (found[-1].digest, found[-1].numerics_version) == (digest, NUMERICS_VERSION):
        return
    store.write(
        "INSERT INTO register (digest, study, profile, description, numerics_version, code, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (digest, study.name, profile.name, canonical(declared), NUMERICS_VERSION, code_version(), now()),
    )


def registrations(store: TrialStore, study: str, profile: str) -> list[Registration]:
    """Return the declarations of a study under a profile, oldest first."""
    rows = store.rows(
        "SELECT digest, description, numerics_version, code, created FROM register "
        "WHERE study = ? AND profile = ? ORDER BY position",
        (study, profile),
    )
    found: list[Registration] = []
    before: Any = None
    for digest, description, numerics_version, code, created in rows:
        declared = json.loads(description)
        amended = None
        if found:
            amended = difference(declared, before, "it") or f"numerics version {found[-1].numerics_version} before"
        found.append(Registration(digest, numerics_version, code, created, amended))
        before = declared
    return found


def record_verdict(store: TrialStore, study: Study, profile: Profile, seeds: int, verdict: str) -> None:
    """Write down a verdict, unless it is the last one drawn on this declaration."""
    digest = digest_of(declaration(study, profile))
    drawn = [one for one in verdicts(store, study.name, profile.name) if one.digest == digest]
    if drawn and (drawn[-1].seeds, drawn[-1].verdict, drawn[-1].numerics_version) == (seeds, verdict, NUMERICS_VERSION):
        return
    store.write(
        "INSERT INTO verdicts (digest, numerics_version, seeds, verdict, created) VALUES (?, ?, ?, ?, ?)",
        (digest, NUMERICS_VERSION, seeds, verdict, now()),
    )


def verdicts(store: TrialStore, study: str, profile: str) -> list[DrawnVerdict]:
    """Return every verdict drawn on a study under a profile, oldest first."""
    rows = store.rows(
        "SELECT DISTINCT verdicts.position, verdicts.digest, verdicts.numerics_version, seeds, verdict, "
        "verdicts.created FROM verdicts JOIN register ON register.digest = verdicts.digest "
        "WHERE study = ? AND profile = ? ORDER BY verdicts.position",
        (study, profile),
    )
    return [DrawnVerdict(*row[1:]) for row in rows]
