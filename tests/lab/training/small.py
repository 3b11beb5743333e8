"""Small data and networks for the tests of trainings: quick, and not learned at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convlens.lab.training.session import Session
from convlens.lab.training.sessions import Sessions

LAYERS = [
    {"layer": "Conv2D", "filters": 4},
    {"layer": "ReLU"},
    {"layer": "Flatten"},
    {"layer": "Dense", "units": 3, "kernel_initializer": "glorot_uniform"},
]
PATIENCE = 120.0  # seconds: the machine may be busy


def data(folder: Path, images: int = 600) -> str:
    """Write a data set of three classes, 8 x 8 grey images, and return its path."""
    draw = np.random.default_rng(0)
    labels = np.arange(images) % 3
    pictures = draw.integers(0, 120, (images, 8, 8))
    pictures[np.arange(images), 1 + 2 * labels] += 60
    path = folder / "small.npz"
    np.savez(path, x_train=pictures.astype(np.uint8), y_train=labels)
    return str(path)


def images(folder: Path, sizes: list[tuple[int, int]], classes: tuple[str, ...] = ("lying", "standing")) -> Path:
    """Write a folder of coloured pictures, some of each size (height, width) in each class, and return it."""
    draw = np.random.default_rng(0)
    for axis, name in enumerate(classes):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            pixels = draw.integers(0, 90, (*sizes[number % len(sizes)], 3), dtype=np.uint8)
            np.moveaxis(pixels, axis % 2, 0)[draw.integers(8)] += 150
            Image.fromarray(pixels).save(folder / "pictures" / name / f"{number}.png")
    return folder / "pictures"


def request(data: str, **others: Any) -> dict[str, Any]:
    """Return what the page sends to train the small network."""
    return {"layers": LAYERS, "recipe": {"base": "plain", "epochs": 2}, "data": data, **others}


def wait(session: Session, *states: str) -> str:
    """Wait until a training is in one of some states; return it."""
    end = time.monotonic() + PATIENCE
    while (state := session.state()) not in states:
        assert state != "failed", session.journal.read()[0][-1]
        assert time.monotonic() < end, f"still {state}"
        time.sleep(0.02)
    return state


def events(session: Session, kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind."""
    return [event for event in session.journal.read()[0] if event["kind"] == kind]


def step(sessions: Sessions, session: Session) -> None:
    """Let a paused training take one step, and wait until it is paused, and saved, again."""
    before = len(events(session, "state"))
    sessions.command(session.name, "step")
    end = time.monotonic() + PATIENCE
    while len(events(session, "state")) == before:
        assert time.monotonic() < end, "no step was taken"
        time.sleep(0.02)
