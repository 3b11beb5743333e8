"""Trainings as people ask for them: on the command line, and by `fit`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convlens import models, nn
from convlens.data import Dataset
from convlens.errors import ConfigurationError
from convlens.optim import Adam, Constant, OneCycle
from convlens.studies.results.comparison import compare
from convlens.train import RECIPES, Augmentation, Hook, Recipe, fit, recipe
from tests.strangers.table import Call, Command, Row
from tests.toys import load_toy, write_toy_folder

TRAIN = "train baseline --data bars --epochs 2 --recipe plain"
TOML = '[[layers]]\nlayer = "Flatten"\n\n[[layers]]\nlayer = "Dense"\nunits = 3\n'


def bars(folder: Path) -> None:
    """Write the toy data."""
    write_toy_folder(folder / "bars")


def with_files(**files: str | bytes) -> Callable[[Path], None]:
    """Return what writes the toy data, and files: `mine__toml` is ``mine.toml``."""

    def make(folder: Path) -> None:
        bars(folder)
        for name, contents in files.items():
            path = folder / name.replace("__", ".").replace("_", "-")
            path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())

    return make


def with_model(folder: Path) -> None:
    """Write the toy data, a model trained on it, and a link to the model."""
    bars(folder)
    model, data = models.build("baseline", input_shape=(8, 8, 1), classes=3), load_toy(folder / "bars")
    fit(model, data, "plain", epochs=1, test=False, progress=False)
    model.save(folder / "m.safetensors")
    (folder / "link.safetensors").symlink_to("m.safetensors")


def checkpoint(epochs: int, recipe: str = "plain") -> Callable[[Path], None]:
    """Return what writes the toy data and the checkpoint of a finished training."""

    def make(folder: Path) -> None:
        data = load_data(folder)
        model = models.build("baseline", input_shape=(8, 8, 1), classes=3)
        fit(model, data, recipe, epochs=epochs, checkpoint=folder / "c", test=False, progress=False)

    return make


def load_data(folder: Path) -> Dataset:
    """Return the toy data as the command line loads them."""
    from convlens import data

    return data.load(write_toy_folder(folder / "bars"))


def keeps(name: str, contents: bytes) -> Callable[[Path], object]:
    """Return a check that a file is as it was, and that no safety net of this run is left."""

    def check(folder: Path) -> None:
        assert (folder / name).read_bytes() == contents
        assert [path.name for path in folder.glob("*.checkpoint")] == [name]

    return check


def same_results(folder: Path) -> None:
    """Check the files of three seeds, and that each is the training of its seed alone."""
    found = json.loads((folder / "r.json").read_text())
    assert found["seeds"] == [4, 5, 6]
    assert found["test.accuracy"]["n"] == 3
    assert not list(folder.glob("*.checkpoint"))
    for run in found["runs"]:
        model = models.build("baseline", input_shape=(8, 8, 1), classes=3, seed=run["seed"])
        alone = fit(model, load_data(folder), RECIPES["plain"].changed({"epochs": 2}), progress=False)
        assert alone.history == run["history"]
        saved = nn.load(folder / f"m-seed{run['seed']}.safetensors")
        assert np.array_equal(saved.flat, alone.model.flat)


def recipe_of(folder: Path) -> dict[str, Any]:
    """Return the recipe that a result names."""
    found: dict[str, Any] = json.loads((folder / "r.json").read_text())["configuration"]["recipe"]
    return found


def seconds_of(folder: Path) -> dict[str, float]:
    """Return the time by activity that a result names."""
    found: dict[str, float] = json.loads((folder / "r.json").read_text())["seconds"]
    return found


def changed_everything(folder: Path) -> None:
    found = recipe_of(folder)
    assert found["schedule"]["rate"] == 0.002
    assert (found["batch_size"], found["label_smoothing"], found["ema_decay"]) == (32, 0.1, 0.9)
    assert found["augmentation"] == Augmentation(shift=1, rotation=12).to_dict()


def as_in_the_file(folder: Path) -> None:
    found = Recipe.from_dict(recipe_of(folder))
    wanted = replace(recipe("good"), name="mine", schedule=OneCycle(0.002), epochs=2)
    assert found == replace(wanted, augmentation=Augmentation(shift=1))


def holds(condition: Callable[[Any], object]) -> Callable[[Any], object]:
    """Return a check that a condition holds, of a folder or of a result."""

    def check(found: Any) -> None:
        assert condition(found)

    return check


def is_png(folder: Path) -> None:
    assert (folder / "c.png").read_bytes()[:4] == b"\x89PNG"


def result(
    name: str, accuracies: list[float], sha256: str = "f00", layers: Sequence[object] = (), subsets: Sequence[int] = ()
) -> str:
    """Return the JSON of a result with these test accuracies."""
    split = {"seed": 0, "fractions": {"validation": 0.1, "test": None}, "subsets": subsets}
    data = {"name": name, "sha256": sha256, "split": split}
    return json.dumps({"runs": [
        {"seed": seed, "parameters": 10, "seconds": {"train": 1.0}, "test": {"accuracy": accuracy, "images": 100},
         "configuration": {"model": {"layers": layers}, "data": data, "recipe": {}}, "history": []}
        for seed, accuracy in enumerate(accuracies)
    ]})  # fmt: skip


OUTPUTS: list[Row] = [
    Command("two outputs of one name", bars, f"{TRAIN} --out x --json x", 2, ("two outputs", "one file, x")),
    Command("two outputs, one with ./", bars, f"{TRAIN} --out x --json ./x", 2, ("two outputs",)),
    Command("two outputs by way of a folder", bars, f"{TRAIN} --out x --json bars/../x", 2, ("two outputs",)),
    Command("a checkpoint like the model", bars, f"{TRAIN} --out x.y --checkpoint x.y", 2, ("two outputs",)),
    Command("curves like the result", bars, f"{TRAIN} --curves x.png --json x.png", 2, ("two outputs",)),
    Command("the result like the safety net", bars, f"{TRAIN} --out m.st --json m.checkpoint", 2, ("two outputs",)),
    Command("the result like a seed's model", bars, f"{TRAIN} --seeds 2 --out m.st --json m-seed1.st", 2,
            ("two outputs", "m-seed1.st")),
    Command("an output over the saved model", with_model, "train m.safetensors --data bars --out m.safetensors", 2,
            ("cannot write m.safetensors", "is read too")),
    Command("an output over the model behind a link", with_model,
            "train link.safetensors --data bars --out m.safetensors", 2, ("is read too",)),
    Command("an output over a TOML model", with_files(mine__toml=TOML), "train mine.toml --data bars --json mine.toml",
            2, ("is read too",), check=holds(lambda folder: (folder / "mine.toml").read_text() == TOML)),
    Command("an output over a recipe", with_files(r__toml="base = 'good'"),
            "train cnn --data bars --recipe r.toml --out r.toml", 2, ("is read too",)),
    Command("a picture that is none", bars, f"{TRAIN} --curves c.pdf", 2, ("drawn as PNG",)),
    Command("curves of one epoch", bars, "train baseline --data bars --epochs 1 --curves c.png", 2, ("not a curve",)),
    Command("an output that is a folder", bars, f"{TRAIN} --out .", 2, ("cannot write .: it is a folder",)),
    Command("an output without a name", bars, f"{TRAIN} --out ''", 2, ("it is a folder",)),
    Command("JSON to standard output", bars, f"{TRAIN} --json -", says=('"history": [', "test accuracy"),
            check=holds(lambda folder: not (folder / "-").exists())),
]  # fmt: skip

CHECKPOINTS: list[Row] = [
    Command("another training's safety net stays", with_files(baseline__checkpoint=b"another's"), TRAIN,
            says=("baseline.checkpoint: of an earlier training, and stays", "test accuracy"),
            check=keeps("baseline.checkpoint", b"another's")),
    Command("so does that of a named output", with_files(m__checkpoint=b"another's"), f"{TRAIN} --out m.safetensors",
            check=keeps("m.checkpoint", b"another's")),
    Command("a checkpoint is not overwritten", with_files(c=b"another's"), f"{TRAIN} --checkpoint c", 2,
            ("the checkpoint c exists", "--resume"),
            check=holds(lambda folder: (folder / "c").read_bytes() == b"another's")),
    Command("nor is a later seed's, which is found before the first is trained", with_files(c_seed1=b"another's"),
            f"{TRAIN} --seeds 2 --checkpoint c", 2, ("the checkpoint c-seed1 exists",), ("seed 0",)),
    Command("resuming from nothing is said", bars, f"{TRAIN} --resume",
            says=("there is no checkpoint baseline.checkpoint: training begins at the start",)),
    Command("resuming what is finished", checkpoint(2), f"{TRAIN} --checkpoint c --resume",
            says=("finished already, after 2 epochs",), lacks=("resuming in epoch",)),
    Command("more epochs at a constant rate", checkpoint(1), f"{TRAIN} --checkpoint c --resume --json r.json",
            says=("resuming in epoch 2, step 1", "epoch 2/2"), lacks=("epoch 1/2:",)),
    Command("more epochs of one cycle", checkpoint(1, "good"),
            "train baseline --data bars --epochs 2 --checkpoint c --resume", 2,
            ("given its steps other learning rates (OneCycle)", "resume with 1 epoch", "train that further")),
    Command("another learning rate", checkpoint(1),
            "train baseline --data bars --recipe plain --epochs 1 --learning-rate 0.1 --checkpoint c --resume", 2,
            ("those of Constant(rate=0.01) there and of Constant(rate=0.1) here", "repeat the command")),
    Command("fewer epochs", checkpoint(2),
            "train baseline --data bars --recipe plain --epochs 1 --checkpoint c --resume", 2,
            ("more than 1 epoch already",)),
    Command("the checkpoint of another model", checkpoint(1),
            "train cnn --data bars --recipe plain --checkpoint c --resume", 2,
            ("model.layers.0.layer is 'Flatten' there and 'Conv2D' here",)),
    Command("a checkpoint as a model", with_files(c__checkpoint=b"a checkpoint"), "train c.checkpoint --data bars", 2,
            ("c.checkpoint is a checkpoint, not a model", "--checkpoint c.checkpoint --resume")),
    Command("a model that is not there", bars, "train c.safetensors --data bars", 2, ("no file c.safetensors",)),
]  # fmt: skip

ASKED: list[Row] = [
    Command("three seeds", bars, f"{TRAIN} --seed 4 --seeds 3 --out m.safetensors --json r.json",
            says=("seed 4: test accuracy", "seed 6: test accuracy", "over 3 seeds: mean", "m-seed5.safetensors"),
            check=same_results),
    Command("one of the seeds", bars, f"{TRAIN} --seeds 1", says=("one seed decides nothing",), lacks=("range",)),
    Command("a saved model knows how to doubt", bars, f"{TRAIN} --out m.safetensors --json r.json",
            check=holds(lambda folder: "doubt" in seconds_of(folder))),
    Command("a model that is not kept need not", bars, f"{TRAIN} --json r.json",
            check=holds(lambda folder: "doubt" not in seconds_of(folder))),
    Command("no seeds", bars, f"{TRAIN} --seeds 0", 2, ("--seeds is a whole number from 1",)),
    Command("seeds beyond the last", bars, f"{TRAIN} --seed 9223372036854775807 --seeds 2", 2, ("2**63 - 1",)),
    Command("all seeds diverge", bars, f"{TRAIN} --seeds 2 --learning-rate 1e30", 3,
            ("seed 0 diverged", "seed 1 diverged", "2 of 2 trainings diverged")),
    Command("a changed recipe", bars,
            'train baseline --data bars --epochs 2 --augment "shift=1, rotation=12" --label-smoothing 0.1 '
            "--average 0.9 --batch-size 32 --learning-rate 0.002 --json r.json --curves c.png", check=lambda folder: (
                changed_everything(folder), is_png(folder))),
    Command("augmentation turned off", bars,
            "train baseline --data bars --recipe speedrun --augment none --json r.json",
            check=holds(lambda folder: recipe_of(folder)["augmentation"] is None)),
    Command("an augmentation with a slip", bars, f"{TRAIN} --augment rotate=3", 2, ("did you mean 'rotation'",)),
    Command("an augmentation without a value", bars, f"{TRAIN} --augment shift", 2, ("--augment takes settings",)),
    Command("an augmentation named twice", bars, f"{TRAIN} --augment shift=1,shift=2", 2, ("names shift twice",)),
    Command("an average over everything", bars, f"{TRAIN} --average 1", 2, ("not 1.0 (--average)",)),
    Command("an augmentation that is nan", bars, f"{TRAIN} --augment shift=nan", 2, ("shift is a number",)),
    Command("a shift out of sight", bars, f"{TRAIN} --augment shift=8", 2,
            ("a shift of 8 pixels moves images of 8x8 out of sight", "less than 8, such as 1")),
    Command("an average of everything", bars, f"{TRAIN} --average 2", 2, ("a number between 0 and 1", "(--average)")),
    Command("a negative learning rate", bars, f"{TRAIN} --learning-rate=-1", 2, ("rate is a number above 0",)),
    Command("a learning rate that is nan", bars, f"{TRAIN} --learning-rate nan", 2, ("a learning rate is a number",)),
    Command("smoothing of everything", bars, f"{TRAIN} --label-smoothing 1", 2, ("label_smoothing is a number",)),
    Command("a validation fraction", bars, f"{TRAIN} --validation-fraction 0.3", says=("210 training images",)),
    Command("recipe and model in capitals", bars, "train BASELINE --data bars --recipe Plain --epochs 1"),
    Command("a recipe from a file", with_files(mine__toml=(
        'base = "good"\nepochs = 2\n[schedule]\nrate = 0.002\n[augmentation]\nshift = 1\n')),
        "train baseline --data bars --recipe mine.toml --json r.json", check=as_in_the_file),
    Command("a recipe with a slip", with_files(mine__toml='base = "good"\nepoch = 2\n'),
            "train baseline --data bars --recipe mine.toml", 2, ("mine.toml", "unknown key 'epoch'", "'epochs'")),
    Command("a recipe with a slip within", with_files(mine__toml='base = "good"\n[schedule]\npeak = 2\n'),
            "train baseline --data bars --recipe mine.toml", 2, ("mine.toml", "unknown key 'peak'")),
    Command("a recipe without a base", with_files(mine__toml="epochs = 2\n"),
            "train baseline --data bars --recipe mine.toml", 2, ("mine.toml names no base", 'base = "good"')),
    Command("a model in the place of a recipe", with_files(mine__toml=TOML),
            "train baseline --data bars --recipe mine.toml", 2, ("a model, not a recipe; name it in place of MODEL",)),
    Command("a recipe in the place of a model", with_files(mine__toml='base = "good"'), "train mine.toml --data bars",
            2, ("a recipe, not a model; name it with --recipe",)),
    Command("a recipe on a base that is none", with_files(mine__toml='base = "mine.toml"\n'),
            "train baseline --data bars --recipe mine.toml", 2, ("unknown base 'mine.toml'",)),
    Command("a recipe with Windows's byte-order mark",
            with_files(mine__toml=b"\xef\xbb\xbfbase = 'plain'\r\nepochs = 1\r\n"),
            "train baseline --data bars --recipe mine.toml", says=("recipe mine,", "epoch 1/1")),
    *(Command(f"a recipe with its rate in the wrong place: {where}",
              with_files(mine__toml=f'base = "good"\n{where}=1\n'),
              "train baseline --data bars --recipe mine.toml", 2, ("mine.toml", "'rate' of the schedule"))
      for where in ("lr", "learning_rate", "optimizer.lr")),
    Command("a recipe that is no TOML", with_files(mine__toml="epochs: 2\n"),
            "train baseline --data bars --recipe mine.toml", 2, ("mine.toml is not TOML",)),
    Command("a recipe file that is not there", bars, "train baseline --data bars --recipe mine.toml", 2,
            ("cannot read mine.toml",)),
    Command("a saved model is trained further", with_model, "train m.safetensors --data bars --epochs 1 --recipe plain",
            says=("is a saved model, and is trained further",)),
    Command("a saved model with options", with_model, "train m.safetensors --data bars --kernel-size 3", 2,
            ("is a saved model", "leave out --kernel-size")),
    Command("a TOML model with options", with_files(mine__toml=TOML), "train mine.toml --data bars --filters 3,4", 2,
            ("leave out --filters",)),
    Command("a TOML model with an input shape in words", with_files(mine__toml='input_shape = "8x8"\n' + TOML),
            "train mine.toml --data bars", 2, ("input_shape is [height, width, channels]", "'8x8'")),
    Command("a picture as a model", with_files(a__png=b"\x89PNG not at all"), "train a.png --data bars", 2, ("a.png",)),
    Command("a folder as a model", bars, "train bars", 2, ("bars is a folder", "such as cnn, and --data bars")),
    Command("filters that are no numbers", bars, "train cnn --filters 16,a --data bars", 2, ("not '16,a'",)),
    Command("a model nobody has", bars, "train resnet --data bars", 2, ("unknown model 'resnet'", "cnn", "TOML")),
]  # fmt: skip

COMPARED: list[Row] = [
    Command("results compared",
            with_files(a__json=result("t", [0.90, 0.92, 0.91]), b__json=result("t", [0.95, 0.96, 0.96])),
            "compare a.json b.json", says=("paired over 3 seeds", "b.json is better")),
    Command("one seed each", with_files(a__json=result("t", [0.9]), b__json=result("t", [0.95])),
            "compare a.json b.json", says=("+5.00 points: inconclusive: one seed decides nothing",)),
    Command("what is equal in every seed", with_files(a__json=result("t", [0.9, 0.9]), b__json=result("t", [0.9, 0.9])),
            "compare a.json b.json", says=("0.00 points, 95 %", "−2.59 to +2.59", "inconclusive: more ")),
    Command("a file for JSON that is printed", with_files(a__json=result("t", [0.9])), "compare a.json --json r.json",
            2, ("there is no result r.json; --json takes no file, it prints",)),
    Command("a model compared", with_model, "compare m.safetensors", 2, ("is not a text file", "convlens evaluate")),
    Command("other test images", with_files(a__json=result("t", [0.9]), b__json=result("u", [0.95], "bad")),
            "compare a.json b.json", 2, ("tested on different images (100 of t; 100 of u)",)),
    Command("what is no result", with_files(a__json="{}"), "compare a.json", 2, ("a.json is no result of a training",)),
    Command("models compared", with_model, "compare m.safetensors m.safetensors", 2,
            ("m.safetensors is not a text file", "train --json")),
    Command("half a result", with_files(a__json='{"seed": 0, '), "compare a.json", 2, ("(not JSON: ", "train --json")),
    Command("what two results differ in", with_files(
        a__json=result("t", [0.9], layers=[1, 2], subsets=[3]),
        b__json=result("t", [0.9], layers=[1, 2, 3], subsets=[4])), "compare a.json b.json",
            says=("model.layers (2 entries and 3 entries)", "data.split.subsets"), lacks=("1 entry and 1 entry",)),
    Command("what is no JSON", bars, "compare bars/train-images-idx3-ubyte.gz", 2, ("is not a text file",)),
    Command("a result with an accuracy in per cent", with_files(a__json=result("t", [97.6])), "compare a.json", 2,
            ("a.json is no result of a training",)),
    Command("a result whose diverged seeds are no list",
            with_files(a__json=result("t", [0.9])[:-1] + ', "diverged": 3}'),
            "compare a.json", says=("nothing to compare it with",)),
    Command("curves of results without any", with_files(a__json=result("t", [0.9])), "compare a.json --curves c.png", 2,
            ("a point is not a curve",)),
]  # fmt: skip


def small(**changes: Any) -> Callable[[Path], object]:
    """Return a call of `fit` with changed arguments."""

    def call(folder: Path) -> object:
        given = {"model": models.build("baseline", input_shape=(8, 8, 1), classes=3), "dataset": load_data(folder),
                 "recipe": "plain", "epochs": 1, "progress": False, **changes}  # fmt: skip
        return fit(given.pop("model"), given.pop("dataset"), **given)

    return call


def refused(name: str, *says: str, **changes: Any) -> Call:
    return Call(name, small(**changes), error=ConfigurationError, says=says)


DOOR: list[Row] = [
    refused("fit: the name of a model", "model is something such as", "build('cnn')", "not 'cnn'", model="cnn"),
    refused("fit: layers for a model", "model is something such as", model=[nn.Flatten(), nn.Dense(3)]),
    refused("fit: the class for a model", "not the class Model; write Model(...)", model=nn.Model),
    refused("fit: the name of data", "dataset is something such as", "load('mnist')", "not 'mnist'", dataset="mnist"),
    refused("fit: arrays for data", "dataset is something such as", "not a tuple", dataset=(np.zeros((9, 8, 8)), 3)),
    refused("fit: no recipe", "recipe is something such as 'good'", "not None", recipe=None),
    refused("fit: settings for a recipe", "recipe is something such as 'good'", recipe={"epochs": 3}),
    refused("fit: a recipe nobody has", "unknown recipe 'god'; did you mean 'good'", recipe="god"),
    refused("fit: the class of a hook", "not the class Hook; write Hook(...)", hooks=[Hook]),
    refused("fit: a hook alone", "hooks is something such as [", hooks=Hook()),
    refused("fit: a function for a hook", "a hook is something such as", hooks=[print]),
    refused("fit: a step alone", "snapshots is something such as [0, 100, 200], not 7", snapshots=7),
    refused("fit: a folder that is none", "snapshot_folder is something", snapshots=[1], snapshot_folder=7),
    refused("fit: a checkpoint that is none", "checkpoint is something such as", checkpoint=True),
    refused("fit: no epochs", "epochs is a whole number above 0, not 0", epochs=0),
    refused("fit: half an epoch", "epochs is a whole number above 0, not 2.5", epochs=2.5),
    refused("fit: epochs in words", "epochs is a whole number above 0, not '3'", epochs="3"),
    refused("fit: a true epoch", "epochs is a whole number above 0, not True", epochs=True),
    refused("fit: a negative seed", "a seed is a whole number", seed=-1),
    Call("fit: epochs as NumPy's number", small(epochs=np.int64(1)), gives=lambda run: json.dumps(run.to_dict())),
    Call("fit: a recipe file", lambda folder: (
        (folder / "mine.toml").write_text('base = "plain"\nepochs = 2\n'), recipe(folder / "mine.toml"))[1],
        gives=holds(lambda found: (found.name, found.epochs, found.schedule) == ("mine", 2, Constant(0.01)))),
    *(Call(f"Recipe: {name}", lambda _, changes=changes: Recipe(**{"name": "x", "optimizer": Adam(),
           "schedule": Constant(), **changes}), error=ConfigurationError, says=(says,)) for name, changes, says in (
        ("the name of an optimiser", {"optimizer": "adam"}, "such as convlens.optim.Adam(), not 'adam'"),
        ("the class of an optimiser", {"optimizer": Adam}, "not the class Adam; write Adam(...)"),
        ("a rate for a schedule", {"schedule": 0.01}, "such as convlens.optim.OneCycle(5e-3), not 0.01"),
        ("settings for augmentation", {"augmentation": {"shift": 2}}, "augmentation is something such as"),
        ("no name", {"name": ""}, "the name of a recipe"),
    )),
    Call("build: nothing", lambda _: models.build(None), error=ConfigurationError, says=("model is something",)),
    *(Call(f"build: images of {shape}", lambda _, shape=shape: models.build("cnn", input_shape=shape),
           error=ConfigurationError, says=("input_shape is something such as (28, 28, 1), not", repr(shape)))
      for shape in (28, "28x28")),
    Call("compare: nothing", lambda _: compare([]), error=ConfigurationError, says=("no results",)),
    Call("compare: the names of files", lambda _: compare(["a.json"]), error=ConfigurationError, says=("'a.json'",)),
    Call("build: a number", lambda _: models.build(3), error=ConfigurationError, says=("not 3",)),
]  # fmt: skip

ROWS: list[Row] = [*OUTPUTS, *CHECKPOINTS, *ASKED, *COMPARED, *DOOR]
