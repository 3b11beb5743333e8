"""Stop signals that belong to somebody else."""

from __future__ import annotations

import signal

import pytest

from convlens import signals


def test_a_handler_written_in_c_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python knows such a handler as None, and cannot set it again."""
    real, asked = signal.getsignal, list[int]()

    def getsignal(number: int) -> object:
        return None if number == signal.SIGTERM else real(number)

    def replace(number: int, handler: object) -> object:
        asked.append(number)
        return signal.default_int_handler

    monkeypatch.setattr(signals.signal, "getsignal", getsignal)
    monkeypatch.setattr(signals.signal, "signal", replace)
    assert signal.SIGTERM not in signals.heeded()
    with signals.StopRequest() as request:
        assert not request.made
    assert signal.SIGTERM not in asked
    assert asked.count(signal.SIGINT) == 2  # taken, and given back
