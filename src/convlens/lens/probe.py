"""What can be read off the values of a layer by a linear classifier.

Source: Alain & Bengio, "Understanding intermediate layers using linear classifier probes", 2016.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from ..data.labels import check_labels
from ..engine.blas import single_threaded_blas
from ..errors import DataError, ShapeError
from ..nn import Model
from ..nn.labelled import LabelledImages, images_and_labels
from ..program import INPUT
from ..typing import Array, FloatArray, Labels
from .result import Result, Table, share
from .values import checked, in_order, value

MOST_FEATURES = 1024
RIDGE, ITERATIONS = 1e-2, 100


@dataclass(frozen=True)
class Probe(Result):
    """What a linear classifier makes of a value.

    Attributes
    ----------
    node
        Name of the value; empty for features from elsewhere.
    features
        Number of features, those that never vary left out.
    accuracy
        Share of the test images classified correctly.
    train_accuracy
        Likewise of the images that it was fitted to.
    """

    node: str
    features: int
    accuracy: float
    train_accuracy: float

    def table(self) -> Table:
        return "linear probe", _HEADER, [_row(self)]


@dataclass(frozen=True)
class Probes(Result):
    """Linear probes of several values, in the order of the Program."""

    train_images: int
    test_images: int
    probes: tuple[Probe, ...]

    def table(self) -> Table:
        title = f"linear probes, fitted to {self.train_images:,} images, tested on {self.test_images:,}"
        return title, _HEADER, [_row(one) for one in self.probes]


_HEADER = ("node", "features", "accuracy", "on the images fitted to")


def _row(one: Probe) -> tuple[object, ...]:
    return one.node, one.features, share(one.accuracy), share(one.train_accuracy)


def linear_probe(
    features_train: npt.ArrayLike,
    labels_train: npt.ArrayLike,
    features_test: npt.ArrayLike,
    labels_test: npt.ArrayLike,
    *,
    ridge: float = RIDGE,
    node: str = "",
) -> Probe:
    """Fit a linear classifier to features and count what it gets right on others.

    It is multinomial logistic regression: with standardised features x (mean 0 and variance 1 on the training images),
    weights W and biases b, the mean of -log softmax(x W + b)[label] + ridge / 2 * sum(W**2) is minimised by L-BFGS, in
    float64, from 0, in at most 100 iterations. There is nothing random in it.

    With 2,000 images of MNIST it is up to 7 points more accurate than ridge regression on one-hot labels in closed
    form, and takes 0.1 to 1 s. The sums are a BLAS's, one thread of it, so their last bits vary between processors;
    noise of that size changes a score by about 1e-8 at most, and an accuracy is a count: it is the same wherever no two
    scores of an image are that close.

    Parameters
    ----------
    features_train, features_test
        (N, D) and (M, D).
    labels_train, labels_test
        (N,) and (M,) class numbers.
    ridge
        Penalty of the weights. 1e-2 was best, or within a third of a point of the best, for all but one of the values
        of a CNN, trained and at random weights, among 1e-3, 1e-2 and 1e-1.
    node
        Name for the result.

    Raises
    ------
    DataError, ShapeError
        If features and labels do not match, or a feature is not finite.

    Examples
    --------
    >>> linear_probe([[0.0], [1.0]], [0, 1], [[0.2], [0.9], [0.4]], [0, 1, 1]).accuracy
    0.6666666666666666
    """
    train: FloatArray = np.asarray(features_train, np.float64)
    test: FloatArray = np.asarray(features_test, np.float64)
    labels, true = (check_labels(one, name="labels of a probe") for one in (labels_train, labels_test))
    if train.ndim != 2 or train.shape[1:] != test.shape[1:] or not train.size or not test.size:
        raise ShapeError(f"a probe takes features (N, D) and (M, D), not {train.shape} and {test.shape}")
    if (len(train), len(test)) != (len(labels), len(true)):
        raise DataError(f"{len(train):,} and {len(test):,} rows of features; expected one label each")
    if not (np.isfinite(train).all() and np.isfinite(test).all()):
        raise DataError("a probe takes finite features, and these hold others")
    (train, test), classes = _standardised(train, test), int(max(labels.max(), true.max())) + 1
    with single_threaded_blas():
        weights = _fitted(train, labels, classes, ridge)
        right = [_scores(x, weights).argmax(axis=1) == y for x, y in ((test, true), (train, labels))]
    return Probe(node, train.shape[1], *(float(one.mean()) for one in right))


def probes(model: Model, train: LabelledImages, test: LabelledImages, nodes: Iterable[str] | None = None) -> Probes:
    """Fit a linear probe to the value of every node: accuracy by depth.

    A map of more than 1,024 values is averaged over squares of pixels, the smallest for which no more are left; vectors
    are taken whole.

    Parameters
    ----------
    model
        Trained or not.
    train, test
        Labelled images, as for `Model.evaluate`; about 1,000 to 5,000 of each.
    nodes
        Names of values; if None the input and every node that is not a mere reshape, which has the values of the node
        before it.

    Raises
    ------
    ConfigurationError
        If a node is unknown.
    DataError, ShapeError
        If the images are not as for `Model.evaluate`.

    Examples
    --------
    >>> from convlens import lens, models
    >>> images, labels = np.random.default_rng(0).integers(0, 255, (20, 28, 28, 1), np.uint8), np.arange(20) % 10
    >>> found = lens.probes(models.build("cnn"), (images, labels), (images, labels), ["pool1", "pool2"])
    >>> [one.node for one in found.probes]
    ['pool1', 'pool2']
    """
    batches = [images_and_labels(one, model.class_names, model.preprocessing) for one in (train, test)]
    (x, labels), (x_test, true) = ((checked(model, images), y) for images, y in batches)
    default = [INPUT, *(node.name for node in model.program.nodes if node.op != "reshape")]
    found = [
        linear_probe(pooled(value(model, x, name)), labels, pooled(value(model, x_test, name)), true, node=name)
        for name in in_order(model.program, default if nodes is None else nodes)
    ]
    return Probes(len(x), len(x_test), tuple(found))


def pooled(values: FloatArray, most: int = MOST_FEATURES) -> FloatArray:
    """Return maps (N, H, W, C) as features (N, D), averaged over squares of pixels until D is at most `most`.

    Squares at the lower and right edge may be cut. Vectors (N, D) are returned as they are.
    """
    if values.ndim == 2:
        return values
    height, width, channels = values.shape[1:]
    side = 1
    while -(-height // side) * -(-width // side) * channels > most and side < max(height, width):
        side += 1
    found: FloatArray = values.astype(np.float64)
    for axis, size in ((1, height), (2, width)):
        starts = np.arange(0, size, side)
        counts = np.diff([*starts, size]).reshape(-1, *([1] * (found.ndim - axis - 1)))
        found = np.add.reduceat(found, starts, axis=axis) / counts
    return found.reshape(len(values), -1)


def _standardised(train: FloatArray, test: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both with mean 0 and variance 1 on the first, and without features that (nearly) never vary there."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    varies = deviation > 1e-6 * deviation.max()
    if not varies.any():
        return np.zeros((len(train), 1)), np.zeros((len(test), 1))
    kept = mean[varies], deviation[varies]
    return (train[:, varies] - kept[0]) / kept[1], (test[:, varies] - kept[0]) / kept[1]


def _scores(x: FloatArray, weights: FloatArray) -> FloatArray:
    """Return x W + b for weights (D + 1, K), the biases last."""
    found: FloatArray = x @ weights[:-1] + weights[-1]
    return found


def _fitted(x: FloatArray, labels: Labels, classes: int, ridge: float) -> FloatArray:
    """Return the weights (D + 1, K) of the logistic regression."""
    rows, shape = np.arange(len(x)), (x.shape[1] + 1, classes)

    def loss(flat: Array) -> tuple[float, Array]:
        weights = flat.reshape(shape)
        scores = _scores(x, weights)
        scores -= scores.max(axis=1, keepdims=True)
        exponentials = np.exp(scores)
        sums = exponentials.sum(axis=1, keepdims=True)
        value = (np.log(sums[:, 0]) - scores[rows, labels]).mean() + ridge / 2 * np.square(weights[:-1]).sum()
        dscores = exponentials / sums
        dscores[rows, labels] -= 1
        dscores /= len(x)
        gradient = np.concatenate([x.T @ dscores + ridge * weights[:-1], dscores.sum(axis=0, keepdims=True)])
        return float(value), gradient.ravel()

    options: dict[str, Any] = {"maxiter": ITERATIONS, "maxfun": 10 * ITERATIONS, "gtol": 1e-6, "ftol": 0.0}
    start: Array = np.zeros(shape[0] * classes)
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)  # type: ignore[call-overload]
    weights: FloatArray = found.x.reshape(shape)
    return weights
