"""The report's files: complete, self-contained, safe, and equal to the evidence."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.errors import OutputError
from convlens.figures import LOOKS, Look, Picture, numbers, png, study_pictures
from convlens.report import Reproduction, current, pages, write_report, write_study
from convlens.report.protocol import protocol
from convlens.report.sections import arms_table
from convlens.report.words import warnings
from convlens.studies.assessment.evidence import assess
from convlens.studies.results.result import StudyResult
from convlens.studies.trial import Trial
from convlens.train.recipes import RECIPES

from .reproductions import make, save_model, study

HOSTILE = '<script>alert("x")</script>|`&'


@pytest.fixture
def _quick_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose every figure in one look, and do not render it: that alone takes seconds."""

    def draw(picture: Picture) -> pages.Drawn:
        if picture.draw is None:
            return pages.Drawn(picture, {})
        with Look().applied():
            picture.draw(Look())
        return pages.Drawn(picture, dict.fromkeys(LOOKS, b"png"))

    monkeypatch.setattr(pages, "draw", draw)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Reproduction, Path, list[Path]]:
    folder = tmp_path_factory.mktemp("report")
    made = replace(make(), models_folder=folder / "models")
    (folder / "models").mkdir()
    save_model(made, folder / "models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "png", _cached_png())
        written = write_report(made, folder)
    return made, folder, written


def _cached_png():  # type: ignore[no-untyped-def]
    """Render one figure truly and use its bytes for all, as the page does not care which picture it holds."""
    kept: list[bytes] = []

    def render(figure):  # type: ignore[no-untyped-def]
        if not kept:
            kept.append(png(figure))
        return kept[0]

    return render


def text_of(page: str) -> str:
    """Return what a reader sees, with single spaces."""
    found = re.sub(r"<(style|picture)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", found)).split())


def test_writes_the_files_that_it_returns(whole: tuple[Reproduction, Path, list[Path]]) -> None:
    _, folder, written = whole
    names = {path.relative_to(folder).as_posix() for path in written}
    assert {"report.html", "report.md", "results.json", "figures/kernel-size.png", "figures/filters.png"} <= names
    assert names >= {f"figures/learning-curves-{study}.png" for study in ("baseline-vs-cnn", "kernel-size")}
    assert all(path.stat().st_size for path in written)
    with Image.open(folder / "figures/confusion.png") as image:
        assert image.format == "PNG"


def test_page_needs_nothing_else(whole: tuple[Reproduction, Path, list[Path]]) -> None:
    page = (whole[1] / "report.html").read_text()
    assert not re.search(r"https?://|<script|<link(?! rel=\"icon\" href=\"data:)|@import|url\(", page)
    addresses = re.findall(r'(?:src|srcset|href)="([^"]{0,30})', page)
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)


def test_numbers_equal_the_evidence(whole: tuple[Reproduction, Path, list[Path]]) -> None:
    made, folder, _ = whole
    seen, markdown = text_of((folder / "report.html").read_text()), (folder / "report.md").read_text().replace("\\", "")
    for row in made.claims:
        assert row.claim in seen
        assert row.verdict.word in seen
        if row.interval is not None:
            assert row.metric is not None
            digits = numbers.digits(row.metric, row.interval)
            expected = numbers.bounds(row.interval, row.metric.unit, signed=row.signed, digits=digits)
            assert expected in seen
            assert expected in markdown
    for evidence in made.evidence.values():
        for arm in evidence.arms:
            interval = arm.metrics.get("test.accuracy")
            if interval is None or evidence.study.name not in ("baseline-vs-cnn", "kernel-size"):
                continue  # of folds, or of another metric
            shown = f"{100 * interval.mean:.2f} % [{100 * interval.low:.2f}, {100 * interval.high:.2f}]"
            assert shown in seen
            assert shown in markdown


def test_counts_in_the_answer_come_from_the_claims(whole: tuple[Reproduction, Path, list[Path]]) -> None:
    made, folder, _ = whole
    refuted = sum(row.verdict.word == "refuted" for row in made.claims)
    assert f"{refuted} refuted and" in text_of((folder / "report.html").read_text())


class Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.images: list[dict[str, str | None]] = []
        self.header_cells: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.images.append(dict(attrs))
        if tag == "th":
            self.header_cells.append(dict(attrs))


