"""A request that gets no answer, and why: the HTTP status beside the sentence."""

from __future__ import annotations

from ..errors import ConvlensError


class Refusal(ConvlensError):  # noqa: N818 - what happens to the request, and named so
    """A request that is refused.

    Parameters
    ----------
    status
        The HTTP status.
    message
        What was expected, what came, and what to do.
    retry_after
        Seconds after which the same request may succeed, for 503.
    allow
        The methods that are allowed, for 405.
    """

    def __init__(self, status: int, message: str, *, retry_after: int | None = None, allow: str = "") -> None:
        super().__init__(message)
        self.status, self.retry_after, self.allow = status, retry_after, allow

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers that belong to the status."""
        found = []
        if self.retry_after is not None:
            found.append((b"retry-after", str(self.retry_after).encode()))
        if self.allow:
            found.append((b"allow", self.allow.encode()))
        return tuple(found)


def busy(why: str) -> Refusal:
    """Return the refusal of a request that may succeed a little later."""
    return Refusal(503, f"{why}; try again in a second", retry_after=1)
