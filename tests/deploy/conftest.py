"""Models and archives that the tests of deployment share."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlens import models
from convlens.deploy.sagemaker.archive import unpack
from convlens.deploy.sagemaker.package import package
from convlens.nn import Model
from convlens.preprocessing import Intake

from ..loopback import stays_on_loopback as stays_on_loopback


@pytest.fixture(scope="session")
def digits() -> Model:
    """A small network of random weights that takes MNIST's digits."""
    model = models.build("cnn", filters=(4, 8), seed=3).use("interpreter")
    model.intake = Intake("digits")
    return model


@pytest.fixture(scope="session")
def digits_file(digits: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its file."""
    path = tmp_path_factory.mktemp("digits") / "digits.safetensors"
    digits.save(path)
    return path


@pytest.fixture(scope="session")
def archive(digits_file: Path) -> Path:
    """Its archive."""
    path = digits_file.with_name("model.tar.gz")
    package(digits_file, path)
    return path


@pytest.fixture(scope="session")
def unpacked(archive: Path) -> Path:
    """The folder that the archive was unpacked into."""
    folder = archive.with_name("unpacked")
    unpack(archive, folder)
    return folder
