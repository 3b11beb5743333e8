"""The claims of the project this one succeeds, with their verdicts.

Claims about numbers of parameters, FLOPs or pixels are decided by arithmetic, with the calculation shown; the others by
the evidence of the studies, each sub-claim on its own. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ..studies.assessment.evidence import EstimandEvidence, Evidence
from ..studies.catalog import entry
from ..studies.spec import Study
from ..studies.statistics.verdict import Verdict
from .arithmetic import arithmetic_rows
from .questions import Question, questions
from .row import NOT_HERE, NOT_TRAINED, StoredRow
from .row import ClaimRow as ClaimRow
from .row import compounds as compounds
from .row import stored_compounds as stored_compounds


def claims(
    evidence: Mapping[str, Evidence],
    command: str,
    stored: Mapping[str, Evidence] | None = None,
    absent: Mapping[str, str] | None = None,
) -> list[ClaimRow]:
    """Return the rows of all ten claims.

    Parameters
    ----------
    evidence
        What was measured, by name of the study. A study, or an estimand in it, may be missing: then its rows say so.
    command
        The command that measured it.
    stored
        Evidence that ships with convlens, by name of the study.
    absent
        Studies that cannot be run on this computer, each with what is missing.
    """
    measured = [_measured(one, evidence, command, stored or {}, absent or {}) for one in questions()]
    return sorted([*arithmetic_rows(), *measured], key=lambda row: row.number)


def studies_of_claims() -> list[str]:
    """Return the names of the studies that the claims need."""
    return list(dict.fromkeys(one.study for one in questions()))


def _measured(
    question: Question,
    evidence: Mapping[str, Evidence],
    command: str,
    stored: Mapping[str, Evidence],
    absent: Mapping[str, str],
) -> ClaimRow:
    study = evidence[question.study].declared if question.study in evidence else _declared(question.study)
    estimand = next(one for one in study.estimands if one.name == question.estimand)
    metric = next(one for one in study.metrics if one.name == estimand.metric)
    signed = estimand.reference is not None
    found, kept = (_find(of.get(question.study), question.estimand) for of in (evidence, stored))
    own = f"convlens study run {question.study}"
    return ClaimRow(
        question.name,
        question.number,
        question.claim,
        estimand.region.described(metric.unit, signed=signed),
        None if found is None else found.interval,
        _left_out(absent.get(question.study), own) if found is None else found.verdict,
        own if found is None else command,
        metric,
        signed,
        None if kept is None else StoredRow.of(kept),
        question.beside,
    )


def _find(evidence: Evidence | None, name: str) -> EstimandEvidence | None:
    """Return an estimand's evidence; None if the study was not run, or without the estimand's arms."""
    every = () if evidence is None else (evidence.primary, *evidence.secondary)
    return next((one for one in every if one.estimand.name == name), None)


def _left_out(missing: str | None, command: str) -> Verdict:
    if missing is not None:
        return Verdict("incomplete", f"Incomplete: {missing}.", NOT_HERE)
    return Verdict(
        "incomplete", f"Incomplete: its networks are not trained here; “{command}” trains them.", NOT_TRAINED
    )


@lru_cache
def _declared(name: str) -> Study:
    return entry(name).study()
