"""scikit-learn's MLPClassifier, for the dense network; Adam is its default."""

from __future__ import annotations

from itertools import cycle

import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from ...typing import FloatArray
from ..cells import Cell
from . import work


class ScikitLearn:
    """One call of `partial_fit` is one step."""

    def __init__(self, cell: Cell) -> None:
        model = work.model(cell)
        rows = [(x.reshape(len(x), -1), labels) for x, labels in work.batches(cell.batch)]
        self.data = cycle(rows)
        dense = [node for node in work.chain(model) if node.op == "dense"]
        hidden = tuple(node.output_shape[0] for node in dense[:-1])
        self.classifier = MLPClassifier(hidden, batch_size=cell.batch, learning_rate_init=work.RATE, alpha=0.0)
        self.classifier.partial_fit(*rows[0], classes=np.arange(10))  # creates its arrays, which then get our weights
        del self.classifier._optimizer  # so that Adam starts fresh
        for array, name in (
            (arrays[position], f"{node.name}.{kind}")
            for kind, arrays in (("w", self.classifier.coefs_), ("b", self.classifier.intercepts_))
            for position, node in enumerate(dense)
        ):
            array[...] = model.parameters[name]
        self.limit = threadpool_limits(cell.threads)

    def train(self) -> None:
        self.classifier.partial_fit(*next(self.data))

    def predict(self) -> None:
        self.classifier.predict_proba(next(self.data)[0])

    def logits(self, x: FloatArray) -> FloatArray:
        probabilities: FloatArray = self.classifier.predict_proba(x.reshape(len(x), -1))
        return np.log(np.maximum(probabilities, 1e-30))
