"""What a study declared before it was run, and what became of that: prediction, register, verdict, cost, design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .. import wording
from ..figures import numbers
from ..studies.estimand import Estimand
from ..studies.metric import Metric
from ..studies.results.result import ArmTrials, StudyResult
from ..studies.statistics.verdict import outlook
from ..studies.trial import NAMES
from ..studies.tuned import PROTOCOL, rate_key, read_rates, trainings
from ..version import NUMERICS_VERSION
from .sections import Rows
from .words import MARKS

Said = list[tuple[str, str]]  # headings and paragraphs


def opening(result: StudyResult) -> Said:
    """Return what comes first: the prediction and its reason as declared, and what the register says of them."""
    study = result.evidence.study
    return [
        ("Predicted beforehand", study.prediction),
        ("Why", study.why),
        ("Register", " ".join(_register(result))),
    ]


def stored_line(result: StudyResult) -> str:
    """Return where a stored result comes from; empty for one that was run here."""
    if not result.stored:
        return ""
    code = f" by convlens {result.declared[-1].code}" if result.declared else ""
    version = result.evidence.numerics_version
    stale = "" if version == NUMERICS_VERSION else f", which is {NUMERICS_VERSION} by now"
    return (
        f"Stored with convlens: measured on {result.started[:10]}{code}, numerics version {version}{stale}. "
        f"“{result.command.partition(' --out ')[0]}” measures it on this computer."
    )


def _register(result: StudyResult) -> list[str]:
    if not result.declared:
        return ["Nothing is recorded of when this was declared."]
    first, *changes = result.declared
    said = [f"Declared on {_day(first.created)} with convlens {first.code}, before the first trial."]
    said += [f"Changed on {_day(one.created)}: {one.amended or 'not said in what'}." for one in changes]
    if not changes:
        said.append("Nothing of it has been changed since.")
    drawn = [f"{_day(one.created)}, {wording.seeds(one.seeds)}: {one.verdict}" for one in result.drawn[:-1]]
    return [*said, *(["Earlier verdicts: " + " ".join(drawn)] if drawn else [])]


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ") + " UTC"


def verdict_table(result: StudyResult) -> Rows:
    """Return the primary estimand's verdict with all that it rests on."""
    found, study = result.evidence.primary, result.evidence.study
    estimand = found.estimand
    metric = next(one for one in study.metrics if one.name == estimand.metric)
    rows = [
        ("the claim", _claim(estimand, metric)),
        ("verdict", f"{MARKS[found.verdict.word]} {found.verdict.label}"),
        ("reason", found.verdict.sentence),
    ]
    if found.finding is not None:
        margin = wording.quantity(estimand.margin or 0.0, metric.unit, signed=True).lstrip("+")
        rows.append(("finding", f"{found.finding}, with a margin of {margin}"))
    intervals = (("over seeds, for these test images", found.interval), ("by which it is decided", found.adjusted),
                 ("for images in general", found.two_way))  # fmt: skip
    for what, one in intervals:
        if one is not None and one.n > 1:
            signed, digits = estimand.reference is not None, numbers.digits(metric, one)
            value = numbers.with_unit(one, metric.unit, signed=signed, digits=digits)
            rows.append((f"{100 * one.confidence:.4g} % interval {what}", value))
    if found.general is not None:
        rows.append(("verdict for images in general", f"{MARKS[found.general.word]} {found.general.label}"))
    if found.verdict.word == "inconclusive":
        coming = found.look.next  # declared beforehand, so nobody need declare anything anew
        look = (
            "" if coming is None else f"perhaps the declared look at {coming} seeds: {result.command} --until-settled; "
        )
        rows.append(("what would settle it", look + outlook(found.needed)))
    rows += [
        ("role", f"{found.role}: the one estimand that was declared as primary"),
        ("looks", f"{', '.join(map(str, found.look.looks))} seeds declared, {found.look.seeds} reached, "
                  f"each decided at {found.look.level:g}"),
        ("what varies between seeds", study.varies),
        ("the command that repeats it", result.command),
    ]  # fmt: skip
    return Rows("The verdict, and what it rests on", ("what", "value"), rows)


def _claim(estimand: Estimand, metric: Metric) -> str:
    claimed = numbers.region(estimand.region, metric.unit, signed=estimand.reference is not None)
    return f"{estimand.described}, {metric.label}: {claimed}"


