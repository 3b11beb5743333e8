from __future__ import annotations

import pytest

from convlens import data


@pytest.fixture(scope="session")
def loaded_digits() -> data.Dataset:
    """MNIST, loaded once."""
    return data.load("mnist")
