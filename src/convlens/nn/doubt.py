r"""Doubt about a model's answers: pictures unlike the training images, and probabilities that are not earned.

A softmax has no class "none of these", and is often certain of one all the same. But a network answers to a picture's
mirror images and quarter turns too, and these answers differ for different pictures of one class: all of them together
separate images like those it was trained on from others. They are described by one Gaussian for each class. With
:math:`a(x)` the logits of the picture and of its turned and mirrored copies, projected onto their principal components,
a picture's *strangeness* is

.. math:: s(x) = \min_k \; (a(x) - \mu_k)^T \Sigma_k^{-1} (a(x) - \mu_k) + \log\det\Sigma_k,

twice the negative logarithm of the largest density, up to a constant. Means and covariances are those of training
images, each covariance drawn a little towards their mean. A picture is doubted if its strangeness is above that of all
but 1 % of the validation images. Nothing but the model's own answers is needed, so this works for any classes.

Nor does a softmax say how often its class is right: trained on smoothed labels, a network is more modest than its
answers deserve, and otherwise often too certain. One number, the *temperature* T, mends that. With :math:`z` the logits
of n validation images and :math:`y` their classes, it minimises the mean of

.. math:: -(1 - e) \log p_y - \frac{e}{K} \sum_k \log p_k, \quad p = \mathrm{softmax}(z / T), \quad e = 1 / (2 n + 2).

The share e stands for half an image whose class is unknown: without it, T would be zero where all validation images are
answered right, and no answer would ever be doubted. The most probable class is the same for every T.

Source: K. Lee et al., "A simple unified framework for detecting out-of-distribution samples and adversarial attacks",
2018 (Gaussians of features, with one covariance); D. Hendrycks et al., "Using self-supervised learning can improve
model robustness and uncertainty", 2019 (answers to turned images); C. Guo et al., "On calibration of modern neural
networks", 2017 (temperature); J. Platt, "Probabilistic outputs for support vector machines", 1999 (a share e).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from ..engine.blas import single_threaded_blas
from ..errors import ConfigurationError
from ..ops.activation import softmax
from ..plain import check_keys
from ..typing import Array, BoolArray, FloatArray, IntArray

FALSE_ALARMS = 0.01  # share of the validation images that are doubted
SCORE = "turned-logits"
TRAINING_IMAGES = 2_000  # the most that are used, evenly spread over all
VALIDATION_IMAGES = 3_000  # likewise: 1 % of them is known to 0.2 points, and each takes eight answers
FEWEST = 200  # validation images; with fewer, 1 % cannot be measured
MOST_CLASSES = 100  # with more, the record would be larger than many models
_COMPONENTS = 48
_DRAWN = 0.1  # weight of the mean covariance in every class's own
_LOG_TEMPERATURES = (-7.0, 7.0)  # from a thousandth to a thousand
_DIGITS = 6  # significant decimal digits that are kept


class Examples(Protocol):
    """Images (N, H, W, C) with their labels (N,)."""

    @property
    def images(self) -> Array: ...
    @property
    def labels(self) -> IntArray: ...


class Scorer(Protocol):
    """A model, as far as it is needed here."""

    @property
    def classes(self) -> int: ...
    def logits(self, images: Array) -> FloatArray: ...


@dataclass(frozen=True, eq=False)
class Doubt:
    """What a model's answers to images like its training images are; with K classes, V views and D components.

    Attributes
    ----------
    centre, components
        (V K,) and (V K, D): mean and principal components of the logits of all views.
    means
        (K, D) of each class.
    factors
        (K, D, D): lower triangular; the inverse covariance of a class is its factor times its factor's transpose.
    threshold
        The strangeness above which a picture is doubted.
    temperature
        What the logits are divided by, so that the softmax says how often the class is right on validation.
    """

    centre: FloatArray
    components: FloatArray
    means: FloatArray
    factors: FloatArray
    threshold: float
    temperature: float = 1.0  # of early files, which do not say

    @classmethod
    def of(cls, model: Scorer, training: Examples, validation: Examples) -> Doubt | None:
        """Describe a trained model's answers, and set threshold and temperature on validation.

        None if there are too few validation images, too many classes, or answers that are not finite.
        """
        if len(validation.labels) < FEWEST or not 2 <= model.classes <= MOST_CLASSES:
            return None
        used = _spread(len(training.labels), TRAINING_IMAGES)
        known, labels = _answers(model, training.images[used]), training.labels[used]
        judged = _spread(len(validation.labels), VALIDATION_IMAGES)
        seen = _answers(model, validation.images[judged])
        if not (np.isfinite(known).all() and np.isfinite(seen).all()):
            return None
        with single_threaded_blas():  # the last bits would depend on the number of threads
            found = _described(known, labels, model.classes)
            strangeness = found._of_answers(seen)
        return replace(
            found,
            threshold=_shortened(np.quantile(strangeness, 1 - FALSE_ALARMS)).item(),
            temperature=_temperature(seen[:, : model.classes], validation.labels[judged]),  # of the images as they are
        )

    def strangeness(self, model: Scorer, images: Array) -> FloatArray:
        """Return the strangeness (N,) of images (N, H, W, C), uint8 or the network's input."""
        with single_threaded_blas():
            return self._of_answers(_answers(model, images))

    def __call__(self, model: Scorer, images: Array) -> BoolArray:
        """Return which images (N,) are unlike the training images."""
        doubted: BoolArray = ~(self.strangeness(model, images) <= self.threshold)
        return doubted

    def calibrated(self, logits: FloatArray) -> FloatArray:
        """Return the probabilities (N, K) that are right as often as they say, of logits (N, K)."""
        return softmax(logits / self.temperature)

    def _of_answers(self, answers: FloatArray) -> FloatArray:
        reduced = (answers - self.centre) @ self.components
        found = np.full(len(answers), np.inf)
        for mean, factor in zip(self.means, self.factors, strict=True):
            distance = (((reduced - mean) @ factor) ** 2).sum(axis=1)
            np.minimum(found, distance - 2 * np.log(np.abs(np.diagonal(factor))).sum(), out=found)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON data, from which `from_dict` makes the same."""
        return {"score": SCORE} | {
            name: value if isinstance(value, float) else value.tolist() for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Doubt:
        """Read what `to_dict` wrote; ConfigurationError if it is something else."""
        check_keys(["score", *cls.__dataclass_fields__], given, "doubt")
        if given.get("score") != SCORE:
            raise ConfigurationError(f"doubt: the score is {SCORE!r}, not {given.get('score')!r}")
        try:
            arrays = [np.array(given[name], np.float64) for name in ("centre", "components", "means", "factors")]
            threshold, temperature = float(given["threshold"]), float(given.get("temperature", 1.0))
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"doubt: is not a record of a model's answers ({error})") from error
        centre, components, means, factors = arrays
        wide, size, classes = centre.size, components.shape[-1] if components.ndim else 0, len(np.atleast_1d(means))
        shapes = [(wide,), (wide, size), (classes, size), (classes, size, size)]
        if [array.shape for array in arrays] != shapes or not all(np.isfinite(array).all() for array in arrays):
            raise ConfigurationError("doubt: its arrays do not fit together, or are not finite")
        if not 0 < temperature < np.inf:
            raise ConfigurationError(f"doubt: the temperature is a number above 0, not {temperature}")
        return cls(centre, components, means, factors, threshold, temperature)


def _spread(count: int, most: int) -> IntArray:
    """Return at most `most` of `count` indexes, evenly spread: images may be sorted by class."""
    return np.arange(count) if count <= most else np.arange(most) * count // most


def _views(images: Array) -> list[Array]:
    """Return images, their mirror images and half turns, and the same of quarter turns if they are square."""
    views = [images, images[:, :, ::-1], images[:, ::-1], images[:, ::-1, ::-1]]
    if images.shape[1] == images.shape[2]:
        views += [view.swapaxes(1, 2) for view in views]
    return [np.ascontiguousarray(view) for view in views]


def _answers(model: Scorer, images: Array) -> FloatArray:
    """Return the logits of all views, (N, V K)."""
    with np.errstate(all="ignore"):  # what overflows is never like the training images
        return np.concatenate([model.logits(view) for view in _views(images)], axis=1, dtype=np.float64)


def _temperature(logits: FloatArray, labels: IntArray) -> float:
    """Return the temperature at which logits (N, K) fit the labels (N,) best."""
    from scipy.optimize import minimize_scalar  # takes half a second to import, and only training needs it

    unknown = 0.5 / (len(labels) + 1)

    def misfit(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        above = scaled - scaled.max(axis=1, keepdims=True)
        logs = above - np.log(np.exp(above).sum(axis=1, keepdims=True))
        own = np.take_along_axis(logs, labels[:, np.newaxis], axis=1)
        return -float((1 - unknown) * own.mean() + unknown * logs.mean())

    found = minimize_scalar(misfit, bounds=_LOG_TEMPERATURES, method="bounded")
    return _shortened(np.exp(found.x)).item()


def _described(answers: FloatArray, labels: IntArray, classes: int) -> Doubt:
    """Return the description of answers, without a threshold."""
    centre = _shortened(answers.mean(axis=0))
    spread = np.linalg.eigh(np.cov(answers.T))[1]
    components = _shortened(spread[:, ::-1][:, :_COMPONENTS])
    reduced = (answers - centre) @ components
    size = components.shape[1]
    counts = np.bincount(labels, minlength=classes)
    means = np.stack([reduced[labels == k].mean(axis=0) if counts[k] else np.zeros(size) for k in range(classes)])
    rest = reduced - means[labels]
    common = rest.T @ rest / len(rest)
    common += 1e-4 * (np.trace(common) / size + 1e-6) * np.eye(size)
    factors = []
    for k in range(classes):
        own = rest[labels == k]
        weight = max(_DRAWN, size / (size + counts[k]))  # a covariance of few images is drawn further
        covariance = (1 - weight) * (own.T @ own / max(counts[k], 1)) + weight * common
        factors.append(np.linalg.cholesky(np.linalg.inv(covariance)))
    return Doubt(centre, components, _shortened(means), _shortened(np.stack(factors)), np.inf)


def _shortened(values: Any) -> FloatArray:
    """Round to a few significant digits: what is stored is then what was used, and short."""
    rounded = [float(f"{value:.{_DIGITS}g}") for value in np.ravel(values)]
    return np.array(rounded).reshape(np.shape(values))
