"""`convlens study show` prints the question, what answers it, and the answer; with --details, everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlens import studies
from convlens.cli.study.printing import print_result
from convlens.report.sections import contrasts_table
from convlens.report.short_tables import short_arms_table, short_contrasts_table
from convlens.text_table import TextTable


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> studies.StudyResult:
    return studies.find_result("kernel-size", "standard", folder=tmp_path_factory.mktemp("none"), stored=True)


def test_the_question_comes_first_and_the_answer_last(
    result: studies.StudyResult, capsys: pytest.CaptureFixture[str]
) -> None:
    print_result(result)
    lines = capsys.readouterr().out.split("\n")
    assert " ".join(lines[:2]).startswith(result.evidence.study.question)
    assert "McNemar" not in " ".join(lines)
    assert "206,922" in " ".join(lines)
    print_result(result, details=True)
    assert "McNemar" in capsys.readouterr().out


def test_short_tables_say_what_the_whole_ones_say(result: studies.StudyResult) -> None:
    whole, short = contrasts_table(result.evidence), short_contrasts_table(result.evidence)
    assert len(short.rows) == len(whole.rows) > 10
    assert {"difference", "claimed", "verdict"} < set(short.columns)
    for name in short.columns[1:]:
        there, here = whole.columns.index(name), short.columns.index(name)
        assert [row[there] for row in whole.rows] == [row[here] for row in short.rows]


@pytest.mark.parametrize("name", [path.stem for path in Path(studies.__file__).parent.glob("stored/*.json")])
def test_short_tables_have_columns_on_an_ordinary_terminal(name: str, tmp_path: Path) -> None:
    result = studies.find_result(name, "standard", folder=tmp_path, stored=True)
    for table in (short_arms_table(result), short_contrasts_table(result.evidence)):
        every = range(len(table.columns))
        assert TextTable(table.caption, table.columns, table.rows, left=every, names=()).fits(100), table.caption
