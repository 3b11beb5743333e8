"""From an interval to a word: supported, refuted or inconclusive; true or false where arithmetic decides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ...errors import ConfigurationError
from ...plain import check_keys
from ...wording import bare, named, quantity, seeds
from .finding import finding
from .looks import FEWEST_SEEDS, Look
from .power import SeedsNeeded
from .region import Region as Region
from .region import between as between
from .region import greater_than as greater_than
from .region import less_than as less_than
from .stats import Interval

Word: TypeAlias = Literal["supported", "refuted", "inconclusive", "true", "false", "preview", "incomplete"]
"""The last two are no verdicts: too few seeds are declared for one, or not all of them are in."""

EXCEEDED, FELL_SHORT = "exceeded", "fell short"
PLACES: Mapping[str, str] = {EXCEEDED: "above", FELL_SHORT: "below"}
"""Where the interval of a range that was missed lies, seen from the range."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim.

    Attributes
    ----------
    word
        The verdict.
    sentence
        The verdict with its numbers.
    how
        How a claim is refuted, where its region does not say it: ``"equivalent within 0.10 points"``, ``"exceeded"``.
    needed
        If it is inconclusive, the seeds for 80 % power in a new run; None if it is unknown.
    """

    word: Word
    sentence: str
    how: str = ""
    needed: SeedsNeeded | None = None

    @property
    def label(self) -> str:
        """The verdict as it is shown: ``supported``, ``refuted: exceeded``."""
        return f"{self.word}: {self.how}" if self.how else self.word

    @property
    def decided(self) -> bool:
        """Whether it says that the claim is true, or that it is not."""
        return self.word in ("supported", "refuted", "true", "false")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "word": self.word,
            "how": self.how,
            "sentence": self.sentence,
            "needed": None if self.needed is None else self.needed.to_dict(),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Verdict:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "verdict")
        needed = given.get("needed")
        return cls(**{**given, "needed": None if needed is None else SeedsNeeded(**needed)})


def verdict_on(
    interval: Interval, region: Region, unit: str = "", *, signed: bool = False, needed: SeedsNeeded | None = None
) -> Verdict:
    """Return the verdict on the claim that the estimand lies in `region`.

    Supported if the whole interval is inside, refuted if it is wholly outside, otherwise inconclusive.

    Parameters
    ----------
    interval
        At the level at which it is decided: see `convlens.studies.assessment.judgement.judge`.
    region
        The claim.
    unit, signed
        The metric's unit, in which the sentence gives its numbers; `signed` for a difference.
    needed
        Seeds that would settle the claim, for an open verdict.
    """
    if not math.isfinite(interval.half_width):
        gave = f"{seeds(interval.n)} {'gives' if interval.n == 1 else 'give'}"
        mean = quantity(interval.mean, unit, signed=signed)
        return Verdict("inconclusive", f"Inconclusive: {gave} {mean}, but no variation over seeds to judge it by.")
    numbers, claim = _numbers(interval, unit, signed=signed), region.described(unit, signed=signed)
    if region.contains(interval):
        return Verdict("supported", f"Supported: {numbers} lies wholly inside the claim, {claim}.")
    if region.excludes(interval):
        how = _refuted(interval, region, unit, signed=signed)
        sentence = f"Refuted: {numbers} lies wholly {PLACES.get(how, 'outside')} the claim, {claim}"
        return Verdict("refuted", sentence + ("." if how in ("", *PLACES) else f" ({how})."), how)
    sentence = f"Inconclusive: {numbers} lies partly inside and partly outside the claim, {claim}; {outlook(needed)}."
    return Verdict("inconclusive", sentence, needed=needed)


def outlook(needed: SeedsNeeded | None) -> str:
    """Return what would settle an open claim, as a clause."""
    if needed is None:
        return "how many seeds would settle it cannot be predicted"
    return f"a new, separately declared run would take {needed} to settle it with 80 % power"


def no_verdict(look: Look, present: int, failed: int = 0) -> Verdict:
    """Return the word for evidence that may not be judged: a preview, or a look that is not complete.

    Parameters
    ----------
    look
        Where it stands.
    present, failed
        Seeds that are in, and trials that failed when they were last run.
    """
    if look.preview:
        declared = look.looks[-1]
        return Verdict(
            "preview",
            f"Preview: {seeds(declared)} {'decides' if declared == 1 else 'decide'} nothing; a verdict takes "
            f"{FEWEST_SEEDS} or more, declared beforehand.",
        )
    failures = f", {failed} {'trial' if failed == 1 else 'trials'} failed" if failed else ""
    return Verdict(
        "incomplete",
        f"Incomplete: {present} of {look.next} declared seeds are in{failures}; there is no verdict before all are.",
    )


def arithmetic(claimed: str, shown: str, *, holds: bool) -> Verdict:
    """Return the verdict on a claim that needs no measurement.

    Parameters
    ----------
    claimed
        The claim: ``"about 210K parameters"``.
    shown
        The calculation that decides it: ``"160 + 4,640 + 200,832 + 1,290 = 206,922"``.
    holds
        Whether the claim is true.
    """
    if holds:
        return Verdict("true", f"True by arithmetic: claimed {claimed}; {shown}.")
    return Verdict("false", f"False by arithmetic: claimed {claimed}; {shown}.")


def compound(parts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on a claim that holds only if all its parts do.

    Refuted (false, if arithmetic decides it alone) if one of them is, whatever the others are; supported (true) if all
    are; otherwise open, as the first of incomplete, preview and inconclusive that is among them.

    Raises
    ------
    ConfigurationError
        If there is no part.
    """
    if not parts:
        raise ConfigurationError("a claim has one or more parts")
    if len(parts) == 1:
        return parts[0]
    words = [part.word for part in parts]
    wrong = [word for word in words if word in ("refuted", "false")]
    if wrong:
        word: Word = "false" if set(wrong) == {"false"} else "refuted"
        return _of_parts(word, len(wrong), len(parts), "not hold")
    if all(part.decided for part in parts):
        word = "true" if set(words) == {"true"} else "supported"
        return Verdict(word, f"{word.capitalize()}: all {len(parts)} parts hold.")
    undecided: Sequence[Word] = ("incomplete", "preview", "inconclusive")
    word = next(one for one in undecided if one in words)
    return _of_parts(word, sum(not part.decided for part in parts), len(parts), "not decided")


