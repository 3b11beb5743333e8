"""Quote the claims in README and docs/claims.md: their rows, what they show in sentences, and figures.

    python docs/quote_claims.py out/studies

A document marks the place of a quote by ``<!-- claims: NAME -->`` and ``<!-- end of claims -->``; `VIEWS` has the
names. Where results are stored with convlens, README quotes them; docs/claims.md has them beside those of the
reproduction. What is quoted is kept in docs/figures/claims.json, from which a test renders all of it again.

A sentence that interprets a result names the claim on whose verdict it rests, and has a text for every verdict that it
knows; where it is undecided, the sentence is left out, and where a verdict is none of these, nothing is written until
the sentence has been rewritten.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from convlens import models, wording
from convlens.claims.questions import CLAIMS
from convlens.claims.row import ClaimRow, compounds
from convlens.report.claim_words import measured
from convlens.report.words import calculation
from convlens.studies.results.shipped import read_shipped, shipped_names
from convlens.studies.statistics.verdict import Verdict

DOCS = Path(__file__).parent
DOCUMENTS = (DOCS.parent / "README.md", DOCS / "claims.md")
KEPT = DOCS / "figures" / "claims.json"
FIGURES = ("seeds-baseline-vs-cnn.png", "kernel-size.png")
PLACE = re.compile(r"(<!-- claims: (\w+) -->\n).*?(<!-- end of claims -->)", re.S)

CHOSEN = (
    "cnn-size",
    "cnn-accuracy-plain",
    "cnn-over-baseline-wide",
    "network-square",
    "3x3-over-5x5",
    "7x7-gap",
    "stack-weights-5x5",
    "stacked-over-5x5",
    "locality",
    "equivariance",
    "equivariance-pooled",
    "hierarchy",
    "invariance",
    "invariance-strided",
    "breast-cancer-logistic-regression",
    "series-logistic-regression",
)
"""README's rows, by the names of the claims."""

UNDECIDED = ("incomplete", "preview")


class Sentence(NamedTuple):
    """A sentence about results.

    ``texts`` has it by verdict, with ``{values}``: by the word or, where the label says more, by that. ``rests_on`` is
    the claim whose verdict it is; empty for a sentence that only counts, whose verdict is always ``true``.
    """

    rests_on: str
    texts: Mapping[str, str]


def counted(text: str) -> Sentence:
    """Return a sentence that rests on no verdict."""
    return Sentence("", {"true": text})


WHY = (
    (
        counted(
            "**Neighbours belong together.** A convolutional layer looks through a small window, 3x3 pixels: its "
            "first layer has {conv1} parameters, where a dense network's, which looks at all pixels at once, has "
            "{dense1}."
        ),
        Sentence(
            "locality",
            {
                "supported": "It needs them together: with the pixels of all images shuffled alike, it loses "
                "{locality}.",
                "refuted": "Yet with the pixels of all images shuffled alike it hardly loses: {locality}.",
                "inconclusive": "With the pixels of all images shuffled alike it loses {locality}; whether that is "
                "more than half a point is open.",
            },
        ),
    ),
    (
        counted(
            "**A stroke is a stroke wherever it is.** The same few weights slide over the image, so what is learned in "
            "one of {places} places is known in all of them."
        ),
        Sentence(
            "equivariance",
            {
                "supported": "Move the image, and the layer's map moves with it.",
                "refuted": "Yet the layer's map did not move exactly with the image.",
                "inconclusive": "Whether the layer's map moves exactly with the image is open.",
            },
        ),
    ),
    (
        Sentence(
            "cnn-over-baseline-wide",
            {
                "supported": "**It is not size.** A dense network with as many parameters is {over_wide} behind.",
                "refuted": "**It may be size.** A dense network with as many parameters is no more than half a point "
                "behind: {over_wide}.",
                "inconclusive": "**Is it size?** A dense network with as many parameters is {over_wide} behind; "
                "whether that is more than half a point is open.",
            },
        ),
    ),
    (
        Sentence(
            "cnn-over-baseline-flops",
            {
                "supported": "**It is not computing either**, though that is the price: the CNN takes {times} times "
                "the arithmetic of the dense baseline, and still beats a dense network that takes as much, by "
                "{over_flops}.",
                "refuted": "**It may be computing.** The CNN takes {times} times the arithmetic of the dense baseline; "
                "a dense network that takes as much is no more than half a point behind: {over_flops}.",
                "inconclusive": "**Is it computing?** The CNN takes {times} times the arithmetic of the dense "
                "baseline; a dense network that takes as much is {over_flops} behind, and whether that is more than "
                "half a point is open.",
            },
        ),
    ),
    (
        counted("**Layers add up.** Two layers of 3x3 see as much as one of 5x5, three as much as one of 7x7."),
        Sentence(
            "stacked-over-5x5",
            {
                "supported": "Two are more accurate than the one that they stand for, by {stacked}.",
                "refuted": "But two are not more accurate than the one that they stand for by a fifth of a point: "
                "{stacked}.",
                "inconclusive": "Two differ from the one that they stand for by {stacked}; whether they are better by "
                "a fifth of a point is open.",
            },
        ),
    ),
)
"""README's points on why convolutional layers work."""

