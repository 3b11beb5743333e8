"""Two deployments at once, each a process of its own: one endpoint, and neither destroys what the other made."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from convlens.deploy.rehearsal.profiles import AccountProfile
from convlens.deploy.sagemaker.clients import Clients
from convlens.deploy.sagemaker.deploy import deploy
from convlens.deploy.sagemaker.destroy import destroy
from convlens.deploy.sagemaker.plan import Archive
from convlens.deploy.sagemaker.status import status
from convlens.errors import DeploymentError

from .conftest import FULL, SETTINGS, Account, Accounts

PROGRAM = """
import json, os, pathlib, sys, time
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import botocore.session, boto3
from convlens.deploy.sagemaker import waiting
from convlens.deploy.sagemaker.clients import Clients
from convlens.deploy.sagemaker.deploy import deploy
from convlens.deploy.sagemaker.plan import Archive, EndpointSettings
from convlens.errors import ConvlensError

given = json.loads(sys.argv[1])
waiting.POLL_SECONDS = 0.02
session, signs = botocore.session.get_session(), pathlib.Path(given["signs"])

def stop(operation, awaited):
    def before(**_):
        (signs / f"{given['name']}-{operation}").touch()
        while not (signs / awaited).exists():
            time.sleep(0.01)
    return before

for operation, awaited in given["stops"].items():
    session.register(f"before-call.{operation}", stop(operation, awaited))
archive = Archive(pathlib.Path(given["archive"]).read_bytes(), given["digest"])
lines = []
try:
    clients = Clients(session=boto3.session.Session(botocore_session=session))
    patience = waiting.Patience(120.0, progress=lines.append)
    done = deploy(
        clients, archive, EndpointSettings(name="digits"), folder=pathlib.Path(given["journals"]), patience=patience,
        check=False,
    )
    print(json.dumps({"action": done.action, "code": 0, "words": "", "lines": lines}))
except ConvlensError as error:
    print(json.dumps({"action": "", "code": error.exit_code, "words": str(error), "lines": lines}))
