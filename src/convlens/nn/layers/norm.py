"""Normalisation and regularisation: layers that behave differently in training and in prediction."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ConfigurationError
from ..builder import ProgramBuilder
from .base import Layer


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Normalise every channel over the batch, then scale and shift it. See `convlens.ops.norm`.

    Training uses the batch's own statistics, and keeps running means of them; prediction uses the running means.

    Parameters
    ----------
    momentum
        Share of a running statistic that is kept at each step, as in Keras (PyTorch's default of 0.1 is 0.9 here).
    epsilon
        Added to the variance.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ConfigurationError(f"BatchNorm: momentum is a number from 0 to below 1, not {self.momentum!r}")
        if not self.epsilon > 0:
            raise ConfigurationError(f"BatchNorm: epsilon is a number above 0, not {self.epsilon!r}")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``batch_norm`` node."""
        shape, name = builder.shape(value), builder.name("norm")
        channels = shape[-1:]
        return builder.add(
            name,
            "batch_norm",
            (value,),
            shape,
            attributes={"momentum": self.momentum, "epsilon": self.epsilon},
            parameters={
                "gamma": builder.parameter(f"{name}.gamma", channels, "ones"),
                "beta": builder.parameter(f"{name}.beta", channels, "zeros"),
            },
            buffers={
                "mean": builder.buffer(f"{name}.mean", channels, "zeros"),
                "variance": builder.buffer(f"{name}.variance", channels, "ones"),
            },
        )


@dataclass(frozen=True)
class Dropout(Layer):
    """In training, zero each value with probability `rate` and divide the others by 1 - rate; else do nothing.

    Source: Srivastava et al., JMLR 2014, in the inverted form.
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ConfigurationError(f"Dropout: rate is a number from 0 to below 1, not {self.rate!r}")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``dropout`` node."""
        attributes = {"rate": self.rate}
        return builder.add(builder.name("dropout"), "dropout", (value,), builder.shape(value), attributes=attributes)
