"""Deployments and removals that are killed after each of their calls in turn, and then repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from convlens.deploy.sagemaker.clients import Clients
from convlens.deploy.sagemaker.deploy import deploy
from convlens.deploy.sagemaker.destroy import destroy
from convlens.deploy.sagemaker.plan import Archive
from convlens.deploy.sagemaker.status import status
from convlens.errors import DeploymentError

from .conftest import FULL, SETTINGS, Account, Accounts


class Killed(BaseException):
    """The process is gone: nothing of ours handles it."""


def killing(account: Account, last: int) -> Clients:
    """Return clients whose process is killed after its call number `last`, counted from 1, has been answered."""
    session, calls = account.session(), 0

    def count(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == last:
            raise Killed

    session.events.register("after-call", count)
    return Clients(session=session)


def converges(account: Account, act: Callable[[Clients], object], calls: range, check: Callable[[], None]) -> int:
    """Kill an action after each of these calls, repeat it, and check; return how often it was killed."""
    killed = 0
    for last in calls:
        try:
            act(killing(account, last))
        except Killed:
            killed += 1
            act(account.clients())
        check()
        destroy(account.clients(), "digits", folder=account.folder, patience=account.patience())
        assert account.made == []
        if killed <= last - calls.start:  # it ended before
            break
    return killed


def one_of_each(account: Account) -> None:
    kinds = sorted(one.split(":")[5].split("/")[0] for one in account.aws.left if ":sagemaker:" in one)
    assert kinds == ["endpoint", "endpoint-config", "model"]
    assert len(account.made) == 5
    assert status(account.clients(), "digits").state == "InService"


def first_write(account: Account) -> int:
    """Return the number of the first call that makes something, of those so far."""
    return next(n for n, action in enumerate(account.calls, 1) if action == "s3:CreateBucket")


@pytest.mark.slow
def test_a_deployment_killed_after_each_call_converges(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL) as account:

        def act(clients: Clients) -> None:
            deploy(clients, digits_archive, SETTINGS, folder=account.folder, patience=account.patience())

        act(account.clients())
        first = first_write(account)
        destroy(account.clients(), "digits", folder=account.folder, patience=account.patience())
        for last in range(1, first):  # only reads until then: nothing is there
            with pytest.raises(Killed):
                act(killing(account, last))
            assert account.made == []
        assert converges(account, act, range(first, 1000), lambda: one_of_each(account)) >= 10


@pytest.mark.slow
def test_an_update_killed_after_each_call_converges(
    accounts: Accounts, digits_archive: Archive, other_archive: Archive
) -> None:
    with accounts(FULL) as account:

        def put(clients: Clients, archive: Archive) -> None:
            deploy(clients, archive, SETTINGS, folder=account.folder, patience=account.patience())

        put(account.clients(), digits_archive)
        reads = len(account.calls)
        put(account.clients(), other_archive)
        writes = [n for n, action in enumerate(account.calls[reads:], 1) if action == "s3:PutObject"]
        archives = [digits_archive, other_archive]
        for last in range(writes[0], 1000):
            archives.reverse()
            done = False
            try:
                put(killing(account, last), archives[1])
                done = True
            except Killed:
                put(account.clients(), archives[1])
            one_of_each(account)
            if done:
                break
        assert last - writes[0] >= 12


@pytest.mark.slow
def test_a_removal_killed_after_each_call_converges(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL) as account:
        for last in range(1, 1000):
            deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
            done = False
            try:
                destroy(killing(account, last), "digits", folder=account.folder, patience=account.patience())
                done = True
            except Killed:
                destroy(account.clients(), "digits", folder=account.folder, patience=account.patience())
            assert account.made == []
            assert not any(account.folder.iterdir())
            if done:
                break
        assert last > 8


@pytest.mark.parametrize(
    "action", [pytest.param("sagemaker:CreateModel", marks=pytest.mark.slow), "sagemaker:CreateEndpoint"]
)
def test_a_deployment_killed_right_after_making_something_goes_on(
    accounts: Accounts, digits_archive: Archive, action: str
) -> None:
    with accounts(FULL) as account:
        session = account.session()

        def kill(**_: Any) -> None:
            raise Killed

        session.events.register(f"after-call.{action.replace(':', '.')}", kill)
        with pytest.raises(Killed):
            deploy(
                Clients(session=session), digits_archive, SETTINGS, folder=account.folder, patience=account.patience()
            )
        assert len(account.made) >= 3
        deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        one_of_each(account)
        assert account.calls.count(action) == 1


def test_what_a_killed_deployment_made_is_removed_if_the_next_one_fails(
    accounts: Accounts, digits_archive: Archive
) -> None:
    with accounts(FULL) as account:
        session = account.session()

        def kill(**_: Any) -> None:
            raise Killed

        session.events.register("after-call.sagemaker.CreateModel", kill)
        how: dict[str, Any] = {"folder": account.folder, "patience": account.patience(), "check": False}
        with pytest.raises(Killed):
            deploy(Clients(session=session), digits_archive, SETTINGS, **how)
        assert len(account.made) == 3
        account.permit(FULL.without(["sagemaker:CreateEndpointConfig"]))
        with pytest.raises(DeploymentError, match="removed: model digits-"):
            deploy(account.clients(), digits_archive, SETTINGS, **how)
        assert account.made == []
