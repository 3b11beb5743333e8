"""Optimisers: frozen configuration; their state is a few flat arrays beside the parameters, kept by the training loop.

The formulas are in `convlens.ops.update`; the engine spreads them over its threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from ..engine import Engine, Update
from ..errors import ConfigurationError
from ..plain import is_number
from ..program import Program, aligned_zeros
from ..typing import Array

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "OptimizerState"]


@dataclass
class OptimizerState:
    """The state of an optimiser: flat arrays by name, and the number of steps taken."""

    arrays: dict[str, Array]
    decay: Array | None  # strength of weight decay for each parameter
    step: int = 0


@dataclass(frozen=True)
class Optimizer(ABC):
    """Base of all optimisers.

    `weight_decay` applies to kernels and dense weights, not to biases.
    """

    weight_decay: float = 0.0

    _remembers: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not (is_number(self.weight_decay) and 0 <= self.weight_decay < 1):
            raise ConfigurationError(f"weight_decay is a number from 0 to below 1, not {self.weight_decay!r}")

    def start(self, program: Program, parameters: Array) -> OptimizerState:
        """Return a fresh state for the flat parameters of a Program."""
        arrays = {name: aligned_zeros(parameters.size, parameters.dtype.type) for name in self.remembers}
        decay = program.decay_mask() * parameters.dtype.type(self.weight_decay) if self.weight_decay else None
        return OptimizerState(arrays, decay)

    @property
    def remembers(self) -> tuple[str, ...]:
        """Names of the arrays of its state."""
        return self._remembers

    def step(self, engine: Engine, gradient: Array, state: OptimizerState, rate: float) -> None:
        """Take one step at learning rate `rate`, changing the engine's parameters; `gradient` is overwritten.

        Raises
        ------
        ConfigurationError
            If the rate is not a number, the state is another optimiser's, or an array does not have the parameters'
            size and type.
        """
        if not is_number(rate):
            raise ConfigurationError(f"a learning rate is a finite number, not {rate!r}")
        if set(state.arrays) != set(self.remembers):
            has, needed = (", ".join(sorted(names)) or "none" for names in (state.arrays, self.remembers))
            raise ConfigurationError(
                f"the state is another optimiser's: it has {has}, and {type(self).__name__} needs {needed}; "
                "use the one that start returned"
            )
        state.step += 1
        engine.update(self.update(engine.parameters, gradient, state, rate))

    @abstractmethod
    def update(self, p: Array, g: Array, state: OptimizerState, rate: float) -> Update:
        """Return one step as an update of the parameters `p` by their gradient `g`."""


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent. See `convlens.ops.update.sgd`."""

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (is_number(self.momentum) and 0 <= self.momentum < 1):
            raise ConfigurationError(f"momentum is a number from 0 to below 1, not {self.momentum!r}")
        if type(self.nesterov) is not bool:
            raise ConfigurationError(f"nesterov is true or false, not {self.nesterov!r}")
        if self.nesterov and not self.momentum:
            raise ConfigurationError("nesterov needs a momentum above 0")

    @property
    def remembers(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def update(self, p: Array, g: Array, state: OptimizerState, rate: float) -> Update:
        arrays = {"p": p, "g": g, "velocity": state.arrays.get("velocity"), "decay": state.decay}
        return Update("sgd", arrays, {"rate": rate, "momentum": self.momentum, "nesterov": self.nesterov})


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam; weight decay is added to the gradient. See `convlens.ops.update.adam`."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    _remembers = ("m", "v")
    _decoupled: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta1", "beta2"):
            if not (is_number(getattr(self, name)) and 0 <= getattr(self, name) < 1):
                raise ConfigurationError(f"{name} is a number from 0 to below 1, not {getattr(self, name)!r}")
        if not (is_number(self.epsilon) and self.epsilon > 0):
            raise ConfigurationError(f"epsilon is a number above 0, not {self.epsilon!r}")

    def update(self, p: Array, g: Array, state: OptimizerState, rate: float) -> Update:
        settings = {"beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon, "decoupled": self._decoupled}
        arrays = {"p": p, "g": g, "m": state.arrays["m"], "v": state.arrays["v"], "decay": state.decay}
        return Update("adam", arrays, {"rate": rate, "step": state.step, **settings})


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay. See `convlens.ops.update.adam`."""

    weight_decay: float = 0.01

    _decoupled = True
