"""Which pixels a score depends on, each time with the check that the answer shows the network at all.

An attribution that looks the same when the network knows nothing shows the image, not the network. So each is computed
again with all weights *re-drawn* from their initial distribution, and compared: Spearman's rank correlation over the
pixels, 1 for maps in the same order, about 0 for unrelated ones; of the values, and of the *absolute* values, which say
where the map is strong. A high correlation is a warning. A map that is 0 wherever the image is blank, as with
integrated gradients, is strong in the same places whatever the network has learned.

Source: Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018: the model parameter randomisation test, with
all layers at once, and with and without the sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError
from ..nn import Model
from ..plain import choose
from ..typing import Array, FloatArray, IntArray
from .relevance import Target, grad_cam, integrated_gradients, occlusion, saliency, targets
from .result import Result, Table
from .values import checked

REDRAWS = 3  # of the weights


@dataclass(frozen=True, eq=False)
class Attribution(Result):
    """An attribution of N images (H, W, C), and its check with R re-drawings of the weights.

    Attributes
    ----------
    method
        Its name, a key of `ATTRIBUTIONS`.
    settings
        Of the method: those that were given.
    targets
        (N,) the class whose score is attributed.
    maps
        (N, H, W).
    redrawn
        (N, H, W) the same with weights re-drawn: the first of the R.
    correlations, absolute_correlations
        (N, R) Spearman's correlation of a map with each of its re-drawn ones, and that of the absolute values; NaN if
        one of them is constant.
    """

    method: str
    settings: Mapping[str, Any]
    targets: IntArray
    maps: FloatArray
    redrawn: FloatArray
    correlations: FloatArray
    absolute_correlations: FloatArray

    @property
    def correlation(self) -> float | None:
        """Mean of the correlations; None if none is defined."""
        return _mean(self.correlations)

    @property
    def absolute_correlation(self) -> float | None:
        """Mean of the correlations of absolute values; None if none is defined."""
        return _mean(self.absolute_correlations)

    def to_dict(self) -> dict[str, Any]:
        return {
            **super().to_dict(),
            "correlations": _defined(self.correlations),
            "absolute_correlations": _defined(self.absolute_correlations),
            "correlation": self.correlation,
            "absolute_correlation": self.absolute_correlation,
        }

    def table(self) -> Table:
        rows = [("of the values", self.correlation), ("of the absolute values", self.absolute_correlation)]
        header = ("Spearman's correlation with re-drawn weights", "mean")
        title = f"{self.method} ({len(self.maps):,} images)"
        return title, header, [(what, "undefined" if one is None else f"{one:.2f}") for what, one in rows]


def _mean(correlations: FloatArray) -> float | None:
    known = correlations[np.isfinite(correlations)]
    return float(known.mean()) if known.size else None


def _defined(correlations: FloatArray) -> list[list[float | None]]:
    """Return correlations as plain data: None where they are not defined."""
    return [[one if np.isfinite(one) else None for one in row] for row in correlations.tolist()]


ATTRIBUTIONS: Mapping[str, Callable[..., FloatArray]] = {
    "occlusion": occlusion,
    "gradient": saliency,
    "integrated-gradients": integrated_gradients,
    "grad-cam": grad_cam,
}


def attribution(
    model: Model,
    images: npt.ArrayLike,
    method: str,
    target: Target = None,
    *,
    redraws: int = REDRAWS,
    seed: int = 0,
    **settings: Any,
) -> Attribution:
    """Return an attribution with its check: the same with all weights re-drawn.

    Parameters
    ----------
    model, images, target
        As for `occlusion`. The target is the trained network's, also where weights are re-drawn.
    method
        A key of `ATTRIBUTIONS`: occlusion, gradient, integrated-gradients or grad-cam.
    redraws
        How often the weights are re-drawn, R.
    seed
        Of the first re-drawing.
    settings
        Of the method, such as ``size=3``.

    Raises
    ------
    ConfigurationError
        If the method is unknown (the message names the nearest), or its settings are not right.

    Examples
    --------
    >>> from convlens import lens, models
    >>> image = np.random.default_rng(0).integers(0, 255, (1, 28, 28, 1), np.uint8)
    >>> found = lens.attribution(models.build("cnn"), image, "gradient", redraws=2)
    >>> found.maps.shape, found.correlations.shape
    ((1, 28, 28), (1, 2))
    """
    name = choose(method, ATTRIBUTIONS, "attribution")
    if type(redraws) is not int or redraws < 1:
        raise ConfigurationError(f"weights are re-drawn once or more, not {redraws!r} times")
    compute, batch = ATTRIBUTIONS[name], checked(model, images)
    classes = targets(model, batch, target)
    maps = compute(model, batch, classes, **settings)
    others = [compute(with_redrawn_weights(model, seed + n), batch, classes, **settings) for n in range(redraws)]
    return Attribution(
        name,
        settings,
        classes,
        maps,
        others[0],
        _correlations(maps, others),
        _correlations(np.abs(maps), [np.abs(one) for one in others]),
    )


def _correlations(maps: FloatArray, others: Sequence[FloatArray]) -> FloatArray:
    """Return the correlation of each of N maps with each of its R others, (N, R)."""
    found = [[rank_correlation(own, one[n]) for one in others] for n, own in enumerate(maps)]
    return np.array(found, np.float64).reshape(len(maps), len(others))


def with_redrawn_weights(model: Model, seed: int = 0) -> Model:
    """Return an untrained network like a model: its layers, with weights drawn from their initial distribution.

    It is computed by the same engine, and takes the same images. If the seed is that of the model, another is used: the
    weights must not be those with which its training began.
    """
    own = seed if seed < model.seed else seed + 1
    other = Model(
        model.layers,
        model.input_shape,
        own,
        preprocessing=model.preprocessing,
        class_names=model.class_names,
        dtype=model.flat.dtype.type,
    )
    other.training, other.intake = model.training, model.intake
    return other.use(model.engine.name, model.engine.threads)


def rank_correlation(one: Array, other: Array) -> float:
    """Return Spearman's correlation of the values of two arrays of one shape; NaN if one of them is constant.

    It is Pearson's correlation of the ranks, of which equal values have their mean.
    """
    from scipy.stats import rankdata  # takes half a second to import

    # from SciPy 1.18 on, ranks have the precision of the values: float32 would lose the digits of the correlation
    ranks = [rankdata(array.ravel().astype(np.float64)) - (array.size + 1) / 2 for array in (one, other)]
    lengths = [float(np.sqrt(np.square(rank).sum())) for rank in ranks]
    if min(lengths) == 0:
        return float("nan")
    return float((ranks[0] * ranks[1]).sum() / lengths[0] / lengths[1])
