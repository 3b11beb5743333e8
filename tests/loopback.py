"""A guard for tests of networks: whatever they try, they do not reach another machine.

A folder of tests is guarded by ``from ..loopback import stays_on_loopback`` in its ``conftest.py``. The guard sees this
process alone; the servers that tests start are told to listen on 127.0.0.1.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest


class LeavesLoopbackError(AssertionError):
    """A test tried to reach another machine."""


def _require_loopback(one: socket.socket, address: Any) -> None:
    if one.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        raise LeavesLoopbackError(f"a test tried to reach {address}")


def _is_local(host: Any) -> bool:
    text = host.decode() if isinstance(host, bytes) else host
    if text in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:  # a name, which only another machine knows
        return False


@pytest.fixture(autouse=True, scope="session")
def stays_on_loopback() -> Iterator[None]:
    """Refuse to connect or send to another machine, and to look up its name; not if ``AWS_LIVE`` asks for it."""
    if os.environ.get("AWS_LIVE"):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        look_up = socket.getaddrinfo

        def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
            if not _is_local(host):
                raise LeavesLoopbackError(f"a test looked up {host!r}")
            return look_up(host, *rest, **named)

        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def _guarded(call: Any) -> Any:
    """Return a method of a socket, whose last argument is an address, that refuses other machines."""

    def guarded(self: socket.socket, *given: Any) -> Any:
        _require_loopback(self, given[-1])
        return call(self, *given)

    return guarded
