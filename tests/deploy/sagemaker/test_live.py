"""A real account, if it is asked for: ``AWS_LIVE=1 pytest tests/deploy/sagemaker/test_live.py``.

It makes one endpoint of the smallest machine, asks it, and removes it again. That costs a few cents.
"""

from __future__ import annotations

import io
import json
import os
import uuid
from pathlib import Path

import numpy as np
import pytest

from convlens.deploy.sagemaker.clients import Clients
from convlens.deploy.sagemaker.deploy import deploy
from convlens.deploy.sagemaker.destroy import destroy
from convlens.deploy.sagemaker.doctor import doctor
from convlens.deploy.sagemaker.findings import Verdict
from convlens.deploy.sagemaker.invoke import invoke
from convlens.deploy.sagemaker.plan import Archive, Settings
from convlens.deploy.sagemaker.waiting import Patience
from convlens.nn import Model

pytestmark = pytest.mark.skipif(os.environ.get("AWS_LIVE") != "1", reason="AWS_LIVE=1 runs it, in a real account")


def test_the_life_of_an_endpoint(tmp_path: Path, digits_archive: Archive, digits: Model) -> None:
    clients, settings = Clients(), Settings(name=f"convlens-{uuid.uuid4().hex[:8]}")
    patience = Patience(progress=print)
    found = doctor(clients, settings, digits_archive)
    print(json.dumps(found.to_dict(), indent=2))
    assert found.verdict is not Verdict.NO_GO
    try:
        deploy(clients, digits_archive, settings, folder=tmp_path, patience=patience)
        images, stream = np.random.default_rng(5).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8), io.BytesIO()
        np.save(stream, images)
        reply = invoke(clients, settings.name, stream.getvalue(), "application/x-npy")
        answers = [list(one["probabilities"].values()) for one in json.loads(reply.body)["predictions"]]
        np.testing.assert_allclose(answers, digits.predict_proba(images), atol=1e-5)
    finally:
        removal = destroy(clients, settings.name, folder=tmp_path, patience=patience)
    assert removal.left == []
