"""A boto3 session of an emulated account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from .emulator import Emulator


class EmulatedSession(boto3.session.Session):  # type: ignore[misc] # boto3 is untyped
    """A session with an emulator's credentials, whose clients go to its address: no variable sends them elsewhere."""

    def __init__(self, emulator: Emulator) -> None:
        own = emulator.account.credentials
        super().__init__(own.access_key, own.secret_key, own.session_token, emulator.region)
        self._url = emulator.url

    def client(self, *given: Any, **settings: Any) -> Any:
        """Return a client; see `boto3.session.Session.client`."""
        return super().client(*given, **{**settings, "endpoint_url": self._url})
