"""Image, bucket and price, as far as they can be known beforehand."""

from __future__ import annotations

import dataclasses

import pytest

from convlens.deploy.sagemaker.account import identify
from convlens.deploy.sagemaker.checks import check_bucket, check_image
from convlens.deploy.sagemaker.clients import Clients
from convlens.deploy.sagemaker.findings import Answer
from convlens.deploy.sagemaker.plan import DeploymentPlan, EndpointSettings, make_plan
from convlens.deploy.sagemaker.price import price_of
from convlens.deploy.sagemaker.refusal import AwsRefusal

from .conftest import FULL, SETTINGS, Accounts, with_grants

OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:3"


def plan_of(clients: Clients, settings: EndpointSettings = SETTINGS) -> DeploymentPlan:
    return make_plan(identify(clients), clients.region, "arn:aws:iam::123456789012:role/R", settings)


def test_an_image_of_ones_own_is_looked_for(accounts: Accounts) -> None:
    settings = dataclasses.replace(SETTINGS, image=OWN)
    with accounts(with_grants(FULL, "ecr:BatchGetImage", "ecr:CreateRepository")) as account:
        clients = account.clients()
        missing = check_image(clients, plan_of(clients, settings))
        assert (missing.answer, missing.advice) == (Answer.DENIED, "push the image, or name another with --image")
        clients("ecr").create_repository(repositoryName="digits")
        assert check_image(clients, plan_of(clients, settings)).answer is Answer.DENIED  # the repository is empty
        elsewhere = dataclasses.replace(SETTINGS, image=OWN.replace("us-east-1", "eu-west-1"))
        assert "it is in eu-west-1" in check_image(clients, plan_of(clients, elsewhere)).evidence
    with accounts(FULL) as account:
        clients = account.clients()
        assert check_image(clients, plan_of(clients, settings)).answer is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("refusal", "region", "listing", "answer", "words"),
    [
        (None, "us-east-1", Answer.ALLOWED, Answer.ALLOWED, "it exists"),
        (None, "eu-west-1", Answer.ALLOWED, Answer.DENIED, "it is in eu-west-1, not in us-east-1"),
        (AwsRefusal("404", "Not Found", 404, "s3:ListBucket"), "", Answer.ALLOWED, Answer.ALLOWED, "will be made"),
        (AwsRefusal("403", "Forbidden", 403, "s3:ListBucket"), "", Answer.ALLOWED, Answer.DENIED, "belongs to another"),
        (AwsRefusal("403", "Forbidden", 403, "s3:ListBucket"), "", Answer.UNKNOWN, Answer.UNKNOWN, "cannot be seen"),
    ],
)
def test_the_bucket(
    accounts: Accounts, refusal: AwsRefusal | None, region: str, listing: Answer, answer: Answer, words: str
) -> None:
    with accounts(FULL) as account:
        found = check_bucket(plan_of(account.clients()), refusal, region, listing=listing)
    assert found.answer is answer
    assert words in found.evidence


def test_a_price_is_asked_for_or_unknown(accounts: Accounts) -> None:
    two = dataclasses.replace(SETTINGS, instances=2)
    with accounts(FULL) as account:
        clients = account.clients()
        assert price_of(clients, plan_of(clients, two)).hourly == 2.0  # the emulator's made-up price, twice
        idle = price_of(clients, plan_of(clients, dataclasses.replace(SETTINGS, serverless=True)))
        assert idle.hourly is None
        rare = price_of(clients, plan_of(clients, dataclasses.replace(SETTINGS, instance_types=("ml.zz9.large",))))
        assert str(rare) == "unknown: AWS's price list has no price for hosting on ml.zz9.large in us-east-1"
    with accounts(FULL.without(["pricing:GetProducts"])) as account:
        clients = account.clients()
        assert "pricing:GetProducts is denied" in str(price_of(clients, plan_of(clients)))
