"""Quote a reproduction in README and docs/claims.md: its claims, what they show in sentences, and its figures.

    python docs/quote_claims.py out/reproduce

A document marks the place of a quote by ``<!-- claims: NAME -->`` and ``<!-- end of claims -->``; `VIEWS` has the
names. What is quoted is kept in docs/figures/claims.json, from which a test renders all of it again. A sentence that
interprets a result names the verdicts on which it rests; where a later run decides otherwise, nothing is written until
the sentence has been rewritten.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from convlens import models, wording
from convlens.figures import numbers
from convlens.report.words import calculation
from convlens.studies.stats import Interval
from convlens.studies.verdict import Verdict

DOCS = Path(__file__).parent
DOCUMENTS = (DOCS.parent / "README.md", DOCS / "claims.md")
KEPT = DOCS / "figures" / "claims.json"
FIGURES = ("seeds-baseline-vs-cnn.png", "kernel-size.png")
PLACE = re.compile(r"(<!-- claims: (\w+) -->\n).*?(<!-- end of claims -->)", re.S)

CHOSEN = (
    "cnn-size",
    "cnn-accuracy-good",
    "cnn-over-baseline-wide",
    "cnn-over-baseline-flops",
    "network-square",
    "3x3-over-5x5",
    "3x3-over-7x7-equal-receptive-fields",
    "7x7-gap",
)
"""README's rows, by the names of the claims."""

Claims = Mapping[str, Mapping[str, Any]]  # by name


class Sentence(NamedTuple):
    """A sentence about results: its text, with ``{values}``, and the verdicts without which it would be wrong."""

    text: str
    rests_on: Mapping[str, str] = {}


WHY = (
    Sentence(
        "**Neighbours belong together.** A convolutional layer looks through a small window, 3x3 pixels: its first "
        "layer has {conv1} parameters, where a dense network's, which looks at all pixels at once, has {dense1}."
    ),
    Sentence(
        "**A stroke is a stroke wherever it is.** The same few weights slide over the image, so what is learned in one "
        "of {places} places is known in all of them."
    ),
    Sentence(
        "**It is not size.** A dense network with as many parameters reaches {wide}, the CNN {cnn}: {over_wide} more, "
        "and {fewer} fewer errors.",
        {"cnn-over-baseline-wide": "supported"},
    ),
    Sentence(
        "**It is not computing either**, though that is the price: the CNN takes {times} times the arithmetic of the "
        "dense baseline, and still beats a dense network that takes as much, by {over_flops}.",
        {"cnn-over-baseline-flops": "supported"},
    ),
    Sentence(
        "**Layers add up.** Three layers of 3x3 see as much as one of 7x7. Their advantage is {stacked}; whether it is "
        "more than a tenth of a point, three seeds leave open.",
        {"3x3-over-7x7-equal-receptive-fields": "inconclusive"},
    ),
)
"""README's five sentences on why convolutional layers work."""

CONCLUSION = (
    Sentence(
        "So the architecture is worth about a point of accuracy on digits, at equal size and at equal cost.",
        {"cnn-over-baseline-wide": "supported", "cnn-over-baseline-flops": "supported"},
    ),
    Sentence(
        "The size of the kernels matters less, and not as was claimed: 3x3 is not better than 5x5, and 7x7 does "
        "not overfit.",
        {"3x3-over-5x5": "refuted", "7x7-gap": "refuted"},
    ),
    Sentence(
        "The accuracy that was claimed was too modest for a good recipe.", {"cnn-accuracy-good": "refuted: higher"}
    ),
)
"""What README concludes from its rows."""


def kept(results: dict[str, Any]) -> dict[str, Any]:
    """Return what is quoted of a results.json."""
    trials = {t["key"]: t for study in results["studies"].values() for t in study["trials"]}.values()
    made_by = {_made_by(**{name.replace(" ", "_"): value for name, value in t["provenance"].items()}) for t in trials}
    return {
        **{name: results[name] for name in ("command", "profile", "missing_trials", "seconds", "started", "claims")},
        "trials": len(trials),
        "trained_seconds": sum(t["metrics"]["seconds.train"] for t in trials),
        "made_by": sorted(made_by),
    }


def _made_by(engine: str, threads: int, trials_side_by_side: int = 1, **_: Any) -> str:
    together = "" if trials_side_by_side == 1 else f" each, {trials_side_by_side} side by side"
    return f"engine {engine}, {threads} thread{'' if threads == 1 else 's'}{together}"


def every_row(quoted: dict[str, Any]) -> str:
    """Return all claims as a table, and a line that says what was run."""
    return f"{_table(quoted['claims'])}\n\n{_run(quoted)}\n"