def test_page_is_accessible(whole: tuple[Reproduction, Path, list[Path]]) -> None:
    page = (whole[1] / "report.html").read_text()
    outline = Outline()
    outline.feed(page)
    assert outline.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(outline.images) == len([one for one in (whole[1] / "figures").iterdir() if "-dark" not in one.name])
    assert all(image["alt"] for image in outline.images)
    assert all(cell["scope"] in ("row", "col") for cell in outline.header_cells)
    assert '<html lang="en">' in page


def test_results_hold_every_seed(whole: tuple[Reproduction, Path, list[Path]]) -> None:
    made, folder, _ = whole
    found = json.loads((folder / "results.json").read_text())
    assert found["schema_version"] == 1
    assert [row["claim"] for row in found["claims"]] == [row.claim for row in made.claims]
    for name, evidence in made.evidence.items():
        study = found["studies"][name]
        assert study["primary"] == json.loads(json.dumps(evidence.primary.to_dict()))
        kept = {(trial["arm"], trial["seed"]): trial for trial in study["trials"]}
        assert len(kept) == sum(len(arm.seeds) for arm in evidence.arms)
        for arm in evidence.arms:
            for metric, interval in arm.metrics.items():
                if interval is not None:
                    values = [kept[arm.name, seed]["metrics"][metric] for seed in arm.seeds]
                    assert np.mean(values) == pytest.approx(interval.mean)
            if name == "kernel-size":
                assert kept[arm.name, 0]["history"][0]["epoch"] == 1
    matrix = np.array(found["confusion"]["matrix"])
    assert matrix.sum() == 50_000
    accuracies = [
        t["metrics"]["test.accuracy"] for t in found["studies"]["baseline-vs-cnn"]["trials"] if t["arm"] == "cnn, good"
    ]
    assert matrix.trace() / matrix.sum() == pytest.approx(np.mean(accuracies))


@pytest.mark.usefixtures("_quick_figures")
def test_one_seed_has_no_interval_and_is_inconclusive(tmp_path: Path) -> None:
    made, said = make((0,), profile="quick", command="convlens reproduce --quick"), list[str]()
    write_report(made, tmp_path, said.append)
    assert said[0] == f"figure 1/{len(said)}, in 4 looks: Test accuracy of every arm"
    assert not any("Claim" in one for one in said), "a preview decides nothing"
    seen = text_of((tmp_path / "report.html").read_text())
    assert seen.count("one seed decides nothing") == 1
    assert not re.search("One seed|one seed:|one seed, so|no interval ", seen), "said once"
    assert "“convlens reproduce” trains more seeds" in seen
    assert seen.index("Figures") < seen.index("The claims, put to the test"), "what was seen comes first"
    assert "minus a dense network of the same size, test accuracy: 9" in seen
    for page in (seen, text_of((tmp_path / "report.md").read_text())):
        measured, remark = page.index("minus a dense network"), page.index("one seed decides nothing")
        assert measured < remark < page.index("Test accuracy of every arm")
    assert "∞" not in seen
    assert not re.search(r"\[[+−]?\d", seen)
    words = [row.verdict.word for row in made.claims]
    true, false = words.count("true"), words.count("false")
    assert f"{true} of {true + false} claims about sizes and costs are true and {false} false" in seen
    assert re.search(r"the other \d+ need more seeds", seen)
    json.loads((tmp_path / "results.json").read_text(), parse_constant=lambda word: pytest.fail(word))


@pytest.mark.usefixtures("_quick_figures")
@pytest.mark.parametrize(("seeds", "drop"), [((0, 1), 5), ((0,), 6)])
def test_missing_trials_are_said(tmp_path: Path, seeds: tuple[int, ...], drop: int) -> None:
    write_report(make(seeds, drop=drop), tmp_path)
    for name in ("report.html", "report.md"):
        found = text_of((tmp_path / name).read_text())
        assert f"incomplete: {drop} of the declared trials are missing" in found
    assert json.loads((tmp_path / "results.json").read_text())["missing_trials"] == drop


@pytest.mark.usefixtures("_quick_figures")
@pytest.mark.parametrize("damaged", [False, True])
def test_missing_or_damaged_model_is_said_in_words(tmp_path: Path, damaged: bool) -> None:
    made = replace(make(), models_folder=tmp_path)
    if damaged:
        save_model(made, tmp_path).write_bytes(b"nothing")
    written = write_report(made, tmp_path)
    assert "The filters are not shown" in text_of((tmp_path / "report.html").read_text())
    assert not any("filters" in path.name for path in written)


