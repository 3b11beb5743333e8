"""McNemar's exact test of whether two trained models err equally often on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from ...errors import ShapeError
from ...typing import BoolArray


@dataclass(frozen=True)
class McNemar:
    """Result of McNemar's test on one pair of models.

    ``b`` images were classified correctly only by the first model, ``c`` only by the second, of ``n`` in total;
    ``p_value`` is two-sided and exact.
    """

    b: int
    c: int
    n: int
    p_value: float

    @classmethod
    def of(cls, b: int, c: int, n: int) -> McNemar:
        """Return the test of these counts."""
        return cls(b, c, n, min(1.0, 2 * float(special.bdtr(min(b, c), b + c, 0.5))))

    def to_dict(self) -> dict[str, float | int]:
        """Return plain JSON."""
        return {"b": self.b, "c": self.c, "n": self.n, "p_value": self.p_value}


def mcnemar_exact(correct_a: BoolArray, correct_b: BoolArray) -> McNemar:
    """Test whether two models err equally often on the same images: b ~ Binomial(b + c, 1/2).

    The result is about these two trained models only; to compare architectures, compare over seeds. p is 1 when b + c =
    0.

    Parameters
    ----------
    correct_a, correct_b
        Whether each image was classified correctly, bool, shape (N,), in the same order.

    Raises
    ------
    ShapeError
        If they are not two boolean vectors of the same length.

    References
    ----------
    McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12
    (1947).
    """
    a, b = np.asarray(correct_a), np.asarray(correct_b)
    if a.dtype != np.bool_ or b.dtype != np.bool_ or a.ndim != 1 or a.shape != b.shape:
        raise ShapeError(
            "McNemar's test takes two boolean arrays of the same shape (N,), "
            f"not {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        )
    return McNemar.of(int((a & ~b).sum()), int((b & ~a).sum()), a.size)
