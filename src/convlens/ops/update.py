"""Optimiser updates: one step on flat arrays, in place.

Each takes the parameters p, the gradient g and the optimiser's own state, all of one shape, and changes p and the
state. `decay` is the strength of weight decay for each parameter: an array of that shape (zero where a bias is left
alone), or None. g is overwritten. Updates are pointwise, so any part of a flat array can be updated separately, in any
order.
"""

from __future__ import annotations

import math

import numpy as np

from ..elementary import power
from ..typing import FloatArray


def sgd(
    p: FloatArray,
    g: FloatArray,
    velocity: FloatArray | None,
    *,
    rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    decay: FloatArray | None = None,
) -> None:
    """Stochastic gradient descent with momentum.

    ::

        g = g + decay * p
        v = momentum * v + g
        p = p - rate * (g + momentum * v   if nesterov else   v)

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013, in
    PyTorch's arrangement. `velocity` is None exactly when momentum is zero.
    """
    if decay is not None:
        g += decay * p
    if velocity is not None:
        velocity *= momentum
        velocity += g
        if nesterov:
            g += momentum * velocity
        else:
            np.copyto(g, velocity)
    g *= rate
    p -= g


def adam(
    p: FloatArray,
    g: FloatArray,
    m: FloatArray,
    v: FloatArray,
    *,
    rate: float,
    step: int,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    decay: FloatArray | None = None,
    decoupled: bool = False,
) -> None:
    """Adam, and AdamW where decay is decoupled.

    ::

        g = g + decay * p                  (Adam)    or    p = p - rate * decay * p    (AdamW)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        p = p - rate * m_hat / (sqrt(v_hat) + epsilon),   m_hat = m / (1 - beta1**step), v_hat = v / (1 - beta2**step)

    `step` counts from 1. Sources: Kingma & Ba, ICLR 2015; Loshchilov & Hutter, ICLR 2019.
    """
    if decay is not None:
        if decoupled:
            p -= (rate * decay) * p
        else:
            g += decay * p
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    np.multiply(g, g, out=g)
    g *= 1 - beta2
    v += g
    # sqrt(v_hat) + epsilon = (sqrt(v) + epsilon * c) / c with c = sqrt(1 - beta2**step): one pass less
    correction = math.sqrt(1 - power(beta2, step))
    np.sqrt(v, out=g)
    g += epsilon * correction
    np.divide(m, g, out=g)
    g *= rate * correction / (1 - power(beta1, step))
    p -= g


def average(mean: FloatArray, p: FloatArray, *, decay: float, step: int) -> None:
    """Exponential moving average of the parameters p, in `mean`, without the bias of a start at zero.

    ::

        mean = mean + a * (p - mean),   a = (1 - decay) / (1 - decay**step)

    `step` counts from 1, where a = 1 and the mean becomes p, whatever it was. After t steps the mean is the sum over i
    of decay**(t - i) * p_i, divided by the sum of these weights, as Adam's m_hat is. Source: Kingma & Ba, ICLR 2015,
    section 7.2 (temporal averaging).
    """
    if step == 1:
        np.copyto(mean, p)
        return
    change = p - mean
    change *= (1 - decay) / (1 - power(decay, step))
    mean += change