"""
CREATES = ("s3.CreateBucket", "s3.PutObject", "sagemaker.CreateModel", "sagemaker.CreateEndpointConfig")


class Deploying:
    """A deployment in a process of its own, which stops before some of its calls until it is given a sign.

    Parameters
    ----------
    account, archive, folder
        Where, what, and the folder of all files of the test.
    name
        Of the process; its signs begin with it.
    journals
        The folder of its journal.
    stops
        By operation, the sign that is waited for before it is called.
    keys
        Credentials, if not the account's.
    """

    def __init__(
        self,
        account: Account,
        archive: Archive,
        folder: Path,
        name: str,
        journals: str,
        stops: dict[str, str],
        keys: dict[str, str] | None = None,
    ) -> None:
        self.name, self.signs = name, folder / "signs"
        self.signs.mkdir(exist_ok=True)
        (folder / f"{name}.tar.gz").write_bytes(archive.contents)
        given = {
            "name": name,
            "signs": str(self.signs),
            "stops": stops,
            "archive": str(folder / f"{name}.tar.gz"),
            "digest": archive.digest,
            "journals": str(folder / journals),
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(given)],
            env={**kept, **account.aws.environment, **(keys or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def reached(self, operation: str) -> None:
        """Wait until it stops before a call."""
        self._until((self.signs / f"{self.name}-{operation}").exists)

    def result(self) -> dict[str, Any]:
        """Wait for its end and return what came of it."""
        out, error = self.process.communicate(timeout=100)
        assert self.process.returncode == 0, error
        found: dict[str, Any] = json.loads(out)
        return found

    def _until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + 100
        while not true():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end
            time.sleep(0.01)


Start = Callable[..., Deploying]


@pytest.fixture
def two(accounts: Accounts, digits_archive: Archive, tmp_path: Path) -> Callable[..., Any]:
    """Return a context with an account, and a function that starts a deployment to it."""

    @contextmanager
    def emulated(profile: AccountProfile = FULL) -> Iterator[tuple[Account, Start]]:
        started: list[Deploying] = []

        def start(
            name: str,
            journals: str,
            stops: dict[str, str],
            archive: Archive = digits_archive,
            keys: dict[str, str] | None = None,
        ) -> Deploying:
            started.append(Deploying(account, archive, tmp_path, name, journals, stops, keys))
            return started[-1]

        with accounts(profile) as account:
            try:
                yield account, start
            finally:
                for one in started:
                    one.process.kill()
                    one.process.communicate()

    return emulated


def give(signs: Path, name: str) -> None:
    (signs / name).touch()


def keys_without(account: Account, *actions: str) -> dict[str, str]:
    """Make another user, who may not do some of what the first may; return the credentials."""
    iam = account.aws.account._iam
    iam.create_user("us-east-1", "second", "/", [])
    iam.put_user_policy("second", "caller", json.dumps(FULL.without(actions).caller.policy))
    key = iam.create_access_key("second")
    return {"AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key}


def successes(account: Account, action: str) -> int:
    return sum(one.status < 300 for one in account.aws.called(action))


def is_whole(account: Account) -> bool:
    return len(account.made) == 5 and status(account.clients(), "digits").state == "InService"


def test_with_one_journal_the_second_is_told_who_is_at_work(two: Any) -> None:
    with two() as (account, start):
        first = start("first", "journals", {"sagemaker.CreateModel": "go"})
        first.reached("sagemaker.CreateModel")
        second = start("second", "journals", {}).result()
        assert second["code"] == 4
        assert f"process {first.process.pid} on " in second["words"]
        assert "is at work on the endpoint digits; wait until it has ended, and repeat" in second["words"]
        assert successes(account, "sagemaker:CreateModel") == 0
        give(first.signs, "go")
        assert first.result()["action"] == "created"
        assert is_whole(account)
        assert successes(account, "sagemaker:CreateEndpoint") == 1


@pytest.mark.slow
def test_a_process_that_was_killed_holds_no_journal(two: Any) -> None:
    with two() as (account, start):
        first = start("first", "journals", {"sagemaker.CreateEndpointConfig": "never"})
        first.reached("sagemaker.CreateEndpointConfig")
        first.process.kill()
        first.process.wait()
        assert start("second", "journals", {}).result()["action"] == "created"
        assert is_whole(account)
        assert successes(account, "sagemaker:CreateModel") == 1


def test_with_two_journals_both_make_one_endpoint(two: Any) -> None:
    """Both stop before each call that makes something, until the other is there too, so neither has found it."""
    every = (*CREATES, "sagemaker.CreateEndpoint")
    with two() as (account, start):
        pair = [
            start(name, name, {one: f"{other}-{one}" for one in every})
            for name, other in (("first", "second"), ("second", "first"))
        ]
        found = [one.result() for one in pair]
        assert [one["code"] for one in found] == [0, 0], found
        assert sorted(one["action"] for one in found) == ["created", "unchanged"]
        assert is_whole(account)
        for operation in every[1:]:
            action = operation.replace(".", ":")
            assert (len(account.aws.called(action)), successes(account, action)) == (2, 1), action


@pytest.mark.slow
def test_with_two_journals_both_update_one_endpoint(two: Any, digits_archive: Archive, other_archive: Archive) -> None:
    every = (*CREATES[1:], "sagemaker.UpdateEndpoint")
    with two() as (account, start):
        deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        pair = [
            start(name, name, {one: f"{other}-{one}" for one in every}, other_archive)
            for name, other in (("first", "second"), ("second", "first"))
        ]
        found = [one.result() for one in pair]
        assert [one["code"] for one in found] == [0, 0], found
        assert sorted(one["action"] for one in found) == ["unchanged", "updated"]
        assert is_whole(account)  # nothing of the older version is left
        assert successes(account, "sagemaker:UpdateEndpoint") == 1


@pytest.mark.slow
def test_what_the_other_uses_stays_where_one_fails(two: Any) -> None:
    with two() as (account, start):
        second = start(
            "second",
            "b",
            {"sagemaker.CreateEndpointConfig": "go"},
            keys=keys_without(account, "sagemaker:CreateEndpointConfig"),
        )
        second.reached("sagemaker.CreateEndpointConfig")  # bucket, archive and model are its own
        assert start("first", "a", {}).result()["action"] == "created"
        give(second.signs, "go")
        found = second.result()
        assert found["code"] == 4
        assert "the endpoint digits of another deployment uses it" in found["words"]
        assert "removed:" not in found["words"]
        assert is_whole(account)


@pytest.mark.slow
def test_what_the_other_has_just_made_is_not_taken_for_ones_own(two: Any) -> None:
    with two() as (account, start):
        keys = keys_without(account, "sagemaker:CreateEndpointConfig")
        made = "first-sagemaker.CreateEndpointConfig"
        second = start("second", "b", {"sagemaker.CreateModel": made}, keys=keys)
        second.reached("sagemaker.CreateModel")  # it has found none
        first = start("first", "a", {"sagemaker.CreateEndpointConfig": "go"})
        found = second.result()
        assert found["code"] == 4
        assert any("another deployment has just made the model digits-" in line for line in found["lines"])
        assert re.search(r"left behind: archive .* the model digits-\w+ of another deployment uses it", found["words"])
        assert account.aws.called("sagemaker:DeleteModel") == []
        give(first.signs, "go")
        assert first.result()["action"] == "created"
        assert is_whole(account)
        assert successes(account, "sagemaker:CreateModel") == 1


@pytest.mark.slow
def test_what_the_other_has_removed_is_made_again(two: Any) -> None:
    with two() as (account, start):
        second = start(
            "second", "b", {"sagemaker.CreateEndpoint": "fail"}, keys=keys_without(account, "sagemaker:CreateEndpoint")
        )
        second.reached("sagemaker.CreateEndpoint")  # all but the endpoint is its own
        first = start("first", "a", {"sagemaker.CreateEndpoint": "go"})
        first.reached("sagemaker.CreateEndpoint")  # and was found there
        give(second.signs, "fail")
        found = second.result()
        assert found["code"] == 4
        assert "removed: endpoint configuration digits-" in found["words"]
        assert account.made == []
        give(second.signs, "go")
        found = first.result()
        assert found["action"] == "created"
        assert any("was removed meanwhile; it is made again" in line for line in found["lines"])
        assert is_whole(account)


@pytest.mark.slow
def test_the_later_of_two_models_stays_and_the_earlier_goes(
    two: Any, digits_archive: Archive, other_archive: Archive
) -> None:
    third = Archive(other_archive.contents, "3" * 64)
    with two() as (account, start):
        plan = deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        first = start("first", "a", {"sagemaker.UpdateEndpoint": "go"}, other_archive)
        second = start("second", "b", {"sagemaker.UpdateEndpoint": "follow"}, third)
        for one in (first, second):
            one.reached("sagemaker.UpdateEndpoint")  # both have seen the model that is there now
        account.aws.clock.step = 0.0  # SageMaker stays in mid-update
        give(first.signs, "go")
        while not successes(account, "sagemaker:UpdateEndpoint"):
            time.sleep(0.01)
        give(second.signs, "follow")
        while len(account.aws.called("sagemaker:UpdateEndpoint")) < 2:
            time.sleep(0.01)
        account.aws.clock.step = 30.0
        found = [one.result() for one in (first, second)]
        assert [one["action"] for one in found] == ["updated", "updated"], found
        assert successes(account, "sagemaker:UpdateEndpoint") == 2
        assert is_whole(account)
        assert status(account.clients(), "digits").configuration != plan.plan.config


@pytest.mark.slow
def test_an_endpoint_that_another_deployment_has_changed_meanwhile_is_left_to_it(
    accounts: Accounts, digits_archive: Archive, other_archive: Archive
) -> None:
    third = Archive(other_archive.contents, "3" * 64)
    with accounts(FULL) as account:
        deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        session, theirs = account.session(), []

        def interfere(**_: Any) -> None:
            how = {"folder": account.folder / "b", "patience": account.patience()}
            theirs.append(deploy(account.clients(), third, SETTINGS, **how).plan)

        session.events.register("after-call.sagemaker.UpdateEndpoint", interfere)
        with pytest.raises(DeploymentError, match=r"another deployment has put the configuration digits-.* meanwhile"):
            deploy(
                Clients(session=session),
                other_archive,
                SETTINGS,
                folder=account.folder / "a",
                patience=account.patience(),
            )
        assert status(account.clients(), "digits").configuration == theirs[0].config
        assert theirs[0].url.removeprefix("s3://") in "".join(account.made)
        removal = destroy(account.clients(), "digits", folder=account.folder / "a", patience=account.patience())
        assert removal.left == []
        assert account.made == [theirs[0].bucket]  # the first model, too, was in this journal
