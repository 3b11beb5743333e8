"""Writes a model with a layer of every kind, and what it answers, as this version of convlens saves it.

Run by hand when the format changes, with the new version's number; the files of earlier versions stay as they are::

    python tests/nn/saved/write.py tests/nn/saved/format1.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from convlens import nn

SHAPE = (12, 11, 2)
LAYERS = (
    *(nn.Conv2D(3, (3, 2), padding_mode="reflect"), nn.BatchNorm(0.8), nn.ReLU(), nn.MaxPool2D(2, 1), nn.BlurPool2D()),
    *(nn.LocallyConnected2D(4, 3, 2), nn.Tanh(), nn.Residual((nn.Conv2D(4), nn.ReLU(), nn.Dropout(0.25)))),
    *(nn.AveragePool2D((1, 3)), nn.Reshape((2, 3, 2)), nn.Conv2D(5, 2, padding="full"), nn.GlobalAveragePool2D()),
    *(nn.Flatten(), nn.Dense(3)),
)


def images() -> np.ndarray:
    return (np.arange(4 * 12 * 11 * 2) * 37 % 256).astype(np.uint8).reshape(4, *SHAPE)


def write(path: Path) -> None:
    model = nn.Model(LAYERS, SHAPE, seed=3, class_names=["circle", "cross", "déjà vu"])
    draw = np.random.default_rng(1)
    for view in (*model.parameters.values(), *model.buffers.values()):
        view[...] += 0.1 * draw.random(view.shape)
    model.save(path, training={"logits": model.use("interpreter").logits(images()).tolist()})


if __name__ == "__main__":
    write(Path(sys.argv[1]))
