"""Journals that name what is not theirs: nothing of it is removed, and all of it is named."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from convlens.cli.main import app
from convlens.deploy.rehearsal.profiles import AccountProfile
from convlens.deploy.sagemaker.deploy import deploy
from convlens.deploy.sagemaker.destroy import destroy
from convlens.deploy.sagemaker.journal import EntryState
from convlens.deploy.sagemaker.plan import Archive, DeploymentPlan, EndpointSettings
from convlens.errors import DeploymentError

from .conftest import FULL, SETTINGS, Account, Accounts, with_grants

THEIRS = "sagemaker-theirs"
"""A bucket of this account that convlens did not make."""


def foreign(account: Account, plan: DeploymentPlan) -> list[tuple[str, str]]:
    """Make one thing and more of every kind, some with names of the right form; return kinds and names."""
    s3, sagemaker = account.clients()("s3"), account.clients()("sagemaker")
    near = f"convlens/digits/{'0' * 16}/model.tar.gz"
    borrowed = {**plan.metadata, "convlens-digest": "0" * 64, "convlens-endpoint": "others"}
    for bucket in (THEIRS, "sagemaker-theirs-empty"):
        s3.create_bucket(Bucket=bucket)
    for key, metadata in (("report.tar.gz", plan.metadata), (near, borrowed), ("convlens/digits/x/model.tar.gz", {})):
        s3.put_object(Bucket=THEIRS, Key=key, Body=b"theirs", Metadata=metadata)
    for name in ("production", "digits-0123456789ab"):
        sagemaker.create_model(ModelName=name, PrimaryContainer=plan.container, ExecutionRoleArn=plan.role)
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[plan.variant])
    sagemaker.create_endpoint(EndpointName="production", EndpointConfigName="production")
    sagemaker.create_endpoint(EndpointName="borrowing", EndpointConfigName=plan.config)
    return [
        ("bucket", THEIRS),
        ("bucket", "sagemaker-theirs-empty"),
        ("archive", f"s3://{THEIRS}/report.tar.gz"),
        ("archive", f"s3://{THEIRS}/{near}"),
        ("archive", f"s3://{THEIRS}/convlens/digits/x/model.tar.gz"),
        ("model", "production"),
        ("model", "digits-0123456789ab"),
        ("endpoint configuration", "production"),
        ("endpoint configuration", "digits-0123456789ab"),
        ("endpoint", "production"),
        ("endpoint", "borrowing"),
    ]


def write_journal(account: Account, things: list[tuple[str, str]], state: EntryState) -> Path:
    """Put things into the journal of the endpoint ``digits``, behind those that are there."""
    path = account.folder / "123456789012-us-east-1-digits.json"
    content: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {"format": 1, "entries": []}
    content["entries"] += [{"kind": kind, "name": name, "state": state} for kind, name in things]
    account.folder.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_destroy_removes_what_is_ours_and_nothing_else_that_the_journal_names(
    accounts: Accounts, digits_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    with accounts(FULL) as account:
        how: dict[str, Any] = {"folder": account.folder, "patience": account.patience()}
        plan = deploy(account.clients(), digits_archive, SETTINGS, **how).plan
        ours = set(account.made)
        things = foreign(account, plan)
        theirs = set(account.made) - ours
        path = write_journal(account, things, EntryState.MADE)
        monkeypatch.setattr("convlens.deploy.sagemaker.waiting.POLL_SECONDS", 0.0)
        shown = CliRunner().invoke(app, ["sagemaker", "destroy", "digits", "--journals", str(account.folder), "--json"])
        assert isinstance(shown.exception, DeploymentError)
        assert shown.exception.exit_code == 4
        said = json.loads(shown.stdout)
        assert set(account.made) == theirs
        assert len(said["removed"]) == 5
        for kind, name in things:
            [words] = [one for one in said["left"] if one.startswith(f"{kind} {name}:")]
            assert "nothing shows that convlens made it" in words
        assert len(said["left"]) == len(things)
        assert {(one["kind"], one["name"]) for one in json.loads(path.read_bytes())["entries"]} == set(things)


@pytest.mark.slow
@pytest.mark.parametrize("damaged", [True, False])
def test_deploy_cleans_up_nothing_else_that_the_journal_names(
    accounts: Accounts, digits_archive: Archive, damaged: bool
) -> None:
    with accounts(FULL) as account:
        clients, how = account.clients(), {"folder": account.folder, "patience": account.patience()}
        other = deploy(clients, digits_archive, dataclasses.replace(SETTINGS, name="other"), **how).plan
        things = foreign(account, other)
        before = set(account.made)
        write_journal(account, things, EntryState.INTENDED if damaged else EntryState.SETTLED)
        if damaged:
            broken = Archive(b"no archive at all", "f" * 64)
            with pytest.raises(DeploymentError, match=r"left behind: .*endpoint production: nothing shows"):
                deploy(clients, broken, SETTINGS, **how)
            assert set(account.made) == before
        else:
            done = deploy(clients, digits_archive, SETTINGS, **how)
            assert any("endpoint production: nothing shows" in note for note in done.notes)
            assert before < set(account.made)


@pytest.mark.slow
def test_an_archive_and_a_model_of_another_endpoint_stay(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL) as account:
        clients, how = account.clients(), {"folder": account.folder, "patience": account.patience()}
        plan = deploy(clients, digits_archive, dataclasses.replace(SETTINGS, name="other"), **how).plan
        before = set(account.made)
        things = [("archive", plan.url), ("model", plan.model), ("endpoint configuration", plan.config)]
        write_journal(account, [*things, ("endpoint", "other"), ("bucket", plan.bucket)], EntryState.MADE)
        removal = destroy(clients, "digits", **how)
        assert removal.removed == []
        assert len(removal.left) == 4  # the bucket is not empty, and so not removed either
        assert set(account.made) == before


@pytest.mark.parametrize("config", [pytest.param("theirs", marks=pytest.mark.slow), "digits-0123456789ab"])
def test_an_endpoint_that_is_only_said_to_be_ours_stays(
    accounts: Accounts, digits_archive: Archive, config: str
) -> None:
    with accounts(FULL) as account:
        clients, how = account.clients(), {"folder": account.folder, "patience": account.patience()}
        plan = deploy(clients, digits_archive, dataclasses.replace(SETTINGS, name="other"), **how).plan
        sagemaker = clients("sagemaker")
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[plan.variant])
        sagemaker.create_endpoint(EndpointName="digits", EndpointConfigName=config)
        before = set(account.made)
        write_journal(account, [("endpoint", "digits")], EntryState.SETTLED)
        with pytest.raises(DeploymentError, match=rf"not made by convlens \(its configuration is {config}\)"):
            destroy(clients, "digits", **how)
        with pytest.raises(DeploymentError, match=rf"convlens did not make \(its configuration is {config}\)"):
            deploy(clients, digits_archive, SETTINGS, **how)
        assert set(account.made) == before
        sagemaker.delete_endpoint_config(EndpointConfigName=config)
        with pytest.raises(DeploymentError, match="is gone"):
            destroy(clients, "digits", **how)


NO_TAGS = FULL.without(["sagemaker:AddTags", "sagemaker:ListTags"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "settings"),
    [
        (FULL, dataclasses.replace(SETTINGS, serverless=True)),
        (FULL, dataclasses.replace(SETTINGS, bucket="sagemaker-mine", instances=2)),
        (NO_TAGS, SETTINGS),
        (with_grants(NO_TAGS, "sagemaker:AddTags"), dataclasses.replace(SETTINGS, tags={})),
        ("learner-lab", SETTINGS),
        ("boundary-tags", SETTINGS),
    ],
)
def test_what_is_ours_is_known_without_journal_and_tags(
    accounts: Accounts, digits_archive: Archive, profile: str | AccountProfile, settings: EndpointSettings
) -> None:
    with accounts(profile) as account:
        clients, how = account.clients(), {"folder": account.folder, "patience": account.patience()}
        deploy(clients, digits_archive, settings, **how)
        assert len(account.made) == 5
        assert destroy(clients, "digits", **how).left == []
        assert account.made == []


def test_a_bucket_of_an_own_name_is_removed_if_what_was_made_is(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL.without(["s3:PutObject"])) as account:
        settings = dataclasses.replace(SETTINGS, bucket="sagemaker-mine")
        how: dict[str, Any] = {"folder": account.folder, "patience": account.patience(), "check": False}
        with pytest.raises(DeploymentError, match="removed: bucket sagemaker-mine"):
            deploy(account.clients(), digits_archive, settings, **how)
        assert account.made == []
