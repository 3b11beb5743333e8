"""Commands as people type them: other spellings, options that change nothing, names that look like markup."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from convlens import memory, models, nn
from convlens.errors import ConfigurationError
from tests.strangers.table import Call, Command, Row

HOSTILE = ("[a]", "[bold red]b", "[red]$x$", "c:cat:\x1b[31m\n\u202e$x_{")
TINY = "[[layers]]\nlayer = 'Flatten'\n[[layers]]\nlayer = 'Dense'\nunits = 10\n"


def nothing(folder: Path) -> None:
    """Make nothing."""


def saved(folder: Path) -> None:
    """Save a model of classes with hostile names as ``m[x].safetensors``, with two pictures and their folder."""
    model = nn.Model([nn.Flatten(), nn.Dense(4)], (8, 8, 1), class_names=HOSTILE)
    model.save(folder / "m[x].safetensors")
    for name in HOSTILE:
        (folder / "set[1]" / name).mkdir(parents=True)
        for number in range(12):
            Image.fromarray(np.full((8, 8), 20 * number, np.uint8)).save(folder / "set[1]" / name / f"[b]{number}.png")
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(folder / "[red]i\n.png")


def described(folder: Path) -> None:
    """Write a model as TOML."""
    (folder / "mine.toml").write_text(TINY)
    models.build("baseline").save(folder / "m.safetensors")


def too_large(folder: Path) -> nn.Model:
    """Build a network of 5 million million parameters."""
    return models.build("cnn", kernel_size=100_000)


def on_a_small_machine(folder: Path) -> nn.Model:
    """Build a network of 100 million parameters where 256 MiB are left."""
    before, memory.available = memory.available, lambda: 1 << 28
    try:
        return nn.Model([nn.Flatten(), nn.Dense(10_000), nn.Dense(10_000), nn.Dense(10)], (8, 8, 1))
    finally:
        memory.available = before


ROWS: list[Row] = [
    # spellings
    *(Command(f"{line}", nothing, line, says=("Usage:", "--help"), lacks=("Traceback",))
      for line in ("-h", "train -h", "study run -h", "help", "help train", "help study run")),
    Command("version", nothing, "version", says=("convlens 0",)),
    Command("CNN", nothing, "summary CNN", says=("206,922",)),
    Command("Baseline", nothing, "summary Baseline", says=("109,386",)),
    Command("an unknown verb", nothing, "trian cnn", code=2, says=("trian",)),
    Command("an unknown profile", nothing, "study run kernel-size --profile quik", code=2,
            says=("did you mean 'quick'",)),
    Command("an unknown study", nothing, "study show kernel-sizes", code=2, says=("did you mean 'kernel-size'",)),
    Command("a study that was not run", nothing, "study show kernel-size --profile quick --out a[b]", code=2,
            says=("no trial of it is in a[b]", "convlens study run kernel-size --profile quick --out a[b]")),
    Command("the studies", nothing, "study list", says=("a trial is one training", "Next: convlens study run")),
    # options that would change nothing
    Command("a TOML file and an option", described, "summary mine.toml --kernel-size 7", code=2,
            says=("mine.toml describes the whole model", "leave out --kernel-size")),
    Command("a TOML file and two options", described, "summary mine.toml --pooling max --filters 3", code=2,
            says=("--filters, --pooling",)),
    Command("a saved model and an option", described, "summary m.safetensors --kernel-size 7", code=2,
            says=("m.safetensors is a saved model", "leave out --kernel-size")),
    Command("a TOML file without an input shape", described, "summary mine.toml",
            says=("28x28x1", "7,850", "input_shape")),
    Command("a model that is not there", nothing, "summary mine.toml", code=2, says=("cannot read mine.toml",)),
    Command("threads that would not be used", nothing, "verify --record h.json --threads 3", code=2,
            says=("--threads",)),
    # sizes
    Command("a kernel of 100,000 is looked at", nothing, "summary cnn --kernel-size 100000",
            says=("5,280,000,202,170",)),
    Command("so are 100,000 filters", nothing, "summary cnn --filters 100000,100000", says=("90,628,301,418",)),
    Call("but not built", too_large, error=ConfigurationError,
            says=("5,280,000,202,170 parameters", "TiB", "smaller kernels")),
    Call("nor what this machine cannot hold", on_a_small_machine, error=ConfigurationError,
         says=("100,760,010 parameters", "256 MiB are available")),
    # names
    Command("names that look like markup", saved,
            "evaluate 'm[x].safetensors' --data 'set[1]' --split train --out 'e[/]'",
            says=("m[x].safetensors on set[1]", "[bold red]b", "[red]$x$", r"c:cat:\x1b[31m\n\u202e$x_{",
                  "written to e[/]"),
            lacks=("\x1b", "\u202e")),
    Command("a summary of one", saved, "summary 'm[x].safetensors'", says=("260",)),
    Command("pictures and classes", saved, "predict --model 'm[x].safetensors' '[red]i\n.png' --as-is",
            says=(r"[red]i\n.png",), lacks=("\x1b", "\u202e")),
    Command("in an error", nothing, "evaluate 'no[/]:cat:\x1b[31m.safetensors'", code=2,
            says=(r"no[/]:cat:\x1b[31m.safetensors",), lacks=("\x1b",)),
]  # fmt: skip
