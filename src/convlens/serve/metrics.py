"""What is counted, for Prometheus, in a registry of the server's own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ..version import __version__

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 256, 1024, 4096)


class Metrics:
    """Counters of one server.

    Parameters
    ----------
    models
        Names of its models.
    waiting, ready
        Called when the metrics are read: how many requests are in hand, and whether the server is ready.
    """

    def __init__(self, models: list[str], waiting: Callable[[], int], ready: Callable[[], bool]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "convlens_requests", "Requests by route and status.", ["route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "convlens_request_seconds", "Time from a request's head to its reply.", ["route"], buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self._batches = Histogram(
            "convlens_batch_images", "Images predicted together.", ["model"], buckets=_IMAGES, registry=self._registry
        )
        Gauge("convlens_requests_in_hand", "Requests that are read, wait or are predicted.", registry=self._registry
        ).set_function(waiting)  # fmt: skip
        Gauge("convlens_ready", "1 if the server is ready.", registry=self._registry).set_function(ready)
        Gauge("convlens_build_info", "The version.", ["version"], registry=self._registry).labels(__version__).set(1)
        self._counted: dict[tuple[str, int], tuple[Counter, Histogram]] = {}  # looking labels up takes long
        self._batch = {name: self._batches.labels(name) for name in models}

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request: its route as the table of operations writes it, so that there are few."""
        key = route, status
        if key not in self._counted:
            self._counted[key] = self._requests.labels(route, str(status)), self._seconds.labels(route)
        counter, histogram = self._counted[key]
        counter.inc()
        histogram.observe(seconds)

    def batch(self, model: str) -> Callable[[int], None]:
        """Return what counts a batch of a model, by its number of images."""
        return self._batch[model].observe

    def text(self) -> bytes:
        """Return all of them as Prometheus reads them."""
        return generate_latest(self._registry)
