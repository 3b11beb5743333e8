"""The tables agree with the result, also in a document."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from convlens.bench.documents import renewed
from convlens.bench.run import read
from convlens.bench.tables import absent, conditions, headline, markdown, readme, speed, terminal
from convlens.errors import ConfigurationError
from convlens.figures.speed import LOOK, draw_speed
from convlens.wording import NONE
from tests.bench.toy_result import toy_result, with_runtimes


def test_the_headline_has_both_ratios_and_names_the_best_mode() -> None:
    rows = {row[0]: row[1:] for row in headline(toy_result()).rows}
    assert rows["CNN 3x3, batch 128, training"] == (
        "2.00 (1.50 to 3.00)",
        "0.60 (0.50 to 0.90) compile",
        "1.00 (0.83 to 1.25)",
    )
    assert rows["peak memory of a training process"] == ("0.38 (150 of 400 MiB)", "0.50 (150 of 300 MiB)", "–")
    assert rows["time to 99.0 %, training"][0] == "0.50 (0.50 to 0.50)"
    assert rows["seeds that reached 99.0 %"][0] == "convlens 1 of 1, torch-channels-last 0 of 1"


def test_where_runtimes_were_measured_the_best_is_named_and_training_shows_none() -> None:
    result = with_runtimes()
    shown = headline(result)
    assert shown.title == "convlens beside PyTorch, ONNX Runtime and OpenVINO"
    assert shown.columns[2] == "compiled, to the best"
    rows = {row[0]: row[2] for row in shown.rows}
    assert rows["CNN 3x3, batch 128, training"] == "0.60 (0.50 to 0.90) compile"
    assert rows["CNN 3x3, batch 128, prediction"] == "0.30 (0.25 to 0.40) ONNX Runtime"
    assert rows["dense 784-128-64-10, batch 128, prediction"] == "0.60 (0.50 to 0.90) compile"
    training, prediction = speed(result, "train"), speed(result, "predict")
    assert not {"onnxruntime", "openvino"} & set(training.columns)
    assert prediction.columns[-5:] == (
        "onnxruntime", "openvino", "compiled, to better eager", "compiled, to the best", "of GEMM peak",
    )  # fmt: skip
    assert [row[-5] for row in prediction.rows] == ["800", NONE]
    assert all("onnxruntime" not in row for row in absent(result).rows)
    assert "with NumPy 2.4.6, PyTorch 2.13.0, ONNX Runtime 1.32.0" in conditions(result)


def test_a_result_without_runtimes_does_not_speak_of_them() -> None:
    text = markdown(toy_result())
    assert "compiled, to best PyTorch" in text
    assert "Runtime" not in text


def test_who_is_absent_is_named_on_every_surface() -> None:
    result = toy_result()
    console = Console(file=io.StringIO(), width=250)
    for part in terminal(result):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    for text in (markdown(result), console.file.getvalue()):
        assert "not installed: No module named 'jax'" in text
        assert "a processor" in text


def test_documents_are_renewed_between_their_marks() -> None:
    text = "before\n<!-- bench: readme -->\nold\n<!-- end of bench -->\nafter\n"
    new = renewed(text, toy_result())
    assert "old" not in new
    assert readme(toy_result()) in new
    assert new.startswith("before\n")
    assert new.endswith("\nafter\n")
    assert renewed(new, toy_result()) == new


def test_what_is_no_result_is_said(tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text('{"format": 0}')
    with pytest.raises(ConfigurationError, match="its format is 0"):
        read(tmp_path / "speed.json")


def test_the_figure_shows_each_engine_in_both_panels() -> None:
    figure = draw_speed(toy_result(), LOOK)
    assert figure is not None
    assert len(figure.axes) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["compiled engine", "NumPy engine"]
    assert draw_speed({"cells": {}}, LOOK) is None
