"""Removing an endpoint, and everything that was made for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DeploymentError
from .account import identify
from .clients import Clients
from .journal import FOLDER, Entry, Journal, State
from .plan import check_endpoint_name, is_ours
from .removal import Removal, remove
from .resources import ARCHIVE, ENDPOINT, behind_endpoint
from .waiting import Patience, wait_for_rest


def destroy(clients: Clients, endpoint: str, *, folder: Path = FOLDER, patience: Patience | None = None) -> Removal:
    """Remove an endpoint, its configuration, its model, its archive, and the bucket if a deployment made it.

    What the journal lists is removed, and what AWS says is behind the endpoint; so an endpoint that was deployed from
    another machine is removed too. A bucket that holds anything else stays.

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
        If convlens did not make the endpoint.
    """
    check_endpoint_name(endpoint)
    patience = patience or Patience()
    account = identify(clients).account
    journal = Journal.of(folder, account, clients.region, endpoint)
    entries = dict.fromkeys((one.kind, one.name) for one in journal.entries)
    entries |= dict.fromkeys(_described(clients, endpoint, journal, patience))
    return remove(clients, account, journal, [Entry(*one, State.MADE) for one in entries], patience)


def _described(clients: Clients, endpoint: str, journal: Journal, patience: Patience) -> Iterator[tuple[str, str]]:
    """Yield the kind and name of the endpoint and of all behind it, as AWS describes them."""
    found = wait_for_rest(clients, endpoint, patience)
    if found is None:
        return
    config = found["EndpointConfigName"]
    if not (journal.has(ENDPOINT.name, endpoint) or is_ours(config, endpoint)):
        raise DeploymentError(
            f"the endpoint {endpoint} was not made by convlens (its configuration is {config}); remove it where it was "
            "made"
        )
    yield ENDPOINT.name, endpoint
    for kind, name in behind_endpoint(clients, found):
        if is_ours(name, endpoint) or (kind is ARCHIVE and f"/convlens/{endpoint}/" in name):
            yield kind.name, name
