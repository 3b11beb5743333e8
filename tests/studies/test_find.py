"""Which result is found: what was run in a folder, or else what ships; and what is said where there is neither."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from convlens.cli.main import app
from convlens.cli.study.options import FOLDER as SHOWN_FOLDER
from convlens.errors import ArtifactError, ConfigurationError, ConvlensError
from convlens.studies import export_shipped, find_result, run_study
from convlens.studies import find as find_module
from convlens.studies.catalog import StudyEntry
from convlens.studies.pools.pool import LocalPool
from convlens.studies.results import shipped
from convlens.studies.run import FOLDER
from convlens.studies.spec import Profile, Study

from .examples import execute, make_study

SIZES = {"standard": Profile("standard", (0, 1)), "quick": Profile("quick", (5, 6))}


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Study:
    """A study in the catalogue, of which nothing ships."""
    made = make_study()
    listed = StudyEntry(made.name, lambda: made, SIZES)
    for module in ("run", "find"):
        monkeypatch.setattr(f"convlens.studies.{module}.entry", lambda name: listed)
    monkeypatch.setattr(find_module, "shipped_names", lambda: shipped.shipped_names(tmp_path / "shipped"))
    monkeypatch.setattr(find_module, "read_shipped", lambda name: shipped.read_shipped(name, tmp_path / "shipped"))
    return made


def test_what_was_run_comes_before_what_ships(study: Study, tmp_path: Path) -> None:
    run_study(study, SIZES["standard"], folder=tmp_path, pool=LocalPool(execute))
    assert export_shipped([study.name], tmp_path / "shipped", folder=tmp_path) == {}
    assert not find_result(study.name, folder=tmp_path).stored
    assert find_result(study.name, folder=tmp_path, stored=True).stored
    assert find_result(study.name, folder=tmp_path / "elsewhere").stored


def test_where_there_is_neither_it_says_so_and_what_to_run(study: Study, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as none:
        find_result(study.name, folder=tmp_path)
    assert "no trial of it is in" in str(none.value)
    assert str(none.value).endswith(f"run it: convlens study run {study.name} --profile standard --out {tmp_path}")
    run_study(study, SIZES["standard"], folder=tmp_path, pool=LocalPool(execute))
    with pytest.raises(ArtifactError, match="under the profile 'quick': no trial of it is in"):
        find_result(study.name, "quick", folder=tmp_path)
    export_shipped([study.name], tmp_path / "shipped", folder=tmp_path)
    with pytest.raises(ArtifactError, match="only that of its profile 'standard'"):
        find_result(study.name, "quick", folder=tmp_path / "elsewhere")


def test_an_incomplete_study_is_not_made_to_ship(study: Study, tmp_path: Path) -> None:
    run_study(study, Profile("standard", (0,)), folder=tmp_path, pool=LocalPool(execute))
    (why,) = export_shipped([study.name], tmp_path / "shipped", folder=tmp_path).values()
    assert "lacks" in why
    assert not (tmp_path / "shipped").exists()


@pytest.mark.parametrize("verb", ["show", "verify", "export"])
def test_every_verb_says_the_same(study: Study, tmp_path: Path, verb: str) -> None:
    found = CliRunner().invoke(app, ["study", verb, study.name, "--out", str(tmp_path)])
    assert isinstance(found.exception, ArtifactError)
    assert f"convlens study run {study.name}" in str(found.exception)


def test_stored_files_are_written_from_a_folder_by_one_command(study: Study, tmp_path: Path) -> None:
    run_study(study, SIZES["standard"], folder=tmp_path, pool=LocalPool(execute))
    command = ["study", "export", study.name, "--format", "stored", "--out", str(tmp_path)]
    assert isinstance(CliRunner().invoke(app, command).exception, ConfigurationError)  # where to?
    assert CliRunner().invoke(app, [*command, "--to", str(tmp_path / "kept")]).exit_code == 0
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [f"{study.name}.json"]
    nothing = CliRunner().invoke(app, [*command[:-1], str(tmp_path / "empty"), "--to", str(tmp_path / "kept")])
    assert isinstance(nothing.exception, ConvlensError)


def test_verbs_and_calls_have_one_folder() -> None:
    assert SHOWN_FOLDER == FOLDER
