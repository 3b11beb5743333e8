"""CONTRIBUTING's recipe for a new study, followed to its end: its file is put where it says, and that is all."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from convlens.cli.main import app
from convlens.errors import ConfigurationError
from convlens.studies import catalog
from tests.toys import write_toy_folder

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def recipe() -> str:
    """Return the file that the recipe shows."""
    shown = re.search(r"```python max_or_mean.py\n(.*?)```", CONTRIBUTING.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    return shown[1]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is part of the catalogue, and the toy data in place of MNIST."""
    monkeypatch.setattr(catalog, "__path__", [*catalog.__path__, str(tmp_path / "catalog")])
    (tmp_path / "catalog").mkdir()
    write_toy_folder(tmp_path / "bars")
    yield tmp_path / "catalog"
    for name in [name for name in sys.modules if name.startswith("convlens.studies.catalog.")]:
        if "max_or_mean" in name or "broken" in name:
            del sys.modules[name]
            vars(catalog).pop(name.rpartition(".")[2], None)


def convlens(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_recipe_leads_to_a_page(place: Path, tmp_path: Path) -> None:
    toy = recipe().replace('"mnist"', repr(str(tmp_path / "bars"))).replace("6_000", "120")
    (place / "max_or_mean.py").write_text(toy, encoding="utf-8")
    assert "max-or-mean: Is max-pooling more accurate" in convlens("study", "list")
    out = ("--profile", "quick", "--out", str(tmp_path / "out"))
    ran = convlens("study", "run", "max-or-mean", *out, "--threads", "1")
    page = tmp_path / "out" / "max-or-mean-quick" / "report.html"
    assert f"report: {page}" in ran
    assert "Is max-pooling more accurate" in page.read_text(encoding="utf-8")
    assert 'href="max-or-mean-quick/report.html"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    shown = convlens("study", "show", "max-or-mean", *out)
    assert re.search(r"^ *gain\b.*(\+|−).*preview", shown, re.MULTILINE)  # in a pipe, or in columns
    found = json.loads(convlens("study", "show", "max-or-mean", *out, "--json"))
    kept = json.loads((page.parent / "results.json").read_text(encoding="utf-8"))
    assert found["studies"] == kept["studies"]
    assert [arm["n"] for arm in found["studies"]["max-or-mean"]["arms"]] == [2, 2]


def test_the_commands_of_the_recipe_are_those_that_were_run() -> None:
    section = CONTRIBUTING.read_text(encoding="utf-8").partition("## A new study")[2].partition("\n## ")[0]
    for command in ("convlens study list", "convlens study run max-or-mean --profile quick"):
        assert f"`{command}`" in section
    assert "out/studies/max-or-mean-quick/report.html" in section


def test_a_file_that_is_no_study_is_named(place: Path) -> None:
    (place / "broken.py").write_text("NAME = 'broken'", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"catalog/broken.py lacks study, PROFILES"):
        catalog.entries()


def test_two_studies_of_one_name_are_refused(place: Path) -> None:
    (place / "max_or_mean.py").write_text(recipe().replace('"max-or-mean"', '"kernel-size"'), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="two files of the catalogue have the name 'kernel-size'"):
        catalog.entries()


def test_a_file_that_cannot_be_imported_is_named_and_the_others_are_listed(place: Path) -> None:
    (place / "broken.py").write_text("import numpyy\n", encoding="utf-8")
    reason = "catalog/broken.py cannot be imported: ModuleNotFoundError: No module named 'numpyy'"
    with pytest.raises(ConfigurationError, match=reason):
        catalog.entries()
    found = CliRunner().invoke(app, ["study", "list"])
    assert found.exit_code == 0
    assert "kernel-size: " in found.stdout
    assert reason in found.stderr
    assert catalog.entry("kernel-size").name == "kernel-size"
    with pytest.raises(ConfigurationError, match=f"no study is called 'broken'.*; {reason}"):
        catalog.entry("broken")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('NAME = "max-or-mean"', 'NAME = "max/mean"', r"max_or_mean.py: NAME becomes the name of a folder.*'max/mean'"),
        ('NAME = "max-or-mean"', "NAME = 3", r"max_or_mean.py: NAME is 1 to 100 printable characters"),
        ('Profile("quick"', 'Profile("fast"', r"the profile 'quick' calls itself 'fast'"),
        ('"quick": Profile("quick"', '"a:b": Profile("a:b"', r"the name of a profile becomes .*'a:b'"),
    ],
)
def test_a_name_that_cannot_be_is_refused(place: Path, before: str, after: str, message: str) -> None:
    assert before in recipe()
    (place / "max_or_mean.py").write_text(recipe().replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        catalog.entries()


def test_a_study_of_another_name_than_its_file_says_is_refused(place: Path, tmp_path: Path) -> None:
    toy = recipe().replace('"mnist"', repr(str(tmp_path / "bars"))).replace("name=NAME", 'name="other"')
    (place / "max_or_mean.py").write_text(toy, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"NAME is 'max-or-mean', and study\(\) calls itself 'other'"):
        catalog.entry("max-or-mean").study()
