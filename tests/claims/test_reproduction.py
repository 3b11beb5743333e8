"""The claims in one call, with a pool of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlens.claims import reproduce, reproduction
from convlens.errors import ConfigurationError
from convlens.studies.executors import ExecutionOptions
from convlens.studies.pool import LocalPool
from tests.rates import rated_entry
from tests.report.reproductions import outcome


def test_a_pool_decides_for_itself_where_models_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproduction, "entry", rated_entry)
    made = reproduce("quick", tmp_path, pool=LocalPool(outcome))
    assert (made.missing, len(made.claims) > 0) == (0, True)
    with pytest.raises(ConfigurationError, match="a pool brings its own options"):
        reproduce("quick", tmp_path, pool=LocalPool(outcome), options=ExecutionOptions())
