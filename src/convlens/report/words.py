"""Verdicts and the answer in sentences, generated from the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..claims.reproduction import Reproduction
from ..claims.row import NOT_HERE, NOT_TRAINED
from ..claims.rows import ClaimRow
from ..figures.numbers import digits, in_unit, region, with_unit
from ..studies.assessment.evidence import Evidence
from ..studies.estimand import Estimand
from ..studies.metric import Metric
from ..studies.results.result import StudyResult, different_trials
from ..studies.statistics.looks import FEWEST_SEEDS
from ..studies.statistics.stats import Interval
from ..studies.statistics.verdict import PLACES, Verdict, outlook
from ..wording import seeds

MARKS = {"supported": "✓", "true": "✓", "refuted": "✗", "false": "✗", "inconclusive": "?", "preview": "…",
         "incomplete": "…"}  # fmt: skip
"""A symbol beside each verdict, so that colour is not needed."""


def by_arithmetic(verdict: Verdict) -> bool:
    """Return whether the verdict was decided by arithmetic rather than measurement."""
    return verdict.word in ("true", "false")


def calculation(verdict: Verdict) -> str:
    """Return the calculation in a sentence of `verdict.arithmetic`, without the words around it."""
    return verdict.sentence.partition("; ")[2].rstrip(".") or verdict.sentence


def explanation(verdict: Verdict, interval: Interval | None) -> str:
    """Explain the verdict in a sentence.

    The verdict's own sentence repeats its numbers; in the report they are in the next column, so a measured verdict
    is explained without them. A preview and a single seed need no explanation of their own: `warnings` has it.
    """
    if by_arithmetic(verdict):
        return verdict.sentence
    if interval is None:
        return verdict.sentence if verdict.how in (NOT_TRAINED, NOT_HERE) else "Nothing has been measured yet."
    if interval.n < 2 or verdict.word == "preview":
        return ""
    if verdict.word == "incomplete":
        return verdict.sentence
    if verdict.word == "supported":
        return "The whole interval lies inside the claim."
    if verdict.word == "refuted":
        return f"The whole interval lies {PLACES.get(verdict.how, 'outside')} the claim."
    return (
        "The interval, adjusted for the number of looks and of questions, lies partly inside and partly outside the "
        f"claim; {outlook(verdict.needed)}."
    )


def is_preview(results: Sequence[StudyResult]) -> bool:
    """Return whether something was measured, and no study has declared enough seeds for a verdict."""
    return any(result.trials for result in results) and all(r.evidence.primary.look.preview for r in results)


def has_intervals(results: Sequence[StudyResult]) -> bool:
    """Return whether an arm has more than one seed: a single one shows no spread."""
    return _most_seeds(results) > 1


def _most_seeds(results: Sequence[StudyResult]) -> int:
    return max((len(arm.seeds) for result in results for arm in result.evidence.arms), default=0)


def answer(reproduction: Reproduction) -> list[str]:
    """Return the answer: a sentence that counts the verdicts, and one per study, on its primary estimand.

    A preview begins with what was seen: nothing has been decided that could be counted.
    """
    studies = list(reproduction.studies.values())
    seen = [study_answer(result) for result in studies]
    counts = _counts(reproduction.claims)
    return [*seen, counts] if is_preview(studies) else [counts, *seen]


def summary(reproduction: Reproduction) -> list[str]:
    """Return the answer, and then the warnings: what a terminal shows below the claims."""
    found = warnings(list(reproduction.studies.values()), reproduction.command)
    return [*answer(reproduction), *found, *not_run(reproduction)]


def not_run(reproduction: Reproduction) -> list[str]:
    """Return a line for each study that cannot be run on this computer: what is missing."""
    return [f"Not run: {why}." for why in reproduction.absent.values()]


def study_answer(result: StudyResult) -> str:
    """Return the result of a study's primary estimand, in a sentence."""
    return _primary(result.evidence)


def warnings(results: Sequence[StudyResult], command: str) -> list[str]:
    """Return warnings to the reader: trials that are missing or failed, a single seed, several engines."""
    found, trials = [], different_trials(results)
    missing, failed = sum(result.evidence.missing for result in results), sum(len(result.failed) for result in results)
    failures = f" ({failed} of them failed; see the list)" if failed else ""
    if not trials:
        tried = f", {failed} failed (see the list)" if failed else ""
        return [f"Nothing measured yet: 0 of {missing} trials are finished{tried}. Run “{command}” to measure."]
    if missing:
        found.append(
            f"This report is incomplete: {missing} of the declared trials {_are(missing)} missing{failures}. "
            f"Run “{command}” again to continue; finished trials are kept."
        )
    found += [line for result in results for line in _left_out(result)]
    if is_preview(results):
        found.append(f"A preview: {_too_few(results)} {_where_more(command)}")
    engines = sorted({str(t.provenance["engine"]) for t in trials if "engine" in t.provenance})
    if len(engines) > 1:
        found.append(
            f"Several engines ran these trials ({', '.join(engines)}). Engines agree only up to rounding, so trials "
            "differ slightly; results.json names the engine of each. For a single engine, use another folder."
        )
    diverged = sum(trial.diverged for trial in trials)
    if diverged:
        trainings, they, have = ("training", "it", "has") if diverged == 1 else ("trainings", "they", "have")
        count = "counts" if diverged == 1 else "count"
        found.append(
            f"{diverged} {trainings} diverged ({_diverged(results)}); {they} {count}, at chance accuracy, and {have} "
            "no time and no learning curve."
        )
    return found


