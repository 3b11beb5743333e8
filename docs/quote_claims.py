"""Quote a reproduction in README: its claims as a table, its figure of the kernel sizes, and what was run.

    python docs/quote_claims.py out/reproduce

What is quoted is kept in docs/figures/claims.json, from which a test renders the table again.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

from convlens import wording
from convlens.figures import numbers
from convlens.report.words import calculation
from convlens.studies.stats import Interval
from convlens.studies.verdict import Verdict

DOCS = Path(__file__).parent
README, KEPT = DOCS.parent / "README.md", DOCS / "figures" / "claims.json"
BEGIN, END = "<!-- claims: docs/quote_claims.py writes them -->\n", "<!-- end of claims -->\n"


def kept(results: dict[str, Any]) -> dict[str, Any]:
    """Return what is quoted of a results.json."""
    trials = {t["key"]: t for study in results["studies"].values() for t in study["trials"]}.values()
    made_by = {_made_by(**{name.replace(" ", "_"): value for name, value in t["provenance"].items()}) for t in trials}
    return {
        **{name: results[name] for name in ("command", "profile", "missing_trials", "seconds", "started", "claims")},
        "trials": len(trials),
        "made_by": sorted(made_by),
    }


def _made_by(engine: str, threads: int, trials_side_by_side: int = 1, **_: Any) -> str:
    together = "" if trials_side_by_side == 1 else f" each, {trials_side_by_side} side by side"
    return f"engine {engine}, {threads} thread{'' if threads == 1 else 's'}{together}"


def rendered(quoted: dict[str, Any]) -> str:
    """Return the table, and a line that says what was run: every measured claim, and those that arithmetic refutes."""
    rows = [_row(claim) for claim in quoted["claims"] if claim["measured"] or claim["verdict"]["word"] == "false"]
    table = "\n".join(f"| {' | '.join(row)} |" for row in [("#", "claim", "measured", "verdict"), ("---",) * 4, *rows])
    run = f"`{quoted['command']}`, {quoted['trials']} trainings in {wording.duration(quoted['seconds'])}"
    return f"{table}\n\n{run}, {' and '.join(quoted['made_by'])}.\n"


def _row(claim: dict[str, Any]) -> tuple[str, str, str, str]:
    verdict = Verdict(**claim["verdict"])
    if claim["measured"] is None:
        return str(claim["number"]), claim["claim"], calculation(verdict), f"{verdict.word} by arithmetic"
    found = dict(claim["measured"])
    found["low"] = -math.inf if found["low"] is None else found["low"]
    found["high"] = math.inf if found["high"] is None else found["high"]
    return str(claim["number"]), claim["claim"], numbers.measured(Interval(**found)), verdict.word


def replaced(readme: str, quoted: dict[str, Any]) -> str:
    """Return README with these claims in it."""
    before, _, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        sys.exit(f"README.md has no lines {BEGIN.strip()!r} and {END.strip()!r}; put them where the table belongs")
    return f"{before}{BEGIN}\n{rendered(quoted)}\n{END}{after}"


def main(folder: Path) -> None:
    """Quote the reproduction in a folder."""
    quoted = kept(json.loads((folder / "results.json").read_text(encoding="utf-8")))
    if quoted["missing_trials"]:
        sys.exit(
            f"{folder} is incomplete: {quoted['missing_trials']} trials are missing; run {quoted['command']} again"
        )
    KEPT.write_text(json.dumps(quoted, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.copyfile(folder / "figures" / "kernel-size.png", DOCS / "figures" / "kernel-size.png")
    README.write_text(replaced(README.read_text(encoding="utf-8"), quoted), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/quote_claims.py FOLDER, such as out/reproduce")
    main(Path(sys.argv[1]))
