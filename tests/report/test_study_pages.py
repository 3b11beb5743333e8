"""A page a study: what was declared comes first, and everything a reader needs to doubt it is there; and the index."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convlens.figures import LOOKS
from convlens.report import listed, pages, place, write_index, write_study
from convlens.report.declared import (
    candidates_table,
    cost_table,
    matched_table,
    opening,
    stored_line,
    tuning_table,
    verdict_table,
)
from convlens.studies import tuned
from convlens.studies.statistics.looks import Look
from convlens.studies.storage.register import DrawnVerdict, Registration
from convlens.studies.tuned import PROTOCOL, TunedRate, rate_key, rates_file

from .catalogue import result


def text_of(page: str) -> str:
    found = re.sub(r"<(style|picture)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", found)).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("studies")
    with pytest.MonkeyPatch.context() as patch:
        drawn = lambda picture: pages.Drawn(picture, dict.fromkeys(LOOKS, b"png"))  # noqa: E731
        patch.setattr(pages, "draw", drawn)
        write_study(result("kernel-size"), made / "kernel-size-standard")
    return made


def test_the_question_and_the_prediction_come_before_every_result(folder: Path) -> None:
    found = result("kernel-size")
    for name in ("report.html", "report.md"):
        text = text_of((folder / "kernel-size-standard" / name).read_text()).replace("\\", "").replace("**", "")
        places = [text.index(part) for part in (found.evidence.study.question, found.evidence.study.prediction,
                                                "Declared on 2026-01-02 03:00 UTC", "95 % interval over 5 seeds",
                                                "The differences themselves", "kernel-size: exact values",
                                                "Matched arms", "Cost: time of a trial")]  # fmt: skip
        assert places == sorted(places)
        assert found.command in text


def test_the_verdict_says_reason_intervals_role_and_what_would_settle_it() -> None:
    found = result("kernel-size")
    rows = dict(verdict_table(found).rows)
    primary = found.evidence.primary
    assert rows["reason"] == primary.verdict.sentence
    assert primary.verdict.label in rows["verdict"]
    assert rows["role"].startswith("confirmatory")
    assert primary.two_way is not None
    assert f"{100 * primary.two_way.low:+.2f}".replace("-", "−") in rows["95 % interval for images in general"]
    assert "80 % power" in rows["what would settle it"]
    assert "declared look" not in rows["what would settle it"]  # these have no further one
    waiting = replace(found, evidence=replace(found.evidence, primary=replace(primary, look=Look((5, 10), 5))))
    settled = dict(verdict_table(waiting).rows)["what would settle it"]
    assert f"the declared look at 10 seeds: {found.command} --until-settled" in settled
    assert rows["what varies between seeds"] == found.evidence.study.varies


def test_changes_of_what_was_declared_and_earlier_verdicts_are_said() -> None:
    found = result("kernel-size")
    assert "Nothing of it has been changed since" in dict(opening(found))["Register"]
    second = Registration("b" * 64, 1, "0.1.1", "2026-01-03T00:00:00+00:00", "prediction: “a” before")
    drawn = DrawnVerdict("a" * 64, 1, 5, "Refuted: it is so.", "2026-01-02T00:00:00+00:00")
    said = dict(opening(replace(found, declared=(*found.declared, second), drawn=(drawn, *found.drawn))))["Register"]
    assert "Changed on 2026-01-03 00:00 UTC: prediction: “a” before." in said
    assert "Earlier verdicts: 2026-01-02 00:00 UTC, 5 seeds: Refuted: it is so." in said
    assert "Nothing" not in said


def test_a_stored_result_says_so_with_date_commit_and_numerics_version() -> None:
    found = result("kernel-size")
    assert stored_line(found) == ""
    said = stored_line(replace(found, stored=True))
    assert "measured on 2026-01-02 by convlens 0.1.0 (commit 1234567), numerics version 1" in said


def test_matched_arms_say_in_what_and_how_close_they_came() -> None:
    found = result("kernel-size")
    rows = {row[0]: row[1:] for row in matched_table(found).rows}
    arm = next(one for one in found.evidence.study.arms if one.name == "5x5, equal FLOPs")
    assert arm.matched is not None
    wanted, got = arm.matched.wanted, arm.matched.got
    assert rows[arm.name] == ("flops", "3x3", f"{wanted:,}", f"{got:,}", f"{got / wanted:.3f}")


def test_tuning_shows_the_grid_and_warns_at_its_edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = result("kernel-size")
    training = found.arms[0].arm.configuration
    accuracy = tuple(0.9 + 0.01 * place for place in range(len(PROTOCOL.grid)))
    winner = training["recipe"]["schedule"]["rate"]
    best = f"{100 * accuracy[PROTOCOL.grid.index(winner)]:.2f} % (best)"
    rate = TunedRate({"model": "cnn", "data": "mnist"}, accuracy, accuracy, winner)
    path = tmp_path / "tuned.json"
    monkeypatch.setattr(tuned, "TUNED", path)
    path.write_bytes(rates_file({rate_key(training): rate}))
    (row,) = tuning_table(found).rows
    assert row[:3] == ("cnn, mnist", f"{winner:g}", "90.00 %")
    assert [cell for cell in row if "(best)" in cell] == [best]
    assert row[-1] == "–"


def test_cost_is_the_time_of_the_trials() -> None:
    found = result("kernel-size")
    arm, trials, _, total = cost_table(found).rows[-1]
    seconds = sum(trial.metrics["seconds.train"] for trial in found.trials)
    assert (arm, trials) == ("all", str(len(found.trials)))
    assert total == f"{round(seconds) // 60} min {round(seconds) % 60} s"


def test_cost_counts_a_network_once_that_several_arms_measure() -> None:
    found = result("kernel-size")
    first = found.trials[0]
    shared = {"another network": 30.0, first.key: first.metrics["seconds.train"]}
    rows = {row[0]: row[1:] for row in cost_table(replace(found, networks=shared)).rows}
    assert rows["the networks measured, each trained once"] == ("1", "30 s", "30 s")
    assert rows["all"][0] == str(len(found.trials) + 1)


def test_a_candidate_mostly_chosen_at_the_edge_of_its_grid_is_warned_of() -> None:
    found = result("not-for-convolution")

    def chosen(numbers: list[int]) -> dict[str, tuple[str, ...]]:
        trials = [replace(one, curves={**one.curves, "fold.chosen": np.array(numbers)}) for one in found.trials]
        return {f"{row[0]}, {row[1]}": row[2:] for row in candidates_table(replace(found, trials=trials)).rows}

    name = "breast cancer: logistic regression, C"  # candidates 0.03, 0.3, 3, 30
    n = len(next(arm for arm in found.arms if arm.name == name[:-3]).trials)
    assert chosen([0, 3, 3, 1, 2])[name][0] == f"0.03: {n}, 0.3: {n}, 3: {n}, 30: {2 * n}"
    assert "edge of the grid" in chosen([0, 3, 3, 1, 2])[name][1]
    assert chosen([0, 3, 1, 1, 2])[name][1] == "–"
    assert chosen([3])["breast cancer: gradient boosting, learning_rate"][1] == "–"  # two values: all edge


def test_the_page_of_a_stored_result_has_a_place_of_its_own_and_the_index_links_to_it(tmp_path: Path) -> None:
    run = result("kernel-size")
    ships = replace(run, stored=True)
    assert place(tmp_path, run) != place(tmp_path, ships)
    assert "study show kernel-size --stored --report" in text_of(write_index(tmp_path, [ships]).read_text())
    for file in (place(tmp_path, ships) / "report.html", tmp_path / "report.html"):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    links = re.findall(r'href="([^"#d][^"]*)"', write_index(tmp_path, [ships]).read_text())
    assert links == ["report.html", "kernel-size-standard-stored/report.html"]  # the claims' page, and its own


def test_an_index_lists_question_prediction_and_verdict_with_a_link_to_each_page(folder: Path) -> None:
    found = [result("kernel-size"), replace(result("boundary"), stored=True)]
    page = write_index(folder, found).read_text()
    assert re.findall(r'href="([^"#d][^"]*)"', page) == ["kernel-size-standard/report.html"]
    text = text_of(page)
    for one in found:
        for part in (one.evidence.study.question, one.evidence.study.prediction, one.verdict.label):
            assert part in text
    assert "stored with convlens" in text
    assert (folder / "kernel-size-standard/report.html").exists()
    assert not re.search(r"https?://|<script|@import|url\(", page)


def test_what_was_run_is_listed_before_what_is_stored_of_the_same_study(tmp_path: Path) -> None:
    mine = result("kernel-size")
    found = listed(tmp_path, [mine])
    assert found.count(mine) == 1
    assert sum(one.name == "kernel-size" and one.evidence.profile.name == "standard" for one in found) == 1


@pytest.mark.slow
def test_a_page_is_below_three_megabytes() -> None:
    """Of the study with the most figures and arms, drawn in one look: the four together are about five times that."""
    from convlens.figures import Look, png, study_pictures

    with Look(narrow=True).applied():
        size = sum(len(png(one.draw(Look(narrow=True)))) for one in study_pictures(result("sample-efficiency"))
                   if one.draw is not None)  # fmt: skip
    assert 4 * size * 4 / 3 < 3_000_000


def test_a_result_in_a_notebook_shows_question_verdict_and_primary_contrast() -> None:
    found = result("kernel-size")
    shown = html.unescape(found._repr_html_())
    estimand = found.evidence.primary.estimand
    for part in (found.evidence.study.question, found.verdict.sentence, estimand.arm, f"{estimand.reference}"):
        assert part in shown