CONCLUSION = (
    Sentence(
        "cnn-over-baseline-wide",
        {
            "supported": "So the architecture is worth {over_wide} of accuracy on digits at equal size.",
            "refuted": "So at equal size the architecture is not worth half a point of accuracy on digits.",
            "inconclusive": "What the architecture is worth at equal size is open.",
        },
    ),
    Sentence(
        "3x3-over-5x5",
        {
            "supported": "3x3 is better than 5x5, as claimed.",
            "refuted": "3x3 is not better than 5x5.",
            "inconclusive": "Whether 3x3 is better than 5x5 is open.",
        },
    ),
    Sentence(
        "7x7-gap",
        {
            "supported": "7x7 does widen the gap between training and validation, where there are few images.",
            "refuted": "7x7 does not overfit, not even on few images for long.",
            "inconclusive": "Whether 7x7 overfits on few images is open.",
        },
    ),
    Sentence(
        "invariance",
        {
            "supported": "Max-pooling gives invariance to small shifts.",
            "refuted": "Max-pooling does not make a network invariant, not even to a shift of two pixels.",
            "inconclusive": "Whether max-pooling makes a network invariant to a shift of two pixels is open.",
        },
    ),
)
"""What README concludes from its rows."""

NOTHING = "Nothing of this has been measured yet by this version: `make reproduce` does."


def kept(results: dict[str, Any]) -> dict[str, Any]:
    """Return what is quoted of a results.json, and where the stored results that stand in it come from."""
    trials = {t["key"]: t for study in results["studies"].values() for t in study["trials"]}.values()
    of = [t["provenance"] for t in trials if t["provenance"].get("engine")]  # scikit-learn's have none
    made_by = {_made_by(**{name.replace(" ", "_"): value for name, value in one.items()}) for one in of}
    known = set(shipped_names()) & set(results["studies"])
    code = {read_shipped(name).declared[-1].code for name in known if read_shipped(name).declared}
    return {
        **{name: results[name] for name in ("command", "profile", "missing_trials", "seconds", "started", "claims")},
        "trials": len(trials),
        "trained_seconds": sum(t["metrics"].get("seconds.train", 0.0) for t in trials),
        "made_by": sorted(made_by),
        "stored_by": sorted(code),
    }


def _made_by(engine: str = "", threads: int = 1, trials_side_by_side: int = 1, **_: Any) -> str:
    together = "" if trials_side_by_side == 1 else f" each, {trials_side_by_side} side by side"
    of = f"engine {engine}, " if engine else ""
    return f"{of}{threads} thread{'' if threads == 1 else 's'}{together}"


def every_row(quoted: dict[str, Any]) -> str:
    """Return all claims, each with its verdict and a table of its parts, and a line that says what was run."""
    rows = _rows(quoted)
    here, best = compounds(rows), compounds([_best(row) for row in rows])
    parts = [
        f"### {number}. {text}\n\n{_said(here[number], best[number])}\n\n"
        f"{_both([row for row in rows if row.number == number])}\n"
        for number, text in CLAIMS.items()
    ]
    return "\n".join([*parts, f"{_run(quoted)}\n"])


def chosen_rows(quoted: dict[str, Any]) -> str:
    """Return README's rows, how many claims hold, the conclusion, and the line that says what was run."""
    rows = _rows(quoted)
    best = {row.name: _best(row) for row in rows}
    conclusion = " ".join([_counts([*best.values()]), *_written(CONCLUSION, best)])
    return f"{_table([best[name] for name in CHOSEN])}\n\n{conclusion}\n\n{_run(quoted)}\n"


def why(quoted: dict[str, Any]) -> str:
    """Return the points on why convolutional layers work."""
    best = {row.name: _best(row) for row in _rows(quoted)}
    points = [" ".join(_written(point, best)) for point in WHY]
    lines = [f"{number}. {text}" for number, text in enumerate(filter(None, points), 1)]
    return "\n".join(lines) + ("\n" if all(points) else f"\n\n{NOTHING}\n")


def _rows(quoted: dict[str, Any]) -> list[ClaimRow]:
    return [ClaimRow.from_dict(claim) for claim in quoted["claims"]]


def _best(row: ClaimRow) -> ClaimRow:
    """Return a row with its stored result, which has more seeds, in place of what was measured; if there is one."""
    stored = row.stored
    return row if stored is None else replace(row, interval=stored.interval, verdict=stored.verdict)


