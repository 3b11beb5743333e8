"""Usual mistakes: each is answered with one sentence that says what to do, and an exit code; nothing is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from moto.s3.models import s3_backends
from typer.testing import CliRunner, Result

from convlens.cli.main import app
from convlens.deploy.rehearsal.profiles import PROFILES, AccountProfile
from convlens.errors import ConvlensError

from .conftest import FULL, Account, Accounts

run = CliRunner().invoke


def outcome(found: Result) -> tuple[int, str]:
    """Return the exit code and all words, on one line, as the program ends with them."""
    if isinstance(found.exception, ConvlensError):
        return found.exception.exit_code, str(found.exception)
    return found.exit_code, " ".join(found.stdout.split())


def buckets(account: Account) -> None:
    """Make a bucket in another region, and another account's."""
    place = {"LocationConstraint": "eu-west-1"}
    account.clients()("s3", "eu-west-1").create_bucket(Bucket="sagemaker-far", CreateBucketConfiguration=place)
    s3_backends["999999999999"]["aws"].create_bucket("sagemaker-theirs", "us-east-1")


MISTAKES = [
    (
        FULL,
        ("--role", "arn:aws:iam::999999999999:role/R"),
        2,
        "is a role of account 999999999999, and the credentials are of 123456789012",
        "name one of 123456789012, or sign in to 999999999999",
    ),
    (FULL, ("--role", "Nobody"), 4, "has no such role", "or leave --role out"),
    (
        FULL,
        ("--bucket", "sagemaker-far"),
        4,
        "it is in eu-west-1, not in us-east-1",
        "name a bucket of this region with --bucket",
    ),
    (
        FULL,
        ("--bucket", "sagemaker-theirs"),
        4,
        "it belongs to another account (403)",
        "name another bucket with --bucket",
    ),
    (
        FULL.without(["s3:ListBucket", "s3:PutObject"]),
        ("--bucket", "sagemaker-mine"),
        4,
        "no identity-based policy allows it",
        "an administrator can allow it with the policy for the caller",
    ),
    (
        PROFILES["quota-0"],
        (),
        4,
        "the quota is 0, and 1 is wanted",
        "ask for more under Service Quotas, “ml.t2.medium for endpoint usage”, or use another --instance-type",
    ),
    (FULL, ("--region", "mx-central-1"), 2, "scikit-learn image in mx-central-1 is not known", "with --image"),
]
QUICK = (0, 3)  # the others are run with the slow tests


@pytest.mark.parametrize(
    ("profile", "options", "code", "words", "advice"),
    [pytest.param(*one, marks=() if n in QUICK else pytest.mark.slow) for n, one in enumerate(MISTAKES)],
)
def test_a_mistake_is_named_with_what_to_do(
    accounts: Accounts,
    digits_file: Path,
    tmp_path: Path,
    profile: AccountProfile,
    options: tuple[str, ...],
    code: int,
    words: str,
    advice: str,
) -> None:
    with accounts(profile) as account:
        buckets(account)
        before = account.made
        for verb in (["doctor"], ["deploy", str(digits_file), "--journals", str(tmp_path / "journals")]):
            found = run(app, ["sagemaker", *verb, *options], env={"COLUMNS": "250"})
            exit_code, said = outcome(found)
            assert exit_code == code, said
            assert words in said
            assert advice in said
            assert said.count(advice) == 1 or verb == ["doctor"]  # the doctor says it beside each that needs it
        assert account.made == before
