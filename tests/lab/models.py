"""Small saved models for the tests of the lab."""

from __future__ import annotations

from pathlib import Path

from convlens import models
from convlens.nn import Model


def saved(folder: Path, name: str = "tiny", kind: str = "cnn", **options: object) -> Path:
    """Save an untrained model of MNIST's shape and return its file."""
    model: Model = models.build(kind, seed=0, **options)
    model.save(folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors"