def _said(here: Verdict, best: Verdict) -> str:
    stored = "" if best == here else f" With stored results: **{best.label}**."
    return f"Verdict: **{here.label}**.{stored}"


def _counts(rows: Sequence[ClaimRow]) -> str:
    """Return how many of the ten claims hold."""
    count = Counter(verdict.word for verdict in compounds(rows).values())
    hold, fall = count["true"] + count["supported"], count["false"] + count["refuted"]
    left = 10 - hold - fall
    rest = f"{left or 'none'} {'is' if left == 1 else 'are'} open"
    return f"Of the ten claims {hold} hold, {fall} do not hold in all their parts, and {rest}."


def _table(rows: Sequence[ClaimRow]) -> str:
    head = [("claim", "claimed", "measured", "n", "verdict"), ("---",) * 5]
    return _lines([*head, *((_text(row), *_result(row)) for row in rows)])


def _both(rows: Sequence[ClaimRow]) -> str:
    """Return a table of rows; with what is stored beside what was measured, if anything is."""
    if not any(row.stored is not None for row in rows):
        return _table(rows)
    head = [("claim", "claimed", "measured", "n", "verdict", "stored", "n", "stored verdict"), ("---",) * 8]
    return _lines([*head, *((_text(row), *_result(row), *_stored(row)) for row in rows)])


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _text(row: ClaimRow) -> str:
    return f"*{row.claim}*" if row.beside else row.claim


def _result(row: ClaimRow) -> tuple[str, str, str, str]:
    if row.metric is None:
        return row.claimed, calculation(row.verdict), wording.NONE, f"{row.verdict.label} by arithmetic"
    n = str(row.interval.n) if row.interval else "0"
    return row.claimed, measured(row, row.interval), n, row.verdict.label


def _stored(row: ClaimRow) -> tuple[str, str, str]:
    return (wording.NONE,) * 3 if row.stored is None else _result(_best(row))[1:]


def _run(quoted: dict[str, Any]) -> str:
    trained = wording.duration(quoted["trained_seconds"])
    made = f"; {' and '.join(quoted['made_by'])}" if quoted["made_by"] else ""
    by = ", ".join(quoted["stored_by"])
    stored = f" Stored results: the studies' standard profiles, by {by}." if by else ""
    return f"`{quoted['command']}`: {quoted['trials']} trials, {trained} of training in all{made}.{stored}"


def _written(sentences: Sequence[Sentence], rows: Mapping[str, ClaimRow]) -> list[str]:
    """Return the sentences that can be said; exit where a verdict has no text."""
    values, found = _values(rows), []
    for sentence in sentences:
        verdict = rows[sentence.rests_on].verdict if sentence.rests_on else Verdict("true", "")
        text = sentence.texts.get(verdict.label) or sentence.texts.get(verdict.word)
        if text is not None:
            found.append(text.format_map(values))
        elif verdict.word not in UNDECIDED:
            known = ", ".join(sentence.texts)
            sys.exit(
                f"{sentence.rests_on} is now {verdict.label}, not {known}: write a text for it in {Path(__file__).name}"
            )
    return found


def _values(rows: Mapping[str, ClaimRow]) -> dict[str, str]:
    """Return the numbers of the sentences: measured ones from the claims, counted ones from the networks."""
    network, dense = (models.build(name).program for name in ("cnn", "baseline"))
    conv1, dense1 = (next(node for node in program.nodes if node.parameters) for program in (network, dense))
    gains = {
        name: measured(rows[claim], rows[claim].interval).replace("+", "")  # in a sentence that says "by" or "behind"
        for name, claim in (
            ("over_wide", "cnn-over-baseline-wide"),
            ("over_flops", "cnn-over-baseline-flops"),
            ("stacked", "stacked-over-5x5"),
            ("locality", "locality"),
        )
    }
    return {
        **gains,
        "conv1": f"{conv1.parameter_count:,}",
        "dense1": f"{dense1.parameter_count:,}",
        "places": f"{math.prod(conv1.output_shape[:2]):,}",
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
    lacking = [name for name in FIGURES if not (folder / "figures" / name).exists()]
    if lacking:
        sys.exit(f"{folder / 'figures'} lacks {', '.join(lacking)}; write the report again, or change FIGURES")
    write(quoted)
    for name in FIGURES:
        shutil.copyfile(folder / "figures" / name, DOCS / "figures" / name)


def write(quoted: dict[str, Any]) -> None:
    """Write the documents, and what they quote."""
    written = {document: replaced(document.read_text(encoding="utf-8"), quoted) for document in DOCUMENTS}
    KEPT.write_text(json.dumps(quoted, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for document, text in written.items():
        document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/quote_claims.py FOLDER, such as out/studies")
    main(Path(sys.argv[1]))