def _left_out(result: StudyResult) -> list[str]:
    """Return a line for each thing to install, with the arms that need it."""
    arms: dict[str, list[str]] = {}
    for arm, needed in result.left_out.items():
        arms.setdefault(needed, []).append(f"“{arm}”")
    return [
        f"Not run, because the data are not on this computer: {', '.join(names)} of {result.name}. Needs: {needed}."
        for needed, names in arms.items()
    ]


def _too_few(results: Sequence[StudyResult]) -> str:
    """Return why nothing is decided."""
    if not has_intervals(results):
        return (
            "one seed decides nothing, because a single training cannot show how much trainings vary. So there are no "
            "intervals here, and no measured claim is decided."
        )
    return (
        f"a verdict takes {FEWEST_SEEDS} seeds or more, declared beforehand. So the intervals are shown, and no "
        "measured claim is decided."
    )


def _where_more(command: str) -> str:
    """Return what has more seeds."""
    larger = command.replace(" --quick", "").replace("--profile quick", "--profile standard")
    return "Run a profile with more seeds." if larger == command else f"“{larger}” trains more seeds."


def _diverged(results: Sequence[StudyResult]) -> str:
    """Return the arms with diverged trainings, each with their seeds."""
    found: dict[str, dict[int, None]] = {}
    for arm in (arm for result in results for arm in result.arms):
        for trial in arm.trials:
            if trial.diverged:
                found.setdefault(arm.name, {})[trial.seed] = None
    return "; ".join(
        f"“{arm}”, seed{'' if len(of) == 1 else 's'} {', '.join(map(str, of))}" for arm, of in found.items()
    )


def _counts(claims: Sequence[ClaimRow]) -> str:
    count = Counter(row.verdict.word for row in claims)
    arithmetic = count["true"] + count["false"]
    elsewhere = sum(row.left_out for row in claims)
    tested = len(claims) - arithmetic - elsewhere
    left = f"; {elsewhere} more are not measured here" if elsewhere else ""
    judged = count["supported"] + count["refuted"] + count["inconclusive"]
    if not judged:
        return (
            f"By arithmetic, {count['true']} of {arithmetic} claims about sizes and costs {_are(count['true'])} true "
            f"and {count['false']} false; the other {tested} need more seeds{left}."
        )
    waiting = "" if judged == tested else f", {tested - judged} need more seeds"
    return (
        f"Of {tested} claims put to the test, {count['supported']} {_are(count['supported'])} supported, "
        f"{count['refuted']} refuted and {count['inconclusive']} inconclusive{waiting}; of {arithmetic} decided by "
        f"arithmetic, {count['true']} {_are(count['true'])} true and {count['false']} false{left}."
    )


def _primary(evidence: Evidence) -> str:
    found = evidence.primary
    estimand, interval = found.estimand, found.interval
    metric = next(metric for metric in evidence.study.metrics if metric.name == estimand.metric)
    contrast = estimand.reference is not None
    what = f"{estimand.described[0].upper()}{estimand.described[1:]}, {metric.label}"
    if interval is None:
        return f"{what}: nothing has been measured yet."
    came_to = with_unit(interval, metric.unit, signed=contrast, digits=digits(metric, interval))
    if interval.n < 2:
        came_to, _, _ = came_to.partition(" [")  # folds of one seed have an interval, which is of no other seed
        return f"{what}: {_subtraction(evidence, estimand, metric)}{came_to}."
    over = f"95 % interval over {seeds(interval.n)}, for these test images"
    measured, verdict = f"{what}: {came_to} ({over}).", found.verdict
    if verdict.word == "preview":
        return measured
    if verdict.word == "incomplete":
        return f"{measured} {verdict.sentence}"
    claimed = _claimed(region(estimand.region, metric.unit, signed=contrast))
    general = "" if found.general is None else f"; for images in general, {found.general.label}"
    return f"{measured} The claim, {claimed}, is {verdict.label}{general}."


def _subtraction(evidence: Evidence, estimand: Estimand, metric: Metric) -> str:
    """Return how a difference comes about: ``97.69 % − 95.34 % = ``; nothing if there is none."""
    if estimand.reference is None:
        return ""
    values = {arm.name: in_unit(arm.metrics.get(metric.name), metric) for arm in evidence.arms}
    return f"{values[estimand.arm]} − {values[estimand.reference]} = "


def _claimed(text: str) -> str:
    words = {">": "above", "<": "below", "≥": "at least", "≤": "at most"}
    sign, _, rest = text.partition(" ")
    return f"{words[sign]} {rest}" if sign in words else f"from {text}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
