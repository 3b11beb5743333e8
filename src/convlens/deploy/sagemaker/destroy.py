"""Removing an endpoint, and everything that was made for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DeploymentError
from .account import identify
from .clients import Clients
from .journal import FOLDER, EntryState, Journal, JournalEntry
from .ownership import Ownership
from .plan import check_endpoint_name
from .removal import Removal, remove_entries
from .resources import ENDPOINT, behind_endpoint
from .waiting import Patience, wait_for_rest


def destroy(clients: Clients, endpoint: str, *, folder: Path = FOLDER, patience: Patience | None = None) -> Removal:
    """Remove an endpoint, its configuration, its model, its archive, and the bucket if a deployment made it.

    What the journal lists is removed, and what AWS says is behind the endpoint; so an endpoint that was deployed from
    another machine is removed too. A bucket that holds anything else stays. So does what AWS does not show to be of
    this endpoint's deployments, whatever the journal says (`Ownership`).

    Parameters
    ----------
    clients
        The account.
    endpoint
        Its name.
    folder
        Of the journals.
    patience
        How long each wait may take.

    Returns
    -------
    Removal
        What was removed, and what is left and why.

    Raises
    ------
    DeploymentError
        If convlens did not make the endpoint, or another process is at work on it.
    """
    check_endpoint_name(endpoint)
    patience = patience or Patience()
    owner = Ownership(clients, identify(clients).account, endpoint)
    with Journal.held(folder, owner.account, clients.region, endpoint) as journal:
        entries = dict.fromkeys((one.kind, one.name) for one in journal.entries)
        entries |= dict.fromkeys(_described(owner, patience))
        listed = [JournalEntry(*one, EntryState.MADE) for one in entries]
        return remove_entries(owner, journal, listed, patience)


def _described(owner: Ownership, patience: Patience) -> Iterator[tuple[str, str]]:
    """Yield the kind and name of the endpoint and of what is behind it and ours, as AWS describes them."""
    found = wait_for_rest(owner.clients, owner.endpoint, patience)
    if found is None:
        return
    if doubt := owner.doubt(ENDPOINT, owner.endpoint, found):
        raise DeploymentError(
            f"the endpoint {owner.endpoint} was not made by convlens ({doubt}); remove it where it was made"
        )
    yield ENDPOINT.name, owner.endpoint
    for kind, name in behind_endpoint(owner.clients, found):
        described = kind.find(owner.clients, name, owner.account)
        if described is not None and not owner.doubt(kind, name, described):
            yield kind.name, name
