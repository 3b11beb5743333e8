"""Results must not change without `NUMERICS_VERSION` saying so: stored trials would no longer be comparable."""

from __future__ import annotations

import numpy as np

from convlens import NUMERICS_VERSION, models, nn
from convlens.ops import softmax_cross_entropy
from convlens.optim import Adam
from convlens.randomness import stream

# Norms of the parameters after twenty steps of the interpreter in float64, by NUMERICS_VERSION. float64 on any machine
# agrees to far more digits than are compared; float32 bits depend on the processor, so they are compared elsewhere.
FINGERPRINTS = {
    1: (470.99483135224494, 1.7642104169485586),
    2: (470.99483135224494, 1.7642104169485586),  # as before: only the plans add up in another order
    3: (470.99483135224494, 1.7642104169485586),  # as before: only the compiled plan convolves by another formula
    4: (470.99483135224494, 1.7642104169485586),  # as before: only the compiled plan leaves zeros out
    5: (463.94694781772904, 2.2828369038391627),  # other initial weights
    6: (463.94694781772904, 2.2828369038391627),  # as before: only the compiled plan convolves by another formula
}


def test_twenty_steps_give_the_recorded_weights() -> None:
    model = nn.Model(models.CNN(filters=(4, 8), hidden=16).layers(10), (28, 28, 1), 1, dtype=np.float64)
    optimizer, draw = Adam(), stream(1, "corrupt")
    state, gradient = optimizer.start(model.program, model.flat), np.zeros_like(model.flat)
    x, labels = draw.random((16, 28, 28, 1)), draw.integers(0, 10, 16)
    for _ in range(20):
        model.engine.gradient(x, labels, gradient)
        optimizer.step(model.engine, gradient, state, 1e-3)
    losses, _ = softmax_cross_entropy(model.logits(x), labels)
    found = (float(np.abs(model.flat).sum()), float(losses.mean()))
    np.testing.assert_allclose(found, FINGERPRINTS[NUMERICS_VERSION], rtol=1e-9, err_msg="raise NUMERICS_VERSION")
