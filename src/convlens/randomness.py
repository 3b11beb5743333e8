"""Addressed randomness: every draw has an address, and none depends on the draws before it.

A stream is a Philox counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011)
whose key is (seed, purpose, name) and whose counter starts at (epoch, step). So a resumed run needs only the
seed, the epoch and the step to continue with the same bits; two engines draw the same dropout masks; and adding a layer
does not change the draws of another.
"""

from __future__ import annotations

import zlib
from typing import Literal, TypeAlias

import numpy as np

from .errors import ConfigurationError

Purpose: TypeAlias = Literal[
    "initialise", "split", "subset", "shuffle", "augment", "dropout", "corrupt", "generate", "permute", "measure"
]

LARGEST_SEED = 2**63 - 1


def stream(seed: int, purpose: Purpose, name: str = "", *, epoch: int = 0, step: int = 0) -> np.random.Generator:
    """Return the generator at one address.

    Parameters
    ----------
    seed
        The run's seed, 0 to 2**63 - 1.
    purpose
        What the draw is for; different purposes never share numbers.
    name
        Tells draws of one purpose apart, such as a parameter's name.
    epoch, step
        Position in training, both counted from 0.

    Raises
    ------
    ConfigurationError
        If the seed is not a whole number, or out of range.
    """
    seed = checked_seed(seed)
    # CRC-32 is a fixed, documented map from names to numbers; Python's own hash() changes from process to process.
    address = zlib.crc32(f"{purpose}:{name}".encode())
    # Philox itself advances the low word of the counter (4 numbers a tick, so 2**66 draws before the next step).
    return np.random.Generator(np.random.Philox(key=[seed, address], counter=[0, 0, step, epoch]))


def checked_seed(seed: object) -> int:
    """Return a seed as an int, NumPy's included; ConfigurationError if it is not a whole number from 0 to 2**63 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= LARGEST_SEED:
        raise ConfigurationError(f"a seed is a whole number from 0 to 2**63 - 1, not {seed!r}")
    return int(seed)
