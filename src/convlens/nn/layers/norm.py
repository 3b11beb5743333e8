"""Normalisation and regularisation: layers that behave differently in training and in prediction."""

from __future__ import annotations

from dataclasses import dataclass

from ..builder import ProgramBuilder
from .base import Layer, require_positive, require_share


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
        require_share(self, "momentum")
        require_positive(self, "epsilon")

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
        require_share(self, "rate")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``dropout`` node."""
        attributes = {"rate": self.rate}
        return builder.add(builder.name("dropout"), "dropout", (value,), builder.shape(value), attributes=attributes)
