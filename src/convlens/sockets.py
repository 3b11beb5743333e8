"""Sockets that servers listen on."""

from __future__ import annotations

import socket

from .errors import ConfigurationError

LOOPBACK_ADDRESS = "127.0.0.1"


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; whoever gets it closes it.

    Parameters
    ----------
    host
        An address of this machine, or a name of one.
    port
        From 0 to 65535; 0 is any that is free.

    Raises
    ------
    ConfigurationError
        If the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named because asyncio asks a socket for it: without, a reply would wait for the client's ACK
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen()  # of two sockets that are bound to one port, the second is refused only here
    except OSError as error:
        found.close()
        raise ConfigurationError(
            f"cannot listen on port {port} of {host} ({error.strerror or error}); choose another with --port"
        ) from error
    return found


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket listens on."""
    port: int = listener.getsockname()[1]
    return port


def free_port() -> int:
    """Return a port of loopback that is free at this moment, for a server in another process."""
    with listening_socket(LOOPBACK_ADDRESS, 0) as one:
        return port_of(one)


def http_address(host: str, port: int) -> str:
    """Return the address of a server without a slash at its end; an IPv6 address is put in brackets.

    >>> http_address("::1", 8080)
    'http://[::1]:8080'
    """
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
