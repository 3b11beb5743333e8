"""PyTorch, eager, in its two memory formats."""

from __future__ import annotations

from itertools import cycle

import torch
from torch import nn

from .work import batches


class _Eager:
    memory_format: torch.memory_format

    def __init__(self, batch: int, kernel_size: int, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        pad = kernel_size // 2
        self.model = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size, padding=pad), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size, padding=pad), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10),
        ).to(memory_format=self.memory_format)  # fmt: skip
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.data = cycle(
            [
                (
                    torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).contiguous(memory_format=self.memory_format),
                    torch.from_numpy(labels.copy()),
                )
                for x, labels in batches(batch)
            ]
        )

    def train(self) -> None:
        x, labels = next(self.data)
        self.optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(self.model(x), labels).backward()
        self.optimizer.step()

    def predict(self) -> None:
        with torch.inference_mode():
            self.model(next(self.data)[0])


class Contiguous(_Eager):
    """NCHW, PyTorch's default."""

    name = "torch-nchw"
    memory_format = torch.contiguous_format


class ChannelsLast(_Eager):
    """NHWC."""

    name = "torch-channels-last"
    memory_format = torch.channels_last
