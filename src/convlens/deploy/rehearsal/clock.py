"""The emulator's time: it stands still until it is moved, so that no test waits."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from ...errors import ConfigurationError
from ...plain import is_number


class Clock:
    """Emulated time.

    Parameters
    ----------
    step
        Seconds that pass whenever somebody asks how an endpoint is. 0: only `advance` moves it.
    start
        When it begins; by default now.

    Examples
    --------
    >>> clock = Clock(step=0)
    >>> before = clock.now
    >>> clock.advance(90)
    >>> (clock.now - before).total_seconds()
    90.0
    """

    def __init__(self, step: float = 30.0, start: datetime | None = None) -> None:
        if not is_number(step) or step < 0:
            raise ConfigurationError(f"a clock's step is a number of seconds from 0 up, not {step!r}")
        self.step = float(step)
        self.now = (start or datetime.now(UTC)).replace(microsecond=0)
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if not is_number(seconds) or seconds < 0:
            raise ConfigurationError(f"time goes forward: expected seconds from 0 up, not {seconds!r}")
        with self._lock:
            self.now += timedelta(seconds=seconds)

    def tick(self) -> None:
        """Let one step pass."""
        self.advance(self.step)