@pytest.mark.usefixtures("_quick_figures")
def test_hostile_text_is_escaped(tmp_path: Path) -> None:
    made = replace(make((0,)), command=HOSTILE, profile=HOSTILE)
    made = replace(made, claims=[replace(row, claim=HOSTILE, claimed=HOSTILE) for row in made.claims])
    write_report(made, tmp_path)
    page, markdown = (tmp_path / "report.html").read_text(), (tmp_path / "report.md").read_text()
    assert "<script" not in page
    assert "<script" not in markdown
    assert HOSTILE in html.unescape(page)
    rows = [line for line in markdown.splitlines() if line.startswith("| 1 |")]
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 9  # the claim's own bar does not begin a column


def with_first(made: Reproduction, trial: Trial) -> Reproduction:
    """Return the reproduction with another first trial of the kernel-size study."""
    result = made.studies["kernel-size"]
    changed = replace(result, trials=[trial, *result.trials[1:]])
    return replace(made, studies={**made.studies, "kernel-size": changed})


@pytest.mark.usefixtures("_quick_figures")
def test_repeated_reading_of_the_test_set_is_said(tmp_path: Path) -> None:
    made = make()
    first = made.studies["kernel-size"].trials[0]
    write_report(with_first(made, replace(first, metrics={**first.metrics, "test.reads": 4})), tmp_path)
    assert "up to 4 times" in text_of((tmp_path / "report.html").read_text())
    write_report(made, tmp_path)
    assert "up to 4 times" not in text_of((tmp_path / "report.html").read_text())


def test_trainings_that_diverged_and_so_never_read_the_test_set_are_no_bias() -> None:
    result = make(seeds=(0, 1)).studies["kernel-size"]
    first = replace(result.trials[0], metrics={**result.trials[0].metrics, "diverged": 1.0, "test.reads": 0.0})
    result = replace(result, trials=[first, *result.trials[1:]])
    said = dict(protocol([result]))["Test set"]
    assert f"is 1 in all {len(result.trials) - 1} trials" in said


def test_every_setting_of_a_recipe_is_said() -> None:
    result = make(seeds=(0, 1)).studies["kernel-size"]
    best = replace(RECIPES["best"], patience=5, clip_norm=0.25).to_dict() | {"later": 7}
    study = result.evidence.study
    arms = tuple(
        replace(arm, configuration={**arm.configuration, "recipe": {k: v for k, v in best.items() if k != "name"}})
        for arm in study.arms
    )
    result = replace(result, evidence=replace(result.evidence, study=replace(study, arms=arms)))
    said = dict(protocol([result]))["Study “kernel-size”"]
    for expected in (
        "AdamW (weight decay 0.02", "OneCycle (rate 0.003", "40 epochs", "batches of 128", "patience 5",
        "labels smoothed by 0.1", "gradients clipped at 0.25", "weights averaged with 0.998",
        "augmentation (shift 2.0, rotation 12.0, scale 0.1, shear 0.1", "later 7",
    ):  # fmt: skip
        assert expected in said
    plain = dict(protocol([make(seeds=(0, 1)).studies["kernel-size"]]))["Study “kernel-size”"]
    assert not re.search("None|clipped|patience|augmentation", plain)


def test_trials_of_several_engines_are_said() -> None:
    made = make()
    first = made.studies["kernel-size"].trials[0]
    other = with_first(made, replace(first, provenance={**first.provenance, "engine": "numpy"}))
    assert not warnings(list(made.studies.values()), made.command)
    (line,) = warnings(list(other.studies.values()), made.command)
    assert "Several engines ran these trials (numba, numpy)" in line


def test_unwritable_folder_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="file"):
        write_report(make((0,)), tmp_path / "file" / "report")


def of_kernels(made: Reproduction, change: Callable[[Trial], Trial | None]) -> StudyResult:
    """Return the kernel-size study with changed trials; None leaves one out."""
    result = made.studies["kernel-size"]
    trials = [changed for trial in result.trials if (changed := change(trial)) is not None]
    evidence = assess(study("kernel-size"), trials, result.evidence.profile)
    return replace(result, evidence=evidence, trials=trials)