def _of_parts(word: Word, count: int, parts: int, what: str) -> Verdict:
    how = f"{count} of {parts} parts" if count < parts else f"all {parts} parts"
    verb = "do" if what == "not hold" and count > 1 else "does" if what == "not hold" else "are" if count > 1 else "is"
    return Verdict(word, f"{word.capitalize()}: {how} {verb} {what}.", how)


def _numbers(interval: Interval, unit: str, *, signed: bool) -> str:
    low, high, mean = (bare(value, unit, signed=signed) for value in (interval.low, interval.high, interval.mean))
    return (
        f"the {100 * interval.confidence:.4g} % interval {low} to {high}{named(unit, signed=signed)} "
        f"(mean {mean}, {seeds(interval.n)})"
    )


def _refuted(interval: Interval, region: Region, unit: str, *, signed: bool) -> str:
    """Return how a claim is refuted: of a difference, by what holds instead; of a range, on which side it is missed."""
    above = interval.low > max(region.bounds) if region.closed else interval.low >= max(region.bounds)
    if len(region.bounds) == 2:
        return EXCEEDED if above else FELL_SHORT
    margin = region.margin
    if not signed or margin is None:
        return ""
    within = f"equivalent within {quantity(margin, unit, signed=True).lstrip('+')}" if margin else "no difference"
    found = finding(interval, margin)
    if found == "equivalent":
        return within
    return "the reverse" if found != "inconclusive" or not margin else f"{within}, or the reverse"