def chosen_rows(quoted: dict[str, Any]) -> str:
    """Return README's rows, the line that says what was run, and the conclusion."""
    claims = _by_name(quoted)
    conclusion = " ".join(_written(one, claims, {}) for one in CONCLUSION)
    return f"{_table([claims[name] for name in CHOSEN])}\n\n{conclusion}\n\n{_run(quoted)}\n"


def why(quoted: dict[str, Any]) -> str:
    """Return the sentences on why convolutional layers work."""
    claims = _by_name(quoted)
    values = _values(claims)
    return "\n".join(f"{number}. {_written(one, claims, values)}" for number, one in enumerate(WHY, 1)) + "\n"


def _by_name(quoted: dict[str, Any]) -> Claims:
    return {claim["name"]: claim for claim in quoted["claims"]}


def _table(claims: Sequence[Mapping[str, Any]]) -> str:
    head = [("claim", "measured", "verdict"), ("---",) * 3]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*head, *map(_row, claims)])


def _run(quoted: dict[str, Any]) -> str:
    trained = wording.duration(quoted["trained_seconds"])
    return f"`{quoted['command']}`: {quoted['trials']} trainings, {trained} in all; {' and '.join(quoted['made_by'])}."


def _row(claim: Mapping[str, Any]) -> tuple[str, str, str]:
    verdict = Verdict.from_dict(claim["verdict"])
    if verdict.word in ("true", "false"):
        return claim["claim"], calculation(verdict), f"{verdict.label} by arithmetic"
    return claim["claim"], numbers.measured(_interval(claim)), verdict.label


def _interval(claim: Mapping[str, Any]) -> Interval | None:
    if claim["measured"] is None:
        return None
    found = dict(claim["measured"])
    found["low"] = -math.inf if found["low"] is None else found["low"]
    found["high"] = math.inf if found["high"] is None else found["high"]
    return Interval(**found)


def _written(sentence: Sentence, claims: Claims, values: Mapping[str, str]) -> str:
    for name, expected in sentence.rests_on.items():
        label = Verdict.from_dict(claims[name]["verdict"]).label
        if label != expected:
            sys.exit(f"{name} is now {label}, not {expected}: rewrite {sentence.text!r} in {Path(__file__).name}")
    return sentence.text.format_map(values)


def _values(claims: Claims) -> dict[str, str]:
    """Return the numbers of the sentences: measured ones from the claims, counted ones from the networks."""
    measured = {name: _interval(claim) for name, claim in claims.items()}
    cnn, over_wide = measured["cnn-accuracy-good"], measured["cnn-over-baseline-wide"]
    assert cnn is not None
    assert over_wide is not None
    network, dense = (models.build(name).program for name in ("cnn", "baseline"))
    conv1, dense1 = (next(node for node in program.nodes if node.parameters) for program in (network, dense))
    wide = cnn.mean - over_wide.mean  # a mean of paired differences is the difference of the means
    gains = {
        name: numbers.measured(measured[claim]).replace("+", "")  # in a sentence that says "more" or "better by"
        for name, claim in (
            ("over_wide", "cnn-over-baseline-wide"),
            ("over_flops", "cnn-over-baseline-flops"),
            ("stacked", "3x3-over-7x7-equal-receptive-fields"),
        )
    }
    return {
        **gains,
        "conv1": f"{conv1.parameter_count:,}",
        "dense1": f"{dense1.parameter_count:,}",
        "places": f"{math.prod(conv1.output_shape[:2]):,}",
        "wide": wording.percent(wide),
        "cnn": wording.percent(cnn.mean),
        "fewer": wording.percent(over_wide.mean / (1 - wide), 0),
        "times": f"{network.flops / dense.flops:.0f}",
    }


VIEWS: Mapping[str, Callable[[dict[str, Any]], str]] = {"why": why, "chosen": chosen_rows, "all": every_row}


def replaced(text: str, quoted: dict[str, Any]) -> str:
    """Return a document with its quotes written anew."""
    return PLACE.sub(lambda found: f"{found[1]}\n{VIEWS[found[2]](quoted)}\n{found[3]}", text)


def main(folder: Path) -> None:
    """Quote the reproduction in a folder."""
    quoted = kept(json.loads((folder / "results.json").read_text(encoding="utf-8")))
    if quoted["missing_trials"]:
        sys.exit(
            f"{folder} is incomplete: {quoted['missing_trials']} trials are missing; run {quoted['command']} again"
        )
    written = {document: replaced(document.read_text(encoding="utf-8"), quoted) for document in DOCUMENTS}
    KEPT.write_text(json.dumps(quoted, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in FIGURES:
        shutil.copyfile(folder / "figures" / name, DOCS / "figures" / name)
    for document, text in written.items():
        document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/quote_claims.py FOLDER, such as out/reproduce")
    main(Path(sys.argv[1]))
