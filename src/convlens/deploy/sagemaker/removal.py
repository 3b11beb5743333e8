"""Removing things that a journal lists: each once, in the reverse order of making, and what could not be removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...errors import DeploymentError
from .clients import AwsRefusal, Clients
from .journal import Journal, JournalEntry
from .resources import BUCKET, ENDPOINT, KINDS
from .waiting import Patience, wait_for_rest


@dataclass
class Removal:
    """What was removed, and what was not, in words.

    Attributes
    ----------
    removed, left
        ``"model cnn-0123456789ab"``; what is left says why.
    kept
        An empty bucket that may not be removed: it costs nothing, and the next deployment uses it.
    """

    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"removed: {', '.join(self.removed)}"] if self.removed else []
        parts += [f"left behind: {'; '.join(self.left)}"] if self.left else []
        parts += [f"kept: {', '.join(self.kept)}, which costs nothing"] if self.kept else []
        return "; ".join(parts) or "nothing was there to remove"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"removed": self.removed, "left": self.left, "kept": self.kept}


def remove_entries(
    clients: Clients, account: str, journal: Journal, entries: Iterable[JournalEntry], patience: Patience
) -> Removal:
    """Remove things, and forget each in the journal once it is gone.

    An endpoint is waited for, before and after. What it needs stays, if it cannot be removed.
    """
    order, found = list(KINDS), Removal()
    for entry in sorted(entries, key=lambda one: -order.index(one.kind)):
        words = f"{entry.kind} {entry.name}"
        if any(one.startswith(ENDPOINT.name + " ") for one in found.left) and entry.kind != ENDPOINT.name:
            found.left.append(f"{words}: the endpoint uses it")
            continue
        why, was_there = _remove_one(clients, account, entry, patience)
        if why and entry.kind == BUCKET.name:
            found.kept.append(f"the empty {words} ({why})")
            continue
        if why:
            found.left.append(f"{words}: {why}")
            continue
        journal.forget(entry.kind, entry.name)
        if was_there:
            found.removed.append(words)
    return found


def _remove_one(clients: Clients, account: str, entry: JournalEntry, patience: Patience) -> tuple[str, bool]:
    """Remove a thing; return why it is still there, or an empty text, and whether it was there."""
    kind = KINDS[entry.kind]
    try:
        if kind is ENDPOINT and wait_for_rest(clients, entry.name, patience) is None:
            return "", False
        reply = kind.remove(clients, entry.name, account)
        if isinstance(reply, AwsRefusal):
            if reply.missing:
                return "", False
            if kind is BUCKET and reply.code == "BucketNotEmpty":
                return "", False  # it holds something else by now, so it is no longer ours alone
            denial = reply.denial
            return f"{denial.action} is denied: {denial.decides}" if reply.denied else str(reply), True
        if kind is ENDPOINT:
            wait_for_rest(clients, entry.name, patience)
    except DeploymentError as error:
        return str(error), True
    patience.progress(f"removed the {entry.kind} {entry.name}")
    return "", True
