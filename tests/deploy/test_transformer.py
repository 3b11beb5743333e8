"""The archive in AWS's own serving toolkit: the same predictions, and errors as JSON with their status."""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from convlens import data
from convlens.nn import Model
from convlens.predictor import Predictor
from tests.deploy.requests_and_answers import CSV, JSON, NPY, PNG, as_json, csv, npy, png

toolkit = pytest.importorskip("sagemaker_inference.transformer")


class Context:
    """What the toolkit's model server gives with a request."""

    def __init__(self, folder: Path) -> None:
        self.system_properties = {"model_dir": str(folder)}
        self.headers: dict[str, str] = {}
        self.request_processor = [SimpleNamespace(get_request_properties=lambda: self.headers)]
        self.status, self.answered_as = 200, ""

    def set_response_status(self, code: int, phrase: str) -> None:
        self.status = code

    def set_response_content_type(self, position: int, kind: str) -> None:
        self.answered_as = kind

    def __call__(self, transformer: Any, body: bytes, kind: str, accept: str = JSON) -> Any:
        self.headers, self.status = {"Content-Type": kind, "Accept": accept}, 200
        return transformer.transform([{"body": body}], self)[0]


@pytest.fixture
def asked(unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A toolkit that has loaded the archive's own module, as SageMaker does."""
    monkeypatch.syspath_prepend(str(unpacked / "code"))
    importlib.invalidate_caches()
    transformer, context = toolkit.Transformer(), Context(unpacked)
    yield lambda *request: (context(transformer, *request), context.status, context.answered_as)
    module = sys.modules.pop("inference")
    assert module.__file__ == str(unpacked / "code" / "inference.py")


def test_predictions_are_those_of_this_process(asked: Any, digits: Model) -> None:
    predictor = Predictor(digits)
    images = data.load("mnist").test.images
    images = np.stack([one for one in images[:40] if not predictor.predict_one(one).account.changed][:3])
    wanted = np.array([list(one.probabilities.values()) for one in predictor.predict(list(images))])
    for kind, write in ((NPY, npy), (JSON, as_json), (CSV, csv)):
        for accept in (NPY, JSON, CSV, "*/*"):
            answer, status, answered_as = asked(write(images), kind, accept)
            assert (status, answered_as) == (200, JSON if accept == "*/*" else accept)
            if answered_as == JSON:
                found = [list(one["probabilities"].values()) for one in json.loads(answer)["predictions"]]
            else:
                found = np.load(io.BytesIO(answer)) if accept == NPY else np.loadtxt(io.StringIO(answer), delimiter=",")
            np.testing.assert_allclose(found, wanted, atol=2e-6)
    for image, row in zip(images, wanted, strict=True):
        [found] = json.loads(asked(png(image), PNG)[0])["predictions"]
        np.testing.assert_allclose(list(found["probabilities"].values()), row, atol=2e-6)
        assert found["class"] == predictor.predict_one(png(image)).class_name


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status", "words"),
    [
        (b"[NaN]", JSON, JSON, 400, "not finite"),
        (b"\x93NUMPY", NPY, JSON, 400, "npy"),
        (b"1,2", CSV, JSON, 400, "28 x 28 x 1"),
        (b"GIF89a", PNG, JSON, 400, "not a PNG"),
        (b"\xff\xd8", "image/jpeg", JSON, 415, "JPEG"),
        (b"", "application/x-npz", JSON, 415, "application/x-npy"),
        (npy(np.zeros((28, 28))), NPY, "image/png", 406, "text/csv"),
    ],
)
def test_errors_are_json_without_a_traceback(
    asked: Any, body: bytes, kind: str, accept: str, status: int, words: str
) -> None:
    answer, found, answered_as = asked(body, kind, accept)
    assert (found, answered_as) == (status, JSON)
    assert words in json.loads(answer)["error"]
