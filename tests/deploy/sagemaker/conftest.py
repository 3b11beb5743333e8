"""Accounts to deploy to, emulated on loopback."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest

from convlens.deploy.rehearsal.emulator import Emulator
from convlens.deploy.rehearsal.profiles import PROFILES, Grant, Profile, document
from convlens.deploy.sagemaker.clients import Clients, Clock
from convlens.deploy.sagemaker.plan import Archive, Settings
from convlens.deploy.sagemaker.source import read_archive
from convlens.deploy.sagemaker.waiting import Patience

_LOADER = botocore.loaders.create_loader()  # the service models are read once


def with_grants(profile: Profile, *actions: str) -> Profile:
    """Return a profile whose caller may do more."""
    more = document([Grant(actions)])["Statement"]
    policy = {**profile.caller.policy, "Statement": [*profile.caller.policy["Statement"], *more]}
    return dataclasses.replace(profile, caller=dataclasses.replace(profile.caller, policy=policy))


FULL = with_grants(PROFILES["open"], "s3:DeleteBucket", "s3:GetBucketPolicy", "iam:ListRoles")
"""An account whose caller has every permission in the table, and no other."""


@dataclass
class Account:
    """An emulated account, and how to reach it."""

    aws: Emulator
    folder: Path
    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def session(self) -> Any:
        """Return a new session of boto3."""
        session = botocore.session.get_session()
        session.register_component("data_loader", _LOADER)
        return boto3.session.Session(botocore_session=session)

    def clients(self) -> Clients:
        """Return new clients."""
        return Clients(session=self.session())

    def patience(self, seconds: float = 1800.0) -> Patience:
        """Return patience with a clock that needs no time."""
        return Patience(seconds, Clock(lambda: self.seconds, self._sleep), self.lines.append)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def permit(self, profile: Profile) -> None:
        """Give the caller and the role the policies of another profile."""
        iam = self.aws.account._iam
        iam.put_user_policy(profile.caller.name, "caller", json.dumps(profile.caller.policy))
        iam.put_role_policy(profile.role.name, "execution", json.dumps(profile.role.policy))

    @property
    def made(self) -> list[str]:
        """What exists, buckets too."""
        return [*self.aws.left, *self.aws.account.buckets]

    @property
    def calls(self) -> list[str]:
        """The actions that were called."""
        return [one.action for one in self.aws.calls]


Accounts = Callable[[str | Profile], AbstractContextManager[Account]]


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Accounts:
    """Return a function that emulates an account."""

    @contextmanager
    def emulated(profile: str | Profile) -> Iterator[Account]:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "SAGEMAKER_ROLE", "SAGEMAKER_ROLE_ARN"):
            monkeypatch.delenv(name, raising=False)
        with Emulator(profile) as aws:
            for name, value in aws.environment.items():
                monkeypatch.setenv(name, value)
            yield Account(aws, tmp_path / "journals")
            assert aws.faults == []

    return emulated


@pytest.fixture(scope="session")
def digits_archive(digits_file: Path) -> Archive:
    """The archive of a small model."""
    return read_archive(digits_file)


@pytest.fixture(scope="session")
def other_archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The archive of another model."""
    from convlens import models
    from convlens.preprocessing import Intake

    model = models.build("cnn", filters=(4, 8), seed=4).use("interpreter")
    model.intake = Intake("digits")
    path = tmp_path_factory.mktemp("other") / "other.safetensors"
    model.save(path)
    return read_archive(path)


SETTINGS = Settings(name="digits")
