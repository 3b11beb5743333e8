"""From predictions to the bytes of a reply, in JSON, CSV or NumPy's format: pure functions."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..predictor import Prediction
from ..typing import FloatArray
from .media import CSV, JSON

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def to_json(value: object) -> bytes:
    """Return plain data as compact JSON."""
    return _encode(value).encode()


def of_probabilities(kind: str, model: str, class_names: Sequence[str], probabilities: FloatArray) -> bytes:
    """Return the answer to images in an array.

    Parameters
    ----------
    kind
        `media.JSON`: for each image its class, as `Prediction.to_dict` writes it without an account and doubts. CSV: a
        line for each image with the probability of every class, without a heading. NPY: float32 (N, K).
    model
        Its name.
    class_names
        Of its K classes.
    probabilities
        (N, K) float32.
    """
    if kind == JSON:
        best, rows = probabilities.argmax(axis=1).tolist(), probabilities.tolist()
        return _predictions(model, [_entry(class_names, *one) for one in zip(best, rows, strict=True)])
    return _csv(probabilities) if kind == CSV else npy_bytes(probabilities)


def of_prediction(kind: str, model: str, prediction: Prediction) -> bytes:
    """Return the answer to a picture: in JSON with the account of what was done and every doubt."""
    if kind == JSON:
        return _predictions(model, [prediction.to_dict()])
    probabilities = np.array([[*prediction.probabilities.values()]], np.float32)
    return _csv(probabilities) if kind == CSV else npy_bytes(probabilities)


def npy_bytes(array: FloatArray) -> bytes:
    """Return an array as the content of an ``.npy`` file, as `np.save` writes it."""
    return _npy_header(array.shape, array.dtype.str) + array.tobytes()


@lru_cache(maxsize=64)  # writing a header takes longer than predicting an image
def _npy_header(shape: tuple[int, ...], dtype: str) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def _csv(probabilities: FloatArray) -> bytes:
    return "".join(",".join(map(repr, row)) + "\n" for row in probabilities.tolist()).encode()


def _predictions(model: str, entries: list[dict[str, Any]]) -> bytes:
    return to_json({"model": model, "predictions": entries})


def _entry(class_names: Sequence[str], best: int, row: list[float]) -> dict[str, Any]:
    return {
        "class": class_names[best],
        "index": best,
        "probability": row[best],
        "probabilities": dict(zip(class_names, row, strict=True)),
    }
