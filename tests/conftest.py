"""For every test: Ctrl-C works, floating-point errors raise, all threads are used; and Hypothesis's profile."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import settings

from convlens.engine import prediction
from convlens.engine.lanes import Workers

# A shell starts what runs in its background deaf to Ctrl-C, and nohup deaf to SIGHUP; so would be what a test stops.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# quick: the same examples on every machine and every day, so that `make test` never fails by chance
settings.register_profile("quick", deadline=None, derandomize=True, database=None, max_examples=200)
# thorough: new examples every time (HYPOTHESIS_PROFILE=thorough), to look for what quick misses
settings.register_profile("thorough", deadline=None, database=None, max_examples=1500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session", autouse=True)
def _floating_point_accidents_raise() -> Iterator[None]:
    """Division by zero, invalid operations and overflow are errors, in fixtures of any scope too."""
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.fixture(scope="session", autouse=True)
def _threads_are_used_for_the_smallest_work() -> Iterator[None]:
    """Tests' networks are small: without this, one thread would do all, and no test of threads would test them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workers, "useful", lambda self, flops, awake=False: self.threads if flops else 1)
        patch.setattr(prediction, "WORTH_PARTS", 0)
        yield
