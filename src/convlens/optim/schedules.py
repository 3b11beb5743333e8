"""Learning-rate schedules: the learning rate as a function of the progress of training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

from ..elementary import cos, power
from ..errors import ConfigurationError
from ..plain import is_number


@dataclass(frozen=True)
class Schedule(ABC):
    """Base of all schedules; `rate` is the learning rate, or its peak."""

    rate: float = 1e-3

    def __post_init__(self) -> None:
        if not (is_number(self.rate) and 0 < self.rate < math.inf):
            raise ConfigurationError(f"a learning rate is a number above 0, not {self.rate!r}")

    @abstractmethod
    def at(self, progress: float) -> float:
        """Return the learning rate at a progress from 0 (the first step) to below 1; 1 is the end of training."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout."""

    def at(self, progress: float) -> float:
        del progress
        return self.rate


@dataclass(frozen=True)
class Cosine(Schedule):
    """rate * (1 + cos(pi * progress)) / 2: from the rate down to zero. Source: Loshchilov & Hutter, SGDR, ICLR 2017."""

    def at(self, progress: float) -> float:
        return self.rate * (1 + cos(math.pi * progress)) / 2


@dataclass(frozen=True)
class StepDecay(Schedule):
    """rate * factor ** (number of milestones reached): constant between milestones, which are shares of training.

    ``StepDecay(0.1, (0.5, 0.75), 0.1)`` trains at 0.1, at 0.01 from half of training on, and at 0.001 from three
    quarters on. Source: He et al., "Deep residual learning for image recognition", CVPR 2016.
    """

    milestones: tuple[float, ...] = (0.5, 0.75)
    factor: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.milestones
        shares = tuple(given) if isinstance(given, list | tuple) else ()
        inside = shares and all(is_number(share) and 0 < share < 1 for share in shares)
        if not inside or any(later <= share for share, later in pairwise(shares)):
            raise ConfigurationError(f"milestones are rising shares of training between 0 and 1, not {given!r}")
        if not (is_number(self.factor) and 0 < self.factor < 1):
            raise ConfigurationError(f"factor is a number between 0 and 1, not {self.factor!r}")
        object.__setattr__(self, "milestones", shares)  # plain data brings a list

    def at(self, progress: float) -> float:
        return self.rate * power(self.factor, sum(progress >= share for share in self.milestones))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Half a cosine up to the peak during the first share `warm_up` of training, then another down to zero.

    It begins at rate / `start_divisor`. Source: Smith & Topin, "Super-convergence", 2018, in PyTorch's cosine form.
    """

    rate: float = 5e-3
    warm_up: float = 0.3
    start_divisor: float = 25.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (is_number(self.warm_up) and 0 < self.warm_up < 1):
            raise ConfigurationError(f"warm_up is a share of training between 0 and 1, not {self.warm_up!r}")
        if not (is_number(self.start_divisor) and self.start_divisor >= 1):
            raise ConfigurationError(f"start_divisor is at least 1, not {self.start_divisor!r}")

    def at(self, progress: float) -> float:
        start = self.rate / self.start_divisor
        if progress < self.warm_up:
            return start + (self.rate - start) * (1 - cos(math.pi * progress / self.warm_up)) / 2
        return self.rate * (1 + cos(math.pi * (progress - self.warm_up) / (1 - self.warm_up))) / 2
