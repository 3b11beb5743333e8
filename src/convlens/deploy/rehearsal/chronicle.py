"""What a rehearsal made, and from when to when, read from the calls that an emulator answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...figures.life_cycle import Lifeline, Mark, Span
from .emulator import Call, Change, Emulator

_MADE = {
    "s3:CreateBucket": "bucket",
    "s3:PutObject": "archive",
    "sagemaker:CreateModel": "model",
    "sagemaker:CreateEndpointConfig": "configuration",
}
_UNMADE = ("s3:DeleteBucket", "s3:DeleteObject", "sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig")


def lifelines(emulator: Emulator) -> list[Lifeline]:
    """Return what was made, in order, each from its making to its end; the endpoints with their states."""
    end = emulator.clock.now
    made = [one for one in emulator.calls if one.status < 300 and one.action in _MADE]
    found = [(one.at, _resource(one, emulator.calls, emulator.started, end)) for one in made]
    names = dict.fromkeys(one.endpoint for one in emulator.changes)
    for name in names:
        changes = [one for one in emulator.changes if one.endpoint == name]
        found.append((changes[0].at, Lifeline(f"endpoint {name}", _states(changes, emulator.started, end))))
    return [line for _, line in sorted(found, key=lambda one: one[0])]


def marks(emulator: Emulator) -> list[Mark]:
    """Return when the endpoint was asked, and how often, a mark for each moment of emulated time."""
    moments: dict[datetime, int] = {}
    for one in emulator.called("sagemaker:InvokeEndpoint"):
        if one.status < 300:
            moments[one.at] = moments.get(one.at, 0) + 1
    return [Mark(_minutes(emulator.started, at), f"{count} answers") for at, count in moments.items()]


def _resource(one: Call, calls: Sequence[Call], started: datetime, end: datetime) -> Lifeline:
    gone = (each.at for each in calls if each.action in _UNMADE and each.status < 300 and each.resource == one.resource)
    over = next((at for at in gone if at >= one.at), end)
    name = one.resource.rpartition(":")[2].partition("/")[2] or one.resource.rpartition(":")[2]
    return Lifeline(f"{_MADE[one.action]} {name}", (Span(_minutes(started, one.at), _minutes(started, over)),))


def _states(changes: Sequence[Change], started: datetime, end: datetime) -> tuple[Span, ...]:
    ends = [*(one.at for one in changes[1:]), end]
    pairs = [(one, over) for one, over in zip(changes, ends, strict=True) if one.status != "Deleted"]
    return tuple(Span(_minutes(started, one.at), _minutes(started, over), one.status) for one, over in pairs)


def _minutes(started: datetime, at: datetime) -> float:
    return (at - started).total_seconds() / 60
