"""The server of script mode in the benchmark answers as `convlens serve` does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convlens import models, nn
from convlens.deploy.sagemaker.archive import unpack
from convlens.deploy.sagemaker.package import package
from convlens.serve.media import NPY
from tests.scripts import script

from .client import npy


def test_it_predicts(tmp_path: Path) -> None:
    pytest.importorskip("flask")
    module = script("benchmarks/serving_script.py")
    model = nn.Model(models.build("baseline", seed=0).layers, (28, 28, 1), seed=0)
    model.save(tmp_path / "digits.safetensors")
    unpack(package(tmp_path / "digits.safetensors", tmp_path / "model.tar.gz").path, tmp_path / "model")
    client = module.application_of(tmp_path / "model").test_client()
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    answer = client.post("/invocations", data=npy(image), content_type=NPY)
    [found] = answer.get_json()["predictions"]
    np.testing.assert_allclose([*found["probabilities"].values()], model.predict_proba(image)[0], rtol=1e-5)