def cost_table(result: StudyResult) -> Rows:
    """Return what the trials took, by arm, and in a row of their own the networks that they measured.

    A trial that is of two arms, and a network that is an arm's own training too, cost only once.
    """
    arms = {arm.name: {trial.key: trial.seconds for trial in arm.trials} for arm in result.arms}
    own = {str(key): seconds for trials in arms.values() for key, seconds in trials.items()}
    networks = {key: seconds for key, seconds in result.networks.items() if key not in own}
    groups: dict[str, Mapping[Any, float | None]] = {
        **arms,
        "the networks measured, each trained once": networks,
        "all": {**own, **networks},
    }
    rows = []
    for name, trials in groups.items():
        taken = [seconds for seconds in trials.values() if seconds is not None]
        if taken:
            mean = wording.duration(sum(taken) / len(taken))
            rows.append((name, str(len(taken)), mean, wording.duration(sum(taken))))
    return Rows("Cost: time of a trial, and of all", ("arm", "trials", "a trial, mean", "in all"), rows)


def matched_table(result: StudyResult) -> Rows:
    """Return which arms were matched to which, in what, and how close they came."""
    rows = [
        (arm.name, one.measure, one.to, f"{one.wanted:,}", f"{one.got:,}", f"{one.ratio:.3f}")
        for arm in result.evidence.study.arms
        if (one := arm.matched) is not None
    ]
    return Rows("Matched arms", ("arm", "matched in", "to", "wanted", "got", "ratio"), rows)


def left_out_table(result: StudyResult) -> Rows:
    """Return the arms that are left out here, and what each needs."""
    return Rows("Arms left out on this computer", ("arm", "needs"), list(result.left_out.items()))


def tuning_table(result: StudyResult) -> Rows:
    """Return the grid of every network whose rate was tuned, with the winner marked."""
    rates = read_rates()
    rows: dict[str, tuple[str, ...]] = {}
    for _, training in _trainings(result.arms):
        key, rate = rate_key(training), training["recipe"]["schedule"].get("rate")
        found = rates.get(key)
        if found is not None and found.rate == rate:
            tried = zip(PROTOCOL.grid, found.accuracy, strict=True)
            cells = [wording.percent(accuracy) + (" (best)" if one == rate else "") for one, accuracy in tried]
            edge = "at the edge of the grid: a better one may lie beyond" if found.at_edge else ""
            name = ", ".join(str(found.names[part]) for part in ("model", "data") if part in found.names)
            rows[key] = (name, f"{rate:g}", *cells, edge or wording.NONE)
    columns = ("network", "peak rate", *(f"at {rate:g}" for rate in PROTOCOL.grid), "warning")
    caption = (
        f"Tuning: validation accuracy at every peak rate, mean over {len(PROTOCOL.seeds)} seeds of their own, "
        f"{PROTOCOL.train_images:,} training images, {PROTOCOL.epochs} epochs"
    )
    return Rows(caption, columns, list(rows.values()))


def candidates_table(result: StudyResult) -> Rows:
    """Return which candidates were chosen inside the folds, by arm and setting, and whether at the edge of their grid.

    A grid of two values is all edge, so that says nothing.
    """
    rows = []
    for arm in result.arms:
        candidates: Any = arm.arm.configuration.get("candidates", ())
        chosen = [candidates[int(n)] for trial in arm.trials for n in trial.curves.get("fold.chosen", ())]
        for setting in sorted({key for one in candidates for key in one}) if chosen else ():
            grid = sorted({one[setting] for one in candidates if setting in one})
            times = Counter(one[setting] for one in chosen if setting in one)
            at_edge = times[grid[0]] + times[grid[-1]]
            warned = len(grid) > 2 and 2 * at_edge > len(chosen)
            edge = "mostly at the edge of the grid: a better one may lie beyond" if warned else wording.NONE
            rows.append((arm.name, setting, ", ".join(f"{value:g}: {times[value]}" for value in grid), edge))
    return Rows("Candidates chosen inside the folds", ("arm", "setting", "value: folds", "warning"), rows)


def _trainings(arms: Sequence[ArmTrials]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(arm.name, one) for arm in arms for one in trainings(arm.arm.configuration) if NAMES in one]
