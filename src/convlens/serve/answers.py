"""From predictions to the bytes of a reply, in JSON, CSV or NumPy's format: pure functions."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import lru_cache

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
        form, names = _entry_form(tuple(class_names))
        best = probabilities.argmax(axis=1).tolist()
        entries = (
            form % (names[first], first, row[first], *row)
            for first, row in zip(best, probabilities.tolist(), strict=True)
        )
        return f'{{"model":{_encode(model)},"predictions":[{",".join(entries)}]}}'.encode()
    return _csv(probabilities) if kind == CSV else npy_bytes(probabilities)


def of_prediction(kind: str, model: str, prediction: Prediction) -> bytes:
    """Return the answer to a picture: in JSON with the account of what was done and every doubt."""
    if kind == JSON:
        return to_json({"model": model, "predictions": [prediction.to_dict()]})
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


@lru_cache(maxsize=64)
def _entry_form(class_names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the JSON of one image's answer with places for its values, and the names in JSON.

    Filled in with finite numbers, which JSON writes as Python does, it takes a third of the encoder's time.
    """
    names = tuple(map(_encode, class_names))
    shares = ",".join(f"{name.replace('%', '%%')}:%r" for name in names)
    return f'{{"class":%s,"index":%d,"probability":%r,"probabilities":{{{shares}}}}}', names