def test_nothing_measured_is_said_once_and_without_tables(tmp_path: Path) -> None:
    nothing = of_kernels(make(), lambda _: None)
    write_study(nothing, tmp_path)
    for name in ("report.html", "report.md"):
        page = text_of((tmp_path / name).read_text())
        assert page.count(f"Nothing measured yet: 0 of {nothing.evidence.missing} trials are finished.") == 1
        for absent in ("one seed", "One seed", "more seeds", "Exact values", "Contrasts", "nothing to draw"):
            assert absent not in page.partition("How it was measured")[0]


@pytest.mark.parametrize(("drop", "words"), [(1, "1 of the declared trials is missing"), (2, "trials are missing")])
def test_missing_trials_are_counted_in_plain_english(drop: int, words: str) -> None:
    made = make(drop=drop)
    assert words in warnings(list(made.studies.values()), made.command)[0]


def test_one_seed_of_several_does_not_ask_for_a_larger_profile() -> None:
    first = of_kernels(make(), lambda trial: trial if trial.seed == 0 else None)
    (line,) = warnings([first], "x")
    missing = 4 * len(first.evidence.arms)
    assert line.startswith(f"This report is incomplete: {missing} of the declared trials are missing.")


def diverged(trial: Trial) -> Trial:
    """Return the trial as if the training of 5x5 kernels had diverged."""
    if trial.arm != "5x5":
        return trial
    metrics = {**trial.metrics, "diverged": 1, "test.accuracy": 0.1, "seconds.train": 0.0, "images_per_second": 0.0}
    return replace(trial, metrics=metrics, history=None, predictions={}, labels={})


def test_a_diverged_arm_is_named_and_has_no_times() -> None:
    result = of_kernels(make(), diverged)
    (line,) = warnings([result], "x")
    assert line.startswith("5 trainings diverged (“5x5”, seeds 0, 1, 2, 3, 4); they count,")
    table = arms_table(result)
    row = next(row for row in table.rows if row[0] == "5x5")
    cells = dict(zip(table.columns, row, strict=True))
    assert (cells["time per training"], cells["rate of training"]) == ("–", "–")
    assert cells["test accuracy"].startswith("10.00 %")
    curves = study_pictures(result)[-1]
    assert curves.draw is not None
    texts = {axes.get_title(): [text.get_text() for text in axes.texts] for axes in curves.draw(Look()).axes}
    assert texts["5x5"] == ["diverged: no curve"]


def of_one_epoch(trial: Trial) -> Trial:
    assert isinstance(trial.history, list)
    return replace(trial, history=trial.history[:1])


def test_one_epoch_is_no_learning_curve() -> None:
    every = of_kernels(make((0,)), of_one_epoch)
    assert not any("learning" in one.name for one in study_pictures(every))
    one_arm = of_kernels(make((0,)), lambda trial: of_one_epoch(trial) if trial.arm == "5x5" else trial)
    curves = study_pictures(one_arm)[-1]
    assert curves.draw is not None
    texts = {axes.get_title(): [text.get_text() for text in axes.texts] for axes in curves.draw(Look()).axes}
    assert texts["5x5"] == ["one epoch: no curve"]
    assert texts["3x3"] == []


@pytest.mark.usefixtures("_quick_figures")
def test_pages_that_are_up_to_date_are_left_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def written(**changes: object) -> bool:
        """Write the report again, and return whether anything was drawn."""
        said.clear()
        paths = write_report(replace(make((0,)), **changes), tmp_path, said.append)  # type: ignore[arg-type]
        assert all(path.exists() for path in paths)
        assert len(paths) == len(set(paths)) > 3
        return said != ["the pages are up to date"]

    assert written()
    page = (tmp_path / "report.html").read_bytes()
    assert not written(seconds=1.0, started="2026-02-02T00:00:00+00:00")  # the times of another call
    assert (tmp_path / "report.html").read_bytes() == page
    assert written(command="convlens reproduce --out elsewhere"), "other results"
    assert written()
    (tmp_path / "report.md").write_text("changed by hand")
    assert written()
    (tmp_path / "figures" / "confusion.png").unlink()
    assert written()
    (tmp_path / "results.json").write_text("{}")
    assert written(), "of an older version"
    monkeypatch.setattr(current, "_code", lambda: "another version")
    assert written()
    assert not written()
