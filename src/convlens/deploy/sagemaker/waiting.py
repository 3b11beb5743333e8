"""Waiting for an endpoint, with a deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import ConfigurationError, DeploymentError
from ...plain import is_number
from ...wording import duration
from .clients import Clients, Clock
from .resources import ENDPOINT

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
"""States in which an endpoint takes no orders, and which it leaves by itself."""

POLL_SECONDS = 15.0


class DeadlineError(DeploymentError):
    """An endpoint did not leave a state in time."""


@dataclass(frozen=True)
class Patience:
    """How to wait.

    Attributes
    ----------
    seconds
        The deadline of each wait.
    clock
        How time is read and spent.
    progress
        Called with a line at every change of state.

    Raises
    ------
    ConfigurationError
        If the deadline is no time.
    """

    seconds: float = 1800.0
    clock: Clock = field(default_factory=Clock)
    progress: Callable[[str], None] = lambda _line: None

    def __post_init__(self) -> None:
        if not is_number(self.seconds) or self.seconds < 0:
            raise ConfigurationError(f"the deadline of a wait is a time of 0 or more, not {self.seconds} s")


def wait_for_rest(clients: Clients, endpoint: str, patience: Patience) -> Mapping[str, Any] | None:
    """Wait until an endpoint is not changing.

    Returns
    -------
    Mapping[str, Any] | None
        What then describes it; None if it does not exist.

    Raises
    ------
    DeadlineError
        If it is still changing at the deadline.
    """
    start, before = patience.clock.now(), ""
    while True:
        found = ENDPOINT.find(clients, endpoint, "")
        status = str(found["EndpointStatus"]) if found is not None else "gone" if before else "not there"
        waited = patience.clock.now() - start
        if status != before:
            patience.progress(f"endpoint {endpoint}: {status}" + (f" after {duration(waited)}" if before else ""))
            before = status
        if found is None or status not in CHANGING:
            return found
        if waited >= patience.seconds:
            raise DeadlineError(
                f"the endpoint {endpoint} is still {status} after {duration(waited)}; repeat the command to go on "
                f"waiting, or run convlens sagemaker destroy {endpoint}"
            )
        patience.clock.sleep(min(POLL_SECONDS, patience.seconds - waited))
