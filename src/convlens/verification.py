"""Checks that this machine computes the recorded bits: trains a small fixed set of networks and compares hashes.

`verify` trains a few networks for a few steps (a CNN, a dense network, batch normalisation, augmentation, every layer)
and compares the SHA-256 of every array with those in ``verified.json``: the initial weights, the gradient of the first
batch, and the arrays after training. It names the first that differs. All images are drawn by addressed randomness, so
no data is needed.

What is promised, and why it holds, is in ``docs/reproducibility.md``. After a change that raises `NUMERICS_VERSION`,
``convlens verify --record src/convlens/verified.json`` writes the file again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import models, nn, optim
from .engine import Address, Update
from .errors import ConfigurationError
from .files import write_atomically
from .program import Slot
from .randomness import stream
from .train.augmentation import Augmentation
from .train.provenance import hardware, versions
from .typing import Array, Float32, IntArray
from .version import NUMERICS_VERSION

RECORDED = Path(__file__).with_name("verified.json")
THREADS = (1, 2, 3, 8)
PROMISED = "numba"
OTHERS = ("numpy", "interpreter")
_SEED, _CLASSES, _STEPS, _DECAY = 20, 10, 3, 0.9
Hashes = dict[str, str]


@dataclass(frozen=True)
class Case:
    """One training: layers, the shape of an image (height, width, channels), and the training settings.

    `batches` are the batch sizes, one per step, used in turn.
    """

    layers: Callable[[], Sequence[nn.Layer]]
    shape: tuple[int, int, int]
    batches: tuple[int, ...]
    optimizer: optim.Optimizer
    schedule: optim.Schedule
    smoothing: float = 0.0
    clip: float | None = None
    augmentation: Augmentation | None = None


def _cnn() -> Sequence[nn.Layer]:
    return models.CNN().layers(_CLASSES)


def _dense() -> Sequence[nn.Layer]:
    return [nn.Flatten(), nn.Dense(128), nn.ReLU(), nn.Dense(64), nn.Tanh(), nn.Dense(_CLASSES)]


def _normalised() -> Sequence[nn.Layer]:
    block = [nn.Conv2D(32, 5), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2D()]
    return [*block, nn.Conv2D(20), nn.BatchNorm(), nn.Dropout(0.3), nn.Flatten(), nn.BatchNorm(), nn.Dense(_CLASSES)]


def _every_layer() -> Sequence[nn.Layer]:
    branch = (nn.Conv2D(12, kernel_initializer="glorot_uniform"), nn.ReLU(), nn.Conv2D(12, 7))
    return [
        *(nn.Conv2D(12, 5, padding="full", padding_mode="reflect"), nn.BlurPool2D(), nn.Tanh()),
        *(nn.Residual(branch), nn.ReLU(), nn.AveragePool2D(), nn.LocallyConnected2D(17, (2, 3), padding="valid")),
        *(nn.BatchNorm(), nn.Dropout(0.25), nn.MaxPool2D(2, 1), nn.Conv2D(20, 3, 2), nn.GlobalAveragePool2D()),
        *(nn.Reshape((4, 5, 1)), nn.Flatten(), nn.Dense(_CLASSES, "he_uniform")),
    ]


CASES: dict[str, Case] = {
    "cnn": Case(_cnn, (28, 28, 1), (128, 37, 1), optim.Adam(), optim.OneCycle(), smoothing=0.1),
    "dense": Case(
        _dense, (28, 28, 1), (512, 50), optim.AdamW(), optim.Cosine(), augmentation=Augmentation(2, 12, 0.1, 0.1, 34)
    ),
    "batch-norm-dropout": Case(
        *(_normalised, (20, 20, 3), (96, 33), optim.SGD(1e-4, 0.9, nesterov=True)),
        *(optim.StepDecay(0.05, (0.4,), 0.1), 0.0, 1.0),
    ),
    "every-layer": Case(_every_layer, (19, 22, 3), (64, 7), optim.Adam(weight_decay=1e-3), optim.Constant()),
}


@dataclass(frozen=True)
class Outcome:
    """What one engine with one number of threads computed, compared with the recorded hashes.

    Attributes
    ----------
    promised
        Whether it must be the same on every machine.
    difference
        The first array that differs, such as ``"cnn: gradient of conv1.w"``; None if all are the same.
    """

    engine: str
    threads: int
    promised: bool
    difference: str | None


@dataclass(frozen=True)
class Report:
    """What `verify` found.

    Attributes
    ----------
    numerics
        The `NUMERICS_VERSION` of the recorded hashes.
    vector_width
        Vector width of the compiled code on this processor, in float32 values.
    outcomes
        One for each engine and number of threads.
    """

    numerics: int
    versions: Mapping[str, Any]
    hardware: Mapping[str, Any]
    vector_width: int
    outcomes: tuple[Outcome, ...]

    @property
    def holds(self) -> bool:
        """Whether every promised outcome is as recorded."""
        return all(outcome.difference is None for outcome in self.outcomes if outcome.promised)

    def __str__(self) -> str:
        lines = [
            f"numerics {self.numerics} on {self.hardware['processor']} ({self.hardware['system']}), "
            f"vector width {self.vector_width}, NumPy {self.versions['numpy']}"
        ]
        for one in self.outcomes:
            threads = f"{one.threads} thread{'s' if one.threads > 1 else ''}"
            what = "the same" if one.difference is None else f"DIFFERENT, first in {one.difference}"
            lines.append(f"{one.engine:11} {threads:10} {what}{'' if one.promised else ' (not promised)'}")
        lines.append("everything promised holds" if self.holds else "this machine's bits differ from the recorded ones")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "outcomes": [asdict(outcome) for outcome in self.outcomes], "holds": self.holds}


def verify(threads: Sequence[int] = THREADS, *, recorded: Path = RECORDED) -> Report:
    """Train the fixed set with the compiled engine and each number of threads, and once with each other engine.

    Raises
    ------
    ConfigurationError
        If the compiled engine is not installed, a number of threads is out of range, or the recorded hashes belong to
        another `NUMERICS_VERSION`.
    """
    known = _read(recorded)
    wanted = [(PROMISED, count) for count in threads] + [(name, 2) for name in OTHERS]
    outcomes = tuple(
        Outcome(name, count, name == PROMISED, _difference(known[name], _trained(name, count)))
        for name, count in wanted
    )
    return Report(NUMERICS_VERSION, versions(), hardware(), _vector_width(), outcomes)


def record(path: Path = RECORDED) -> None:
    """Write this machine's hashes as those that every machine should compute."""
    engines = {name: dict(_trained(name, 2)) for name in (PROMISED, *OTHERS)}
    content = {"numerics": NUMERICS_VERSION, "hardware": hardware(), "engines": engines}
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def _read(path: Path) -> dict[str, dict[str, Hashes]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["numerics"] != NUMERICS_VERSION:
        raise ConfigurationError(
            f"{path} has the hashes of numerics version {content['numerics']}, and this is version {NUMERICS_VERSION}; "
            f"record them again: convlens verify --record {path}"
        )
    engines: dict[str, dict[str, Hashes]] = content["engines"]
    return engines


def _vector_width() -> int:
    from .fast.product import WIDE  # here, because it needs llvmlite

    return WIDE // 2


def _difference(known: Mapping[str, Hashes], found: Iterator[tuple[str, Hashes]]) -> str | None:
    """Return the first array that differs; training stops there."""
    for name, hashes in found:
        for what, value in hashes.items():
            if known.get(name, {}).get(what) != value:
                return f"{name}: {what}"
    return None


def _trained(name: str, threads: int) -> Iterator[tuple[str, Hashes]]:
    """Yield each case's hashes, in the order in which they are computed."""
    for title, case in CASES.items():
        model = nn.Model(case.layers(), case.shape, _SEED)
        model.use(name, threads)
        try:
            yield title, _train(model, case)
        finally:
            model.engine.close()


def _train(model: nn.Model, case: Case) -> Hashes:
    slots, runner = tuple(model.program.slots), model.engine
    hashes = _of(slots, model.flat, "initial {}")
    state, gradient, mean = case.optimizer.start(model.program, model.flat), *np.zeros((2, model.flat.size), np.float32)
    steps = _STEPS * len(case.batches)
    for step in range(steps):
        x, labels = _batch(case, step)
        if case.augmentation is not None:
            x = case.augmentation(x, _SEED, step=step, engine=runner)
            hashes |= _hashes(f"images of step {step + 1}", x)
        runner.gradient(x, labels, gradient, Address(_SEED, 0, step), case.smoothing)
        if step == 0:
            hashes |= _of(slots, gradient, "gradient of {}")
        if case.clip is not None:
            optim.clip_by_norm(runner, gradient, case.clip)
        case.optimizer.step(runner, gradient, state, case.schedule.at(step / steps))
        runner.update(Update("average", {"mean": mean, "p": model.flat}, {"decay": _DECAY, "step": step + 1}))
    hashes |= _of(slots, model.flat, "trained {}") | _of(slots, mean, "average of {}")
    hashes |= _of(tuple(model.program.buffer_slots), model.flat_buffers, "running {}")
    x, _ = _batch(case, steps)
    return hashes | _hashes("logits", runner.logits(x)) | _hashes("logits of one image", runner.logits(x[:1]))


def _batch(case: Case, step: int) -> tuple[Float32, IntArray]:
    """Return images of mostly black pixels, as in handwriting, and their classes."""
    n, draw = case.batches[step % len(case.batches)], stream(_SEED, "corrupt", "verification", step=step)
    images = draw.random((n, *case.shape), np.float32)
    images *= draw.random((n, *case.shape), np.float32) < 0.3
    return images, draw.integers(0, _CLASSES, n)


def _of(slots: Sequence[Slot], flat: Array, what: str) -> Hashes:
    """Return the hashes of the named arrays in a flat array."""
    hashes: Hashes = {}
    for slot in slots:
        hashes |= _hashes(what.format(slot.name), slot.view(flat))
    return hashes


def _hashes(what: str, array: Array) -> Hashes:
    return {what: hashlib.sha256(np.ascontiguousarray(array, "<f4").tobytes()).hexdigest()}


__all__ = ["CASES", "Case", "Outcome", "Report", "record", "verify"]
