"""Removing things that a journal lists: each once, in the reverse order of making, and what could not be removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...errors import DeploymentError
from .journal import Journal, JournalEntry
from .ownership import Ownership
from .plan import DeploymentPlan
from .refusal import AwsRefusal
from .resources import BUCKET, CONFIG, ENDPOINT, KINDS, MODEL
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


Users = Mapping[tuple[str, str], str]
"""By kind and name of a thing, what uses it and stays."""


def remove_entries(
    owner: Ownership, journal: Journal, entries: Iterable[JournalEntry], patience: Patience, users: Users | None = None
) -> Removal:
    """Remove things, and forget each in the journal once it is gone.

    An endpoint is waited for, before and after. What it needs stays, if it cannot be removed; and so does whatever is
    not shown to be of this endpoint's deployments (`Ownership`), or is used by what stays.
    """
    order, found = list(KINDS), Removal()
    for entry in sorted(entries, key=lambda one: -order.index(one.kind)):
        words = f"{entry.kind} {entry.name}"
        stays = any(one.startswith(f"{ENDPOINT.name} {owner.endpoint}:") for one in found.left)
        used = "the endpoint" if stays else (users or {}).get((entry.kind, entry.name), "")
        outcome = _Outcome(f"{used} uses it") if used else _remove_one(owner, entry, patience)
        if outcome.refused and entry.kind == BUCKET.name:
            found.kept.append(f"the empty {words} ({outcome.left})")
        elif outcome.left:
            found.left.append(f"{words}: {outcome.left}")
        else:
            journal.forget(entry.kind, entry.name)
            found.removed += [words] if outcome.removed else []
    return found


class _Outcome(NamedTuple):
    """What came of a removal: why the thing is left, whether it was removed, and whether AWS refused that."""

    left: str = ""
    removed: bool = False
    refused: bool = False


def _remove_one(owner: Ownership, entry: JournalEntry, patience: Patience) -> _Outcome:
    """Remove a thing, if it is there and is ours."""
    kind = KINDS[entry.kind]
    try:
        found = kind.find(owner.clients, entry.name, owner.account)
        if found is None:
            return _Outcome()
        if doubt := owner.doubt(kind, entry.name, found):
            return _Outcome(f"nothing shows that convlens made it ({doubt}); if it is yours, remove it yourself")
        if kind is ENDPOINT and wait_for_rest(owner.clients, entry.name, patience) is None:
            return _Outcome()
        reply = kind.remove(owner.clients, entry.name, owner.account)
        if isinstance(reply, AwsRefusal):
            if reply.missing or (kind is BUCKET and reply.code == "BucketNotEmpty"):
                return _Outcome()  # gone; or it holds something else by now, so it is no longer ours alone
            denial = reply.denial
            return _Outcome(
                f"{denial.action} is denied: {denial.decides}" if reply.denied else str(reply), refused=True
            )
        if kind is ENDPOINT:
            wait_for_rest(owner.clients, entry.name, patience)
    except DeploymentError as error:
        return _Outcome(str(error))
    patience.progress(f"removed the {entry.kind} {entry.name}")
    return _Outcome(removed=True)


def users_elsewhere(owner: Ownership, plan: DeploymentPlan, entries: Sequence[JournalEntry]) -> Users:
    """Return which things of a plan are used by what another deployment has made of the same plan.

    Two deployments of the same model, with journals of their own, make things of the same names. What one has made, the
    other uses.

    Parameters
    ----------
    owner
        Whose the things are.
    plan
        What is deployed.
    entries
        What is to be removed.
    """
    listed, kinds = {(one.kind, one.name) for one in entries}, list(KINDS.values())
    if not entries:
        return {}
    for kind in (ENDPOINT, CONFIG, MODEL):  # each uses all that are made before it
        name = kind.named(plan)
        if (kind.name, name) in listed:
            continue
        try:
            found = kind.find(owner.clients, name, owner.account)
        except DeploymentError:  # whoever may not look has made none, and cleans up all the same
            continue
        if found is not None and (kind is not ENDPOINT or found["EndpointConfigName"] == plan.config):
            used = kinds[: kinds.index(kind)]
            return {(one.name, one.named(plan)): f"the {kind.name} {name} of another deployment" for one in used}
    return {}
