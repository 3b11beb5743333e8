"""What `convlens evaluate` prints and writes: readable at 80 columns, with few classes and many; all of it as JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console, RenderableType

from convlens import data, nn
from convlens.cli.evaluation_tables import class_table, confusion_counts, summary_lines, undefined_note
from convlens.train import Evaluation, evaluate
from tests.cli.test_command_line import convlens
from tests.report.test_evaluation_figures import made
from tests.toys import write_toy_folder

LONG = [f"[bold]a class with quite a long name, number {i}" for i in range(100)]


def printed(*parts: RenderableType) -> str:
    text = io.StringIO()
    console = Console(file=text, width=80, highlight=False)
    for part in parts:
        console.print(part)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    return text.getvalue()


def whole(result: Evaluation, names: list[str]) -> str:
    tables = class_table(result, names), confusion_counts(result, names, 80)
    return printed(*summary_lines(result), *tables, undefined_note(result))


def test_ten_classes_of_ten_thousand_images() -> None:
    result = made(10, 10_000, seed=1)
    text = whole(result, [str(i) for i in range(10)])
    low, _ = result.accuracy_interval
    assert f"accuracy           {100 * result.accuracy:.2f} %  (95 % interval over images: {100 * low:.2f} to" in text
    one = result.classes[3]
    assert one.precision is not None
    row = next(line for line in text.splitlines() if line.split()[:1] == ["3"])
    assert row.split()[1] == f"{100 * one.precision:.2f}"
    matrix = text.split("confusion matrix")[1]
    row = next(line for line in matrix.splitlines() if line.split()[:1] == ["3"])
    assert row.split()[1:] == [str(count) if count else "·" for count in result.confusion[3].tolist()]
    assert "undefined" not in text


def test_long_names_stand_in_rows_and_numbers_in_columns() -> None:
    text = whole(made(4, 60, seed=2), LONG[:4])
    assert "[bold]a class with quit" in text  # a name is no markup
    assert "3 [bold]a class" in text.split("confusion matrix")[1]


def test_a_hundred_classes_show_the_most_frequent_confusions() -> None:
    result = made(100, 2000, seed=3)
    text = whole(result, LONG)
    matrix = result.confusion - np.diag(result.confusion.diagonal())
    assert f"{np.count_nonzero(matrix) - 20} more pairs" in text
    assert text.split("more pairs")[1].count("[bold]") == 2 * 20
    assert int(text.split("more pairs")[1].splitlines()[3].split()[-1]) == matrix.max()


def test_what_is_undefined_is_a_dash_and_said() -> None:
    result = made(3, 30, seed=4, classes_used=2)
    text = whole(result, ["a", "b", "c"])
    row = next(line for line in text.splitlines() if line.split()[:1] == ["c"])
    assert row.split() == ["c", "–", "–", "–", "0", "0"]
    assert "1 never predicted and 1 without images" in text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    bars = data.load(write_toy_folder(folder / "bars"))
    nn.Model([nn.Flatten(), nn.Dense(3)], bars.input_shape, 1).save(folder / "m.safetensors")
    return folder


def test_out_writes_figures_and_everything_as_json(place: Path) -> None:
    done = convlens(place, "evaluate", "m.safetensors", "--data", "bars", "--out", "made/here", "--json")
    assert done.returncode == 0, done.stderr
    folder = place / "made/here"
    assert {path.name for path in folder.iterdir()} == {
        "evaluation.json",
        "confusion.png",
        "calibration.png",
        "wrong.png",
    }
    found = json.loads((folder / "evaluation.json").read_text())
    assert found == json.loads(done.stdout)
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            assert min(image.size) > 100
    examples = data.load(place / "bars").test
    result = evaluate(nn.load(place / "m.safetensors"), examples)
    assert found["wrong"] == result.wrong > 0  # it was never trained
    assert len(found["most_wrong"]) == min(40, result.wrong)
    sure = [one["confidence"] for one in found["most_wrong"]]
    assert sure == sorted(sure, reverse=True)
    for one in found["most_wrong"]:
        assert one["true"] == str(examples.labels[one["index"]]) != one["called"]
        assert one["called"] == str(result.predictions[one["index"]])
    assert [one["class"] for one in found["classes"]] == found["class_names"] == ["0", "1", "2"]
    assert sum(one["count"] for one in found["calibration"]) == found["images"] == len(examples)


def test_an_unwritable_folder_is_one_line(place: Path) -> None:
    done = convlens(place, "evaluate", "m.safetensors", "--data", "bars", "--out", "m.safetensors")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("convlens: cannot make the folder m.safetensors")
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_matplotlib_is_left_alone_where_no_figure_is_asked_for(place: Path) -> None:
    import subprocess
    import sys

    program = (
        "import sys; sys.argv = ['convlens', 'evaluate', 'm.safetensors', '--data', 'bars', '--json']\n"
        "from convlens.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nassert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
