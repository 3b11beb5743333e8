"""Sockets that servers listen on."""

from __future__ import annotations

import asyncio
import socket

import pytest

from convlens.errors import ConfigurationError
from convlens.sockets import LOOPBACK_ADDRESS, free_port, http_address, listening_socket, port_of


def test_a_port_that_is_taken_is_refused_in_words() -> None:
    with listening_socket(LOOPBACK_ADDRESS, 0) as first:
        expected = rf"cannot listen on port {port_of(first)} of 127\.0\.0\.1 .*; choose another with --port"
        with pytest.raises(ConfigurationError, match=expected):
            listening_socket(LOOPBACK_ADDRESS, port_of(first))


def test_a_client_can_connect_at_once() -> None:
    with (
        listening_socket(LOOPBACK_ADDRESS, 0) as listener,
        socket.create_connection((LOOPBACK_ADDRESS, port_of(listener)), 5),
    ):
        pass


def test_replies_do_not_wait_for_acknowledgements() -> None:
    """Nagle's algorithm is off in the connections that asyncio accepts, as it is for the sockets it makes itself."""

    async def option() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listening_socket(LOOPBACK_ADDRESS, 0)
        async with await asyncio.start_server(connected, sock=listener):
            _, writer = await asyncio.open_connection(LOOPBACK_ADDRESS, port_of(listener))
            value = await found
            writer.close()
            await writer.wait_closed()
        return value

    assert asyncio.run(option()) != 0


def test_a_free_port_can_be_listened_on() -> None:
    with listening_socket(LOOPBACK_ADDRESS, free_port()):
        pass


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "http://127.0.0.1:80"), ("::1", "http://[::1]:80"), ("a.b", "http://a.b:80")]
)
def test_addresses(host: str, address: str) -> None:
    assert http_address(host, 80) == address
