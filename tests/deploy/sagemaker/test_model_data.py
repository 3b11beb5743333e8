"""The causes that "Could not access model data" hides, told apart."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest

from convlens.deploy.rehearsal.profiles import Profile
from convlens.deploy.sagemaker.account import Role, find_role, identify
from convlens.deploy.sagemaker.deploy import deploy
from convlens.deploy.sagemaker.findings import Answer
from convlens.deploy.sagemaker.model_data import explain_model_data, is_about_model_data
from convlens.deploy.sagemaker.plan import Archive, Plan, make_plan
from convlens.deploy.sagemaker.resources import ARCHIVE, BUCKET
from convlens.errors import DeploymentError

from .conftest import FULL, SETTINGS, Account, Accounts

NO_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
Breaking = Callable[[Account, Plan], None]


def nothing(account: Account, plan: Plan) -> None:
    del account, plan


def lose_the_object(account: Account, plan: Plan) -> None:
    account.aws.account._s3.delete_object(plan.bucket, plan.key)


def deny_in_the_bucket(account: Account, plan: Plan) -> None:
    statement = {
        "Sid": "Closed",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:Get*",
        "Resource": plan.arns["object"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.aws.account._s3.put_bucket_policy(plan.bucket, policy.encode())


def move_the_bucket(account: Account, plan: Plan) -> None:
    s3 = account.aws.account._s3
    s3.buckets[plan.bucket].region_name = "eu-west-1"


ROLES: dict[str, Profile] = {
    "trust": dataclasses.replace(FULL, role=dataclasses.replace(FULL.role, trust=NO_TRUST)),
    "permission": FULL.without((), ["s3:GetObject"]),
}


def prepared(account: Account) -> tuple[Plan, Role]:
    """Return a plan whose archive is in its bucket, and its role."""
    clients = account.clients()
    identity = identify(clients)
    role = find_role(clients, identity, account.aws.profile.role.name)
    plan = make_plan(identity, clients.region, role.arn, SETTINGS, Archive(b"archive", "a" * 64))
    BUCKET.make(clients, plan)
    ARCHIVE.make(clients, plan)
    return plan, role


@pytest.mark.parametrize(
    ("role", "spoil", "cause", "words"),
    [
        ("trust", nothing, "sts:AssumeRole", "no statement of the role's trust policy"),
        ("permission", nothing, "s3:GetObject", "no identity-based policy allows it"),
        ("", lose_the_object, "key", "there is no such object"),
        ("", move_the_bucket, "region", "the bucket is in eu-west-1, and the endpoint in us-east-1"),
        ("", deny_in_the_bucket, "s3:GetObject", "the bucket's policy denies it in the statement Closed"),
    ],
)
def test_the_cause_is_named_and_no_other(
    accounts: Accounts, role: str, spoil: Breaking, cause: str, words: str
) -> None:
    profile = ROLES.get(role, FULL)
    with accounts(profile) as account:
        plan, found_role = prepared(account)
        spoil(account, plan)
        found = explain_model_data(account.clients(), plan, found_role)
        assert {one.what for one in found if one.answer is Answer.DENIED} == {cause}
        assert words in found[0].evidence


def test_where_nothing_is_wrong_nothing_is_named(accounts: Accounts) -> None:
    with accounts(FULL) as account:
        assert explain_model_data(account.clients(), *prepared(account)) == []


def test_a_deployment_that_fails_so_names_the_cause(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(ROLES["permission"]) as account:
        with pytest.raises(
            DeploymentError, match=r"(?i)could not access model data.*cause \(denied\): s3:GetObject on"
        ):
            deploy(
                account.clients(),
                digits_archive,
                SETTINGS,
                folder=account.folder,
                patience=account.patience(),
                check=False,
            )
        assert account.made == []


@pytest.mark.parametrize(
    ("message", "about"),
    [
        ("Could not access model data at s3://b/k. Please ensure that the role exists and that its trust", True),
        ('Failed to download model data for container "container_1" from URL: "s3://b/k". Please ensure', True),
        ("The primary container for production variant main did not pass the ping health check.", False),
    ],
)
def test_messages_about_model_data_are_known(message: str, about: bool) -> None:
    assert is_about_model_data(message) is about
