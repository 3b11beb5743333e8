"""A model, a recipe and a verb, added as CONTRIBUTING.md says, reach the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.contributing.recipes import Copy, section
from tests.toys import write_toy_folder

TRAIN = ("train", "--data", "bars", "--epochs", "1", "--out", "m.safetensors", "--json", "run.json")


def test_a_new_named_model(tmp_path: Path) -> None:
    copy = Copy.make(tmp_path)
    copy.check(copy.follow("A new named model"))
    write_toy_folder(tmp_path / "bars")
    copy.convlens(*TRAIN, "narrow")
    assert json.loads((tmp_path / "run.json").read_text())["parameters"] == 64 * 16 + 16 + 16 * 3 + 3
    assert "narrow" in copy.convlens("train", "--help")
    code = "import convlens as cl; print(cl.models.build('narrow', units=32).program.parameter_count)"
    assert int(copy.run("-c", code)) == 784 * 32 + 32 + 32 * 10 + 10


def test_a_new_recipe(tmp_path: Path) -> None:
    copy = Copy.make(tmp_path)
    copy.check(copy.follow("A new recipe"))
    write_toy_folder(tmp_path / "bars")
    assert "brisk" in copy.convlens("train", "--help")
    copy.convlens(*TRAIN, "baseline", "--recipe", "brisk")
    recipe = json.loads((tmp_path / "run.json").read_text())["configuration"]["recipe"]
    assert (recipe["name"], recipe["schedule"]["rate"]) == ("brisk", 6e-3)
    text = section("A new recipe")
    for script in ("benchmarks/search/search.py", "benchmarks/accuracy.py"):
        assert f"python {script} " in text
        copy.run(script, "--help")
    code = "from candidates import STAGES; print(len(STAGES['brisk'].recipes))"
    assert int(copy.run("-c", f"import sys; sys.path.insert(0, 'benchmarks/search'); {code}")) == 2


def test_a_new_verb(tmp_path: Path) -> None:
    copy = Copy.make(tmp_path)
    copy.check(copy.follow("A new verb of the command line"))
    assert copy.convlens("count", "cnn") == "206,922 parameters\n"
    assert json.loads(copy.convlens("count", "cnn", "--json")) == {"parameters": 206922}
    assert "Example: convlens count cnn" in copy.convlens("count", "--help")
    assert "Count the parameters of a model." in copy.convlens("--help")
