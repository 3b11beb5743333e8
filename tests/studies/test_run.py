"""A study is one call: it runs what is missing, prints nothing, and reports what failed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from convlens import studies
from convlens.cli.main import app
from convlens.cli.trials import TrialProgress
from convlens.errors import ArtifactError, ConfigurationError, ConvlensError, DataError, TrainingInterrupted
from convlens.report import pages, write_study
from convlens.studies import catalog
from convlens.studies.executors import EXECUTORS, ExecutionOptions
from convlens.studies.pools.pool import LocalPool, Result
from convlens.studies.pools.processes import ProcessPool
from convlens.studies.run import STORE, default_pool, resumable
from convlens.studies.runner import ProgressEvent
from convlens.studies.spec import Estimand, Profile, Study
from convlens.studies.statistics.verdict import between
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import PlannedTrial, TrialOutcome

from .examples import THREE, ToyExecutor, execute, make_study, planned_trial


def fail_at_one(planned: PlannedTrial) -> TrialOutcome:
    if planned.seed == 1 and planned.arm == "5x5":
        raise ValueError("no <images>")
    return execute(planned)


def test_one_call_runs_what_is_missing_and_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds: list[str] = []
    failed = studies.run_study(make_study(), THREE, folder=tmp_path, pool=LocalPool(fail_at_one))
    assert [(one.planned.arm, one.planned.seed, one.failure.error) for one in failed.failed] == [
        ("5x5", 1, "ValueError")
    ]
    assert (failed.evidence.missing, len(failed.trials)) == (1, 8)
    whole = studies.run_study(
        make_study(), THREE, folder=tmp_path, threads=1, progress=lambda event: kinds.append(event.kind)
    )
    assert (kinds.count("found"), kinds.count("finished"), whole.failed) == (8, 1, [])
    assert whole.verdict.word == "preview"
    again = studies.read_study(make_study(), THREE, folder=tmp_path)
    assert again.evidence.to_dict() == whole.evidence.to_dict()
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "checkpoints").exists(), "nothing was stopped, so nothing is kept for that"


def test_the_page_has_every_seed_and_lists_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LOOKS", pages.LOOKS[:1])  # the figure in one look: the page does not care
    monkeypatch.setattr(pages.Drawn, "uri", lambda self, **_: "data:,")
    result = studies.run_study(make_study(), THREE, folder=tmp_path, pool=LocalPool(fail_at_one))
    written = write_study(result, tmp_path / "page")
    assert {path.name for path in written} >= {"report.html", "report.md", "results.json", "seeds-kernel-size.png"}
    page = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    for expected in ("Is 3x3 better than 7x7?", "Trials that failed", "no &lt;images&gt;", "1 of them failed"):
        assert expected in page
    assert "| 5x5 | 1 | failed | ValueError: no &lt;images&gt; |" in (tmp_path / "page" / "report.md").read_text()
    found = json.loads((tmp_path / "page" / "results.json").read_text())["studies"]["kernel-size"]
    assert (len(found["trials"]), len(found["failed"]), found["missing"]) == (8, 1, 1)


def with_curves(planned: PlannedTrial) -> TrialOutcome:
    curves = {"by shift": np.array([[0.5, 0.25], [0.125, 0.0]]), "large": np.zeros((40, 30), np.float32)}
    return replace(execute(planned), curves=curves)


def test_curves_and_what_was_declared_of_the_metrics_are_in_the_results_and_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LOOKS", pages.LOOKS[:1])
    monkeypatch.setattr(pages.Drawn, "uri", lambda self, **_: "data:,")
    result = studies.run_study(make_study(), THREE, folder=tmp_path, pool=LocalPool(with_curves))
    write_study(result, tmp_path / "page")
    found = json.loads((tmp_path / "page" / "results.json").read_text())["studies"]["kernel-size"]
    curves = found["trials"][0]["curves"]
    assert curves["by shift"]["values"] == [[0.5, 0.25], [0.125, 0.0]]
    assert (curves["large"]["shape"], curves["large"]["type"], curves["large"]["values"]) == ([40, 30], "<f4", None)
    assert curves["large"]["sha256"] == hashlib.sha256(bytes(40 * 30 * 4)).hexdigest()
    assert found["study"]["metrics"][0]["resolution"] == 0.02
    markdown = (tmp_path / "page" / "report.md").read_text()
    assert "| 3x3 | 0 | by shift | 2 x 2 | 0 to 0.5 |" in markdown
    assert "| test accuracy | test.accuracy | fraction | 0.02 | the same | another | all |" in markdown
    page = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    assert "curves of every trial" in page
    assert "metrics, as declared" in page


class Stopped:
    """A pool that is stopped after one trial."""

    def run(self, trials: Sequence[PlannedTrial], started: object = None) -> Iterator[Result]:
        yield trials[0].key, execute(trials[0])
        raise KeyboardInterrupt


def test_stopped_it_says_what_is_kept(tmp_path: Path) -> None:
    with pytest.raises(TrainingInterrupted, match="1 finished trials are kept"):
        studies.run_study(make_study(), THREE, folder=tmp_path, pool=Stopped())
    assert len(studies.read_study(make_study(), THREE, folder=tmp_path).trials) == 1


def test_a_pool_and_its_options_are_not_given_together(tmp_path: Path) -> None:
    for given in ({"options": ExecutionOptions()}, {"threads": 2}):
        with pytest.raises(ConfigurationError, match="a pool brings its own options and threads"):
            studies.run_study(make_study(), THREE, folder=tmp_path, pool=LocalPool(execute), **given)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_one_study_under_two_profiles_is_two_calls(tmp_path: Path) -> None:
    wanted = [(make_study(), THREE), (make_study(), Profile("more", (0, 1, 2, 3)))]
    with pytest.raises(ConfigurationError, match="the study 'kernel-size' is asked for twice"):
        studies.run_studies(wanted, folder=tmp_path, pool=LocalPool(execute))
    assert not list(tmp_path.iterdir())


def test_unknown_names_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no study is called 'kernel-sise'; did you mean 'kernel-size'"):
        studies.run_study("kernel-sise", folder=tmp_path)
    with pytest.raises(ConfigurationError, match="'kernel-size' has no profile 'quik'; did you mean 'quick'"):
        studies.run_study("kernel-size", "quik", folder=tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ArtifactError, match="no trial store"):
        studies.read_study(make_study(), THREE, folder=tmp_path)


def test_a_process_for_each_thread() -> None:
    assert isinstance(default_pool(threads=1), LocalPool)
    assert isinstance(default_pool(threads=2), ProcessPool)


@pytest.fixture
def _toy_in_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = catalog.StudyEntry("kernel-size", make_study, {"standard": THREE})
    monkeypatch.setattr(catalog, "entries", lambda *_: {"kernel-size": toy})


@pytest.mark.usefixtures("_toy_in_the_catalogue")
def test_the_command_writes_the_page_and_then_says_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies.run, "default_pool", lambda *_: LocalPool(fail_at_one))
    arguments = ["study", "run", "kernel-size", "--out", str(tmp_path), "--threads", "1"]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, ConvlensError)
    assert "1 trial failed, the first of them kernel-size/5x5, seed 1: ValueError: no <images>" in str(done.exception)
    assert (tmp_path / "kernel-size-standard" / "report.html").exists()
    shown = CliRunner().invoke(app, ["study", "show", "kernel-size", "--out", str(tmp_path)])
    assert shown.exit_code == 0
    assert "missing: 5x5, seed 1 (failed: ValueError: no <images>)" in shown.stdout
    monkeypatch.setattr(studies.run, "default_pool", lambda *_: Stopped())
    stopped = CliRunner().invoke(app, arguments)
    assert isinstance(stopped.exception, TrainingInterrupted)
    assert stopped.exception.exit_code == 130


def test_a_stopped_training_saves_itself_beside_the_store_where_nobody_names_a_place(tmp_path: Path) -> None:
    assert resumable(None, tmp_path).checkpoints_folder == tmp_path / "checkpoints"
    assert (tmp_path / "checkpoints").is_dir()  # or nothing could be saved there
    named = ExecutionOptions(engine="numpy", checkpoints_folder=tmp_path / "mine")
    assert resumable(named, tmp_path) == named


def test_an_interrupted_study_goes_on_inside_its_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Path | None] = []

    class Remembers(ToyExecutor):
        def run(self, planned: PlannedTrial, options: ExecutionOptions) -> TrialOutcome:
            found.append(options.checkpoints_folder)
            return execute(planned)

    monkeypatch.setitem(EXECUTORS, "toy", Remembers())
    studies.run_study(make_study(), THREE, folder=tmp_path, threads=1)
    assert set(found) == {tmp_path / "checkpoints"}


def test_a_result_is_short_in_a_notebook(tmp_path: Path) -> None:
    result = studies.run_study(make_study(), THREE, folder=tmp_path, pool=LocalPool(fail_at_one))
    assert repr(result) == "<StudyResult: kernel-size, standard, 8 of 9 trials, 1 failed: preview>"
    html = result._repr_html_()
    assert html.startswith("<table>")
    for expected in ("8 of 9 trials", "Preview: 3 seeds decide nothing", "test accuracy, mean", "7x7"):
        assert expected in html
    best = result.arms[0].evidence.metrics["test.accuracy"]
    assert best is not None
    assert f">{100 * best.mean:.2f} %<" in html
    assert f">{100 * best.low:.2f} to {100 * best.high:.2f}<" in html


def test_a_notebook_shows_what_the_primary_estimand_is_about(tmp_path: Path) -> None:
    primary = Estimand("size", "parameters", "3x3", between(-10, 10))
    result = studies.run_study(make_study(primary=primary, secondary=()), THREE, folder=tmp_path, threads=1)
    assert "parameters, mean" in result._repr_html_()


def test_an_interrupted_trial_is_said_to_be_saved_or_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    display, planned = TrialProgress(tmp_path), planned_trial()
    event = ProgressEvent("interrupted", planned, 2, 6, None)
    display(event)
    (tmp_path / f"{planned.key[:16]}.checkpoint").touch()
    display(event)
    lost, saved = capsys.readouterr().err.splitlines()
    assert lost == "trial 2/6: kernel-size/3x3, seed 0: not saved; the next run begins it again"
    assert saved == "trial 2/6: kernel-size/3x3, seed 0: saved; the next run goes on inside it"


def test_stored_results_whose_data_are_gone_say_so_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Study:
        raise DataError("there is no data set /gone/digits")

    toy = catalog.StudyEntry("kernel-size", gone, {"standard": THREE})
    monkeypatch.setattr(catalog, "entries", lambda *_: {"kernel-size": toy})
    TrialStore(tmp_path / STORE).close()
    shown = CliRunner().invoke(app, ["study", "show", "kernel-size", "--out", str(tmp_path)])
    assert isinstance(shown.exception, DataError)
    expected = f"what {tmp_path} holds of 'kernel-size' cannot be shown without the data of the study: there is no data"
    assert str(shown.exception).startswith(expected)
