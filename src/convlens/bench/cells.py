"""What is timed: every cell is one network at one batch size, and the peers that do its work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..errors import ConfigurationError, nearest

NUMPY, NUMBA = "convlens-numpy", "convlens-numba"
EAGER = ("torch-nchw", "torch-channels-last")
COMPILED = "torch-compile"
ONNX, OPENVINO = "onnxruntime", "openvino"
RUNTIMES = (ONNX, OPENVINO)  # they only predict
GEMM = "gemm"  # a yardstick: the machine's peak rate of matrix products, in FLOP/s
OURS = (NUMPY, NUMBA)
USUAL = (*OURS, *EAGER, COMPILED, *RUNTIMES, GEMM)
DENSE = (*OURS, "torch-nchw", COMPILED, *RUNTIMES, GEMM, "jax", "sklearn")  # only images have memory formats

MEMORY, RACE = "memory", "time-to-99"  # measured besides the cells

WORKS = ("train", "predict")


@dataclass(frozen=True)
class Cell:
    """One network at one batch size, and the peers timed on it.

    Attributes
    ----------
    network
        ``"cnn"``, ``"dense"`` (784-128-64-10), ``"deep"`` (three blocks of 3x3 convolution, batch normalisation, ReLU
        and 2x2 max-pooling with 32, 64 and 128 filters, then Dense 10) or ``"lenet"`` (LeNet-5 as SimpleChains.jl
        times it: two blocks of 5x5 convolution without padding, ReLU and 2x2 max-pooling with 6 and 16 filters, then
        Dense 120, 84 and 10; ReLU between them).
    threads
        Number of threads each peer may use.
    peers
        The peers that take part, in the order of the first round.
    """

    name: str
    network: str
    batch: int
    threads: int
    kernel_size: int = 3
    peers: tuple[str, ...] = USUAL

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "peers": list(self.peers)}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Cell:
        """Read what `to_dict` wrote."""
        return cls(**{**given, "peers": tuple(given["peers"])})


BATCHES = {3: (1, 128, 512), 5: (1, 128), 7: (1, 128, 512)}  # of the CNN, by kernel size: 15 minutes in all


def cells(threads: int) -> list[Cell]:
    """Return all cells: the CNN by kernel and batch; a dense and a deeper network; LeNet-5; one thread."""
    found = []
    for kernel, sizes in BATCHES.items():
        for batch in sizes:
            more = ("jax",) * (batch == 128) + ("textbook",) * (batch == 128 and kernel == 3)
            found.append(Cell(f"cnn-{kernel}x{kernel}-batch{batch}", "cnn", batch, threads, kernel, (*USUAL, *more)))
    return [
        *found,
        Cell("cnn-3x3-batch128-1thread", "cnn", 128, 1),
        Cell("dense-batch128", "dense", 128, threads, peers=DENSE),
        Cell("deep-batch128", "deep", 128, threads),
        Cell("lenet-batch128", "lenet", 128, threads, 5, (*USUAL, "jax")),
        Cell("lenet-batch128-1thread", "lenet", 128, 1, 5),  # without JAX, which uses all processors
    ]


MAIN = "cnn-3x3-batch128"  # the cell of --quick, and the network of memory and race


def chosen(only: Sequence[str], threads: int) -> tuple[list[Cell], list[str]]:
    """Return the cells and the other measurements whose names match the given names or patterns (``cnn-5x5-*``).

    By default, all of them.

    Raises
    ------
    ConfigurationError
        If a name matches nothing; the message suggests the nearest known one.
    """
    everything = cells(threads)
    names = [*(cell.name for cell in everything), MEMORY, RACE]
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ConfigurationError(f"no cell and no other measurement is called {pattern!r}{nearest(pattern, names)}")
    wanted = [name for name in names if not only or any(fnmatchcase(name, pattern) for pattern in only)]
    return [cell for cell in everything if cell.name in wanted], [n for n in (MEMORY, RACE) if n in wanted]
