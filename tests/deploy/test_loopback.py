"""The guard refuses what leaves this machine, and nothing else."""

from __future__ import annotations

import http.client
import socket

import pytest

from ..loopback import LeavesLoopbackError

ELSEWHERE = "192.0.2.1"  # of the addresses kept for documentation


@pytest.mark.parametrize("call", ["connect", "connect_ex"])
def test_another_machine_is_not_reached(call: str) -> None:
    with socket.socket() as one, pytest.raises(LeavesLoopbackError):
        getattr(one, call)((ELSEWHERE, 80))


def test_nothing_is_sent_to_another_machine() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one, pytest.raises(LeavesLoopbackError):
        one.sendto(b"", (ELSEWHERE, 53))


def test_names_are_not_looked_up() -> None:
    with pytest.raises(LeavesLoopbackError):
        http.client.HTTPConnection("sagemaker.us-east-1.amazonaws.com", timeout=1).connect()


def test_loopback_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
