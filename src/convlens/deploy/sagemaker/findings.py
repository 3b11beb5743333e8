"""What is known before anything is made: findings, and the verdict that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .denial import Denial, PolicyLayer


class Answer(StrEnum):
    """The answer to one question."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


class DoctorVerdict(StrEnum):
    """Whether a deployment can succeed."""

    GO = "go"
    NO_GO = "no-go"
    UNSURE = "unsure"

    @property
    def exit_code(self) -> int:
        """The exit code of ``convlens sagemaker doctor``: 0, 4 or 5; `UnreachableError` has another."""
        return {DoctorVerdict.GO: 0, DoctorVerdict.NO_GO: 4, DoctorVerdict.UNSURE: 5}[self]


@dataclass(frozen=True)
class Finding:
    """The answer to one question, and how it is known.

    Attributes
    ----------
    what
        The action, ``"iam:PassRole"``, or another condition: ``"trust"``, ``"quota"``, ``"image"``, ``"bucket"``.
    resource
        What it is about.
    who
        ``"caller"`` or ``"role"``.
    answer
        Allowed, denied or unknown.
    evidence
        How that is known, in words.
    layer
        Which kind of rule denies; None unless denied.
    explicit
        Whether a Deny statement does, which no Allow overrides.
    advice
        What to do about it.
    optional
        Whether a deployment succeeds without it.
    passing
        Other values of the condition that decides, with which it would be allowed: instance types.
    """

    what: str
    resource: str
    who: str
    answer: Answer
    evidence: str
    layer: PolicyLayer | None = None
    explicit: bool = False
    advice: str = ""
    optional: bool = False
    passing: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "what": self.what,
            "resource": self.resource,
            "who": self.who,
            "answer": str(self.answer),
            "layer": str(self.layer) if self.layer else None,
            "explicit": self.explicit,
            "evidence": self.evidence,
            "advice": self.advice,
            "optional": self.optional,
            "would_pass": list(self.passing),
        }

    def __str__(self) -> str:
        by = f" by {self.layer}" if self.layer else ""
        return f"{self.what} on {self.resource} ({self.who}): {self.answer}{by}: {self.evidence}"


def verdict_of(findings: Iterable[Finding]) -> DoctorVerdict:
    """Return no-go if anything needed is denied, unsure if anything needed is unknown, else go."""
    needed = {one.answer for one in findings if not one.optional}
    if Answer.DENIED in needed:
        return DoctorVerdict.NO_GO
    return DoctorVerdict.UNSURE if Answer.UNKNOWN in needed else DoctorVerdict.GO


def remedy(denial: Denial, who: str, passing: tuple[str, ...] = ()) -> str:
    """Return what would help against a denial: an Allow only where one is what is missing.

    Parameters
    ----------
    denial
        What was denied, and by what.
    who
        ``"caller"`` or ``"role"``.
    passing
        Instance types with which it would be allowed.
    """
    if passing:
        return f"use --instance-type {passing[0]}" + (f" (or {', '.join(passing[1:])})" if passing[1:] else "")
    if denial.explicit:
        return (
            f"an Allow does not help, because {denial.decides} decides; its owner can change it, or this needs another "
            "account"
        )
    if denial.layer is PolicyLayer.IDENTITY:
        return f"an administrator can allow it with the policy for the {who} that convlens sagemaker doctor prints"
    if denial.layer is PolicyLayer.UNNAMED:
        return "AWS does not say which policy decides; ask an administrator"
    return f"an Allow for the {who} alone does not help: the {denial.layer} must allow it too; ask whoever owns that"
