from __future__ import annotations

import pytest

from convlens.data import Dataset
from tests.toys import load_toy


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load_toy(tmp_path_factory.mktemp("toy") / "bars")
