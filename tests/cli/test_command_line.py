"""The command line as a user meets it: in a separate process, by its output and exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.toys import toy_images, write_toy_folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the toy data, a model trained on it, and some files that are not what they should be."""
    folder = tmp_path_factory.mktemp("place")
    write_toy_folder(folder / "bars")
    trained = convlens(folder, "train", "baseline", "--data", "bars", "--epochs", "2", "--out", "m.safetensors",
                       "--json", "run.json")  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    Image.fromarray(toy_images(3, 1)[0][0]).save(folder / "bar.png")
    Image.new("L", (100, 80)).save(folder / "big.png")
    (folder / "text.png").write_text("no picture")
    (folder / "cut.safetensors").write_bytes((folder / "m.safetensors").read_bytes()[:-40])
    return folder


def convlens(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convlens", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_train_writes_the_whole_result(place: Path) -> None:
    run = json.loads((place / "run.json").read_text())
    assert run["parameters"] == 64 * 128 + 128 + 128 * 64 + 64 + 64 * 3 + 3
    for key in ("history", "seconds", "images_per_second", "engine", "threads", "versions", "seed", "configuration"):
        assert run[key] is not None
    assert 0 <= run["test"]["accuracy"] <= 1
    assert run["test"]["reads"] == 1
    assert not list(place.glob("*.checkpoint"))


def test_evaluate_repeats_the_result(place: Path) -> None:
    found = convlens(place, "evaluate", "m.safetensors", "--data", "bars", "--json")
    assert found.returncode == 0, found.stderr
    run = json.loads((place / "run.json").read_text())
    assert json.loads(found.stdout)["accuracy"] == run["test"]["accuracy"]
    table = convlens(place, "evaluate", "m.safetensors", "--data", "bars")
    assert "confusion matrix" in table.stdout


def test_predict(place: Path) -> None:
    found = convlens(place, "predict", "--model", "m.safetensors", "bar.png", "--json")
    assert found.returncode == 0, found.stderr
    row = json.loads(found.stdout)[0]
    assert row["image"] == "bar.png"
    assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert row["probability"] == max(row["probabilities"].values())


def test_summary_knows_names_files_and_options(place: Path) -> None:
    assert "206,922" in convlens(place, "summary", "cnn").stdout
    assert "215,370" in convlens(place, "summary", "cnn", "--kernel-size", "5").stdout
    assert json.loads(convlens(place, "summary", "m.safetensors", "--json").stdout)["input_shape"] == [8, 8, 1]


def test_data_list_and_verify(place: Path) -> None:
    assert "mnist" in convlens(place, "data", "list").stdout
    verified = convlens(place, "data", "verify", "bars", "--json")
    assert verified.returncode == 0
    assert all(row["ok"] for row in json.loads(verified.stdout))


BAD = {
    "unknown option": (("train", "cnn", "--kernal-size", "3"), "did you mean '--kernel-size'"),
    "unknown verb": (("trian", "cnn"), "train"),
    "unknown model": (("train", "cnm"), "did you mean 'cnn'"),
    "unknown data": (("train", "cnn", "--data", "mnits"), "did you mean 'mnist'"),
    "unknown recipe": (("train", "cnn", "--recipe", "god"), "did you mean 'good'"),
    "unknown engine": (("train", "cnn", "--engine", "numpi"), "did you mean 'numpy'"),
    "unknown pooling": (("train", "cnn", "--pooling", "maxx"), "did you mean 'max'"),
    "wrong number": (("train", "cnn", "--epochs", "many"), "--epochs"),
    "what came is named": (("train", "cnn", "--epochs", "1.5"), "'1.5'"),
    "no number": (("speedrun", "--target"), "--target"),
    "an option of one letter": (("train", "cnn", "-o", "x"), "no such option: -o; did you mean '--out'?"),
    "an option of initials": (("train", "cnn", "--lr", "1"), "no such option: --lr; did you mean '--learning-rate'?"),
    "a file for JSON": (("evaluate", "m.safetensors", "--json", "x.json"), "--json takes no file here, it prints"),
    "capitals": (("train", "cnn", "--Kernel_Size", "3"), "did you mean '--kernel-size'?"),
    "a verb nobody knows": (("xyz",), "no such command: xyz; known: bench, compare, data, evaluate"),
    "a part of a group": (("data", "lst"), "no such command: lst; did you mean 'list'? (see convlens data --help)"),
    "help of nothing": (("help", "trian"), "did you mean 'train'"),
    "too much": (("train", "cnn", "mnist"), "mnist"),
    "a TOML file and an option": (("summary", "a.toml", "--padding", "same"), "cannot read a.toml"),
    "no epochs": (("train", "cnn", "--epochs", "0"), "epochs is a whole number above 0"),
    "negative seed": (("train", "cnn", "--seed", "-1"), "a seed is a whole number"),
    "option of another model": (("train", "baseline", "--kernel-size", "3"), "has no option 'kernel_size'"),
    "no folder": (("train", "cnn", "--out", "nowhere/m.safetensors"), "there is no folder nowhere"),
    "a folder": (("train", "cnn", "--json", "bars"), "it is a folder"),
    "wrong image size": (("predict", "--model", "m.safetensors", "big.png"), "expected 8 x 8"),
    "not an image": (("predict", "--model", "m.safetensors", "text.png"), "text.png"),
    "missing image": (("predict", "--model", "m.safetensors", "no.png"), "no.png"),
    "foreign artifact": (("evaluate", "bar.png"), "not a safetensors file"),
    "damaged artifact": (("evaluate", "cut.safetensors"), "damaged"),
    "missing artifact": (("evaluate", "no.safetensors"), "there is no file no.safetensors"),
    "other data": (("evaluate", "m.safetensors"), "name the data it was trained on"),
    "two profiles": (("reproduce", "--quick", "--full"), "not both"),
    "unknown cell": (("bench", "--only", "deep-batch12"), "did you mean 'deep-batch128'"),
    "quick and only": (("bench", "--quick", "--only", "memory"), "not both"),
    "no rounds": (("bench", "--rounds", "0"), "at least 1 round"),
    "no seeds": (("speedrun", "--seeds", "0"), "--seeds is a whole number from 1"),
    "no target": (("speedrun", "--target", "101"), "--target is a test accuracy in per cent"),
    "unknown engine of a speedrun": (("speedrun", "--engine", "numpi"), "did you mean 'numpy'"),
    "no more images": (("train", "baseline", "--data", "bars", "--train-images", "9999"), "9,999"),
}


@pytest.mark.parametrize("case", BAD, ids=[name.replace(" ", "-") for name in BAD])
def test_bad_input_is_one_clear_line_and_exit_code_2(place: Path, case: str) -> None:
    arguments, message = BAD[case]
    found = convlens(place, *arguments)
    assert found.returncode == 2, found.stderr
    assert message in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1, found.stderr
    assert found.stderr.startswith("convlens: ")
    assert found.stdout == ""


@pytest.mark.parametrize("damage", ["truncated", "mislabelled", "counts"])
def test_wrong_idx_files(place: Path, tmp_path: Path, damage: str) -> None:
    folder = write_toy_folder(tmp_path / "bars")
    images, labels = folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz"
    if damage == "truncated":
        images.write_bytes(images.read_bytes()[:-200])
    elif damage == "mislabelled":
        images.write_bytes(labels.read_bytes())
    else:
        labels.write_bytes((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    found = convlens(place, "train", "baseline", "--data", str(folder))
    assert found.returncode == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert "train-" in found.stderr


def test_ctrl_c_saves_and_says_how_to_go_on(place: Path, tmp_path: Path) -> None:
    arguments = ["train", "cnn", "--epochs", "2", "--threads", "1", "--train-images", "3000", "--out", "m.safetensors"]
    command = [sys.executable, "-m", "convlens", *arguments]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()  # what is trained
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(20) == 130, rest
    assert "repeat the command with --resume" in rest
    assert (tmp_path / "m.checkpoint").exists()
    again = convlens(tmp_path, *arguments, "--resume")
    assert again.returncode == 0, again.stderr
    assert "resuming in epoch" in again.stderr
    assert not (tmp_path / "m.checkpoint").exists()
    whole = convlens(tmp_path, *arguments[:-1], "whole.safetensors")
    assert whole.returncode == 0
    from convlens.nn import load

    resumed, uninterrupted = load(tmp_path / "m.safetensors"), load(tmp_path / "whole.safetensors")
    assert np.array_equal(resumed.flat, uninterrupted.flat)


def test_importing_is_light() -> None:
    heavy = "numba pandas matplotlib scipy PIL rich typer jinja2"
    code = f"import convlens, sys; print([m for m in {heavy.split()!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        ("--help", "numba pandas matplotlib scipy PIL numpy"),
        ("train --help", "numba pandas matplotlib scipy PIL numpy"),
        ("summary cnn", "numba pandas matplotlib scipy"),
        ("data list", "numba pandas matplotlib scipy"),
        ("study list", "numba pandas matplotlib scipy.stats"),
    ],
)
def test_what_trains_nothing_starts_no_engine(words: str, heavy: str) -> None:
    code = f"""
import sys
from convlens.cli.main import main
sys.argv = ["convlens", *{words.split()!r}]
try:
    main()
finally:
    sys.stderr.write(str([m for m in {heavy.split()!r} if m in sys.modules]))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "verb",
    [
        "reproduce",
        "bench",
        "train",
        "speedrun",
        "evaluate",
        "compare",
        "predict",
        "serve",
        "look",
        "summary",
        "data list",
        "data verify",
        "study list",
        "study run",
        "study show",
        "study tune",
    ],
)
def test_every_help_has_an_example(place: Path, verb: str) -> None:
    found = convlens(place, *verb.split(), "--help")
    assert found.returncode == 0
    assert f"Example: convlens {verb}" in " ".join(found.stdout.split())


def test_a_group_alone_shows_its_help_and_says_what_is_missing(place: Path) -> None:
    found = convlens(place, "study")
    assert found.returncode == 2
    assert "convlens: missing command: list, run, show, export, verify, tune (see " in found.stderr
    text = convlens(place, "study", "run", "--help").stdout.replace("│", " ")
    assert "quick, standard or full" in " ".join(text.split())
