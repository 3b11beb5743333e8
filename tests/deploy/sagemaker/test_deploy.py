"""Deployments to emulated accounts: made, updated, refused, failed, removed."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import EndpointConnectionError

from convlens.deploy.rehearsal.profiles import PROFILES
from convlens.deploy.sagemaker.clients import ATTEMPTS, Clients
from convlens.deploy.sagemaker.deploy import deploy, planned_steps
from convlens.deploy.sagemaker.destroy import destroy
from convlens.deploy.sagemaker.doctor import doctor
from convlens.deploy.sagemaker.invoke import invoke
from convlens.deploy.sagemaker.logs import logs
from convlens.deploy.sagemaker.plan import Archive
from convlens.deploy.sagemaker.status import status, statuses
from convlens.errors import ConfigurationError, DataError, DeploymentError
from convlens.nn import Model

from .conftest import FULL, SETTINGS, Account, Accounts

BROKEN = Archive(b"no archive at all", "f" * 64)


def image() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(5).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8))
    return stream.getvalue()


def test_the_whole_life_of_an_endpoint(
    accounts: Accounts, digits_archive: Archive, other_archive: Archive, digits: Model
) -> None:
    with accounts(FULL) as account:
        clients, patience, folder = account.clients(), account.patience(), account.folder
        first = deploy(clients, digits_archive, SETTINGS, folder=folder, patience=patience)
        assert first.action == "created"
        assert len(account.made) == 5  # archive, model, configuration, endpoint, bucket
        reply = invoke(clients, "digits", image(), "application/x-npy")
        found = [one["probabilities"] for one in json.loads(reply.body)["predictions"]]
        wanted = digits.predict_proba(np.load(io.BytesIO(image())))
        np.testing.assert_allclose([list(one.values()) for one in found], wanted, atol=1e-5)

        assert deploy(clients, digits_archive, SETTINGS, folder=folder, patience=patience).action == "unchanged"
        second = deploy(clients, other_archive, SETTINGS, folder=folder, patience=patience)
        assert second.action == "updated"
        assert second.notes == ()
        assert len(account.made) == 5  # what the first version made is gone
        assert second.plan.model != first.plan.model
        assert json.loads(invoke(clients, "digits", image(), "application/x-npy").body)["predictions"] != found

        now = status(clients, "digits")
        assert (now.state, now.model, now.machines) == ("InService", second.plan.model, "1 x ml.t2.medium")
        assert statuses(clients) == [("digits", "InService")]
        with pytest.raises(DataError, match="the request is empty"):
            invoke(clients, "digits", b"", "text/csv")
        with pytest.raises(DataError, match="the model on digits answers"):
            invoke(clients, "digits", b"no array", "application/x-npy")
        assert list(logs(clients, "digits"))

        removal = destroy(clients, "digits", folder=folder, patience=patience)
        assert removal.left == []
        assert account.made == []
        assert list(folder.iterdir()) == []
        assert str(destroy(clients, "digits", folder=folder, patience=patience)) == "nothing was there to remove"
        for call in (
            lambda: status(clients, "digits"),
            lambda: invoke(clients, "digits", image(), "application/x-npy"),
        ):
            with pytest.raises(DeploymentError, match="there is no endpoint digits"):
                call()


@pytest.mark.slow
def test_a_learner_lab_deploys_as_lab_role_and_makes_no_role(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts("learner-lab") as account:
        done = deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert done.plan.role == "arn:aws:iam::123456789012:role/LabRole"
        assert "iam:CreateRole" not in account.calls
        assert status(account.clients(), "digits").state == "InService"


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("no-passrole", "iam:PassRole .*denied by identity-based policy"),
        ("scp-instance-type", "CreateEndpointConfig .*service control policy.*--instance-type ml.m5.large"),
        ("quota-0", "quota on ml.t2.medium for endpoint usage .*service quota"),
    ],
)
def test_a_restricted_account_is_refused_before_anything_is_made(
    accounts: Accounts, digits_archive: Archive, profile: str, words: str
) -> None:
    with accounts(profile) as account:
        with pytest.raises(DeploymentError, match=words) as caught:
            deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert caught.value.exit_code == 4
        assert account.made == []
        assert not any(action.split(":")[1].startswith(("Create", "Put")) for action in account.calls)


@pytest.mark.parametrize(
    "profile", ["no-passrole", pytest.param("scp-instance-type", marks=pytest.mark.slow), "quota-0"]
)
def test_where_the_doctor_is_overruled_what_was_made_is_removed(
    accounts: Accounts, digits_archive: Archive, profile: str
) -> None:
    """Also what happens where the doctor could not know."""
    full = dataclasses.replace(
        PROFILES[profile],
        caller=dataclasses.replace(
            PROFILES[profile].caller,
            policy={
                **PROFILES[profile].caller.policy,
                "Statement": [
                    *PROFILES[profile].caller.policy["Statement"],
                    {"Effect": "Allow", "Action": ["s3:DeleteBucket"], "Resource": ["*"]},
                ],
            },
        ),
    )
    with accounts(full) as account:
        with pytest.raises(DeploymentError, match="removed: "):
            deploy(
                account.clients(),
                digits_archive,
                SETTINGS,
                folder=account.folder,
                patience=account.patience(),
                check=False,
            )
        assert any(action.split(":")[1].startswith("Create") for action in account.calls)
        assert account.made == []
        assert list(account.folder.iterdir()) == []


@pytest.mark.slow
def test_tags_that_are_denied_are_left_out(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts("boundary-tags") as account:
        done = deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
    assert any("without tags" in note for note in done.notes)
    assert done.action == "created"


@pytest.mark.slow
def test_tags_are_left_out_where_only_the_call_tells(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL.without(["sagemaker:AddTags", "iam:SimulatePrincipalPolicy"])) as account:
        done = deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert [note for note in done.notes if "sagemaker:AddTags is denied" in note]


@pytest.mark.slow
def test_an_instance_type_is_fallen_back_on(accounts: Accounts, digits_archive: Archive) -> None:
    settings = dataclasses.replace(SETTINGS, instance_types=("ml.t2.medium", "ml.m5.large"))
    with accounts("scp-instance-type") as account:
        done = deploy(account.clients(), digits_archive, settings, folder=account.folder, patience=account.patience())
        assert status(account.clients(), "digits").machines == "1 x ml.m5.large"
    assert done.plan.instance_type == "ml.m5.large"


def test_an_instance_type_is_fallen_back_on_where_only_the_call_tells(
    accounts: Accounts, digits_archive: Archive
) -> None:
    settings = dataclasses.replace(SETTINGS, instance_types=("ml.t2.medium", "ml.m5.large"))
    profile = PROFILES["scp-instance-type"].without(["iam:SimulatePrincipalPolicy"])
    with accounts(profile) as account:
        done = deploy(account.clients(), digits_archive, settings, folder=account.folder, patience=account.patience())
        assert len([one for one in account.made if "endpoint-config" in one]) == 1
    assert done.plan.instance_type == "ml.m5.large"
    assert any("falls back on ml.m5.large" in note for note in done.notes)


def test_an_endpoint_that_fails_shows_why_and_is_removed(accounts: Accounts, digits_archive: Archive) -> None:
    profile = dataclasses.replace(FULL, damaged=True)
    with accounts(profile) as account:
        with pytest.raises(DeploymentError, match=r"ping health check.*model.npz is damaged.*removed: endpoint digits"):
            deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert account.made == []


def test_an_update_that_fails_is_rolled_back_and_the_old_model_stays(
    accounts: Accounts, digits_archive: Archive
) -> None:
    with accounts(FULL) as account:
        clients, patience = account.clients(), account.patience()
        first = deploy(clients, digits_archive, SETTINGS, folder=account.folder, patience=patience)
        before = sorted(account.made)
        with pytest.raises(DeploymentError, match="the update failed and was rolled back"):
            deploy(clients, BROKEN, SETTINGS, folder=account.folder, patience=patience)
        assert sorted(account.made) == before
        assert status(clients, "digits").configuration == first.plan.config
        assert invoke(clients, "digits", image(), "application/x-npy").body


@pytest.mark.slow
def test_a_deadline_is_kept_and_the_deployment_can_go_on(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts("slow-start") as account:
        with pytest.raises(DeploymentError, match="still Creating after 5 min 0 s; repeat the command"):
            deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience(300))
        assert account.seconds == 300
        done = deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert status(account.clients(), "digits").state == "InService"
        assert len([one for one in account.calls if one == "sagemaker:CreateEndpoint"]) == 1
    assert done.plan.endpoint == "digits"


@pytest.mark.slow
def test_an_endpoint_of_somebody_else_is_left_alone(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL) as account:
        clients, patience = account.clients(), account.patience()
        plan = deploy(clients, digits_archive, SETTINGS, folder=account.folder, patience=patience).plan
        sagemaker = clients("sagemaker")
        sagemaker.create_endpoint_config(EndpointConfigName="theirs", ProductionVariants=[plan.variant])
        sagemaker.create_endpoint(EndpointName="shared", EndpointConfigName="theirs")
        before = sorted(account.made)
        others = dataclasses.replace(SETTINGS, name="shared")
        with pytest.raises(DeploymentError, match="convlens did not make"):
            deploy(clients, digits_archive, others, folder=account.folder, patience=patience)
        with pytest.raises(DeploymentError, match="was not made by convlens"):
            destroy(clients, "shared", folder=account.folder, patience=patience)
        assert sorted(account.made) == before


@pytest.mark.slow
def test_an_endpoint_of_another_machine_is_updated_and_removed(
    accounts: Accounts, digits_archive: Archive, other_archive: Archive
) -> None:
    with accounts(FULL) as account:
        clients, patience, folder = account.clients(), account.patience(), account.folder
        deploy(clients, digits_archive, SETTINGS, folder=folder / "there", patience=patience)
        deploy(clients, other_archive, SETTINGS, folder=folder / "here", patience=patience)
        assert len(account.made) == 5
        removal = destroy(clients, "digits", folder=folder / "elsewhere", patience=patience)
        assert removal.left == []
        assert account.made == ["sagemaker-us-east-1-123456789012"]  # nobody there knows who made the bucket


def test_a_role_that_cannot_be_looked_for_is_asked_for(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL.without(["iam:GetRole", "iam:ListRoles"])) as account:
        with pytest.raises(DeploymentError, match=r"nothing was made.*iam:GetRole is denied.*with --role"):
            deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert account.made == []


def test_what_cannot_be_removed_is_named_with_the_permission(accounts: Accounts, digits_archive: Archive) -> None:
    how: dict[str, Any] = {}
    with accounts(FULL.without(["sagemaker:DeleteEndpoint"])) as account:
        how |= {"folder": account.folder, "patience": account.patience()}
        deploy(account.clients(), digits_archive, SETTINGS, check=False, **how)
        left = destroy(account.clients(), "digits", **how).left
    assert left[0] == "endpoint digits: sagemaker:DeleteEndpoint is denied: no identity-based policy allows it"
    assert len(left) == 5


def test_where_aws_is_out_of_reach_for_a_while_nothing_is_removed(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL) as account:
        session, asked = account.session(), 0

        def cut(**_: Any) -> None:
            nonlocal asked
            asked += 1
            if 3 < asked <= 3 + ATTEMPTS:  # one call, with all its repetitions
                raise EndpointConnectionError(endpoint_url="sagemaker")

        session.events.register("before-send.sagemaker.DescribeEndpoint", cut)
        clients = Clients(session=session)
        with pytest.raises(DeploymentError, match=r"cannot reach AWS.*repeat the command"):
            deploy(clients, digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert len(account.made) == 5
        deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert account.calls.count("sagemaker:CreateEndpoint") == 1


@pytest.mark.parametrize("action", ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"])
def test_who_may_not_look_cleans_up_all_the_same(accounts: Accounts, digits_archive: Archive, action: str) -> None:
    with accounts(FULL.without([action])) as account:
        how: dict[str, Any] = {"folder": account.folder, "patience": account.patience(), "check": False}
        with pytest.raises(DeploymentError, match=f"{action} is denied .*; removed: "):
            deploy(account.clients(), digits_archive, SETTINGS, **how)
        assert account.made == []


def answering(account: Account, code: str, message: str, status: int, retries: int = 0) -> Clients:
    """Return clients whose CreateModel works, and is answered with an error."""

    def spoil(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        http_response.status_code = status
        parsed["Error"] = {"Code": code, "Message": message}
        parsed["ResponseMetadata"] |= {"HTTPStatusCode": status, "RetryAttempts": retries}

    session = account.session()
    session.events.register("after-call.sagemaker.CreateModel", spoil)
    return Clients(session=session)


def test_a_call_that_aws_has_failed_to_answer_may_have_been_carried_out(
    accounts: Accounts, digits_archive: Archive
) -> None:
    with accounts(FULL) as account:
        how: dict[str, Any] = {"folder": account.folder, "patience": account.patience()}
        with pytest.raises(DeploymentError, match=r"making the model .*: AWS cannot answer now") as caught:
            deploy(answering(account, "InternalFailure", "no", 500), digits_archive, SETTINGS, **how)
        assert caught.value.exit_code == 6
        assert len(account.made) == 3
        account.permit(FULL.without(["sagemaker:CreateEndpointConfig"]))
        with pytest.raises(DeploymentError, match="removed: model digits-"):  # it was in the journal
            deploy(account.clients(), digits_archive, SETTINGS, check=False, **how)
        assert account.made == []


def test_what_a_call_has_made_whose_reply_was_lost_is_ours(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL.without(["sagemaker:CreateEndpointConfig"])) as account:
        clients = answering(account, "ValidationException", "Cannot create already existing model.", 400, retries=1)
        how: dict[str, Any] = {"folder": account.folder, "patience": account.patience(), "check": False}
        with pytest.raises(DeploymentError, match="removed: model digits-"):
            deploy(clients, digits_archive, SETTINGS, **how)
        assert account.made == []


@pytest.mark.slow
def test_a_dry_run_says_what_would_be_done(accounts: Accounts, digits_archive: Archive, other_archive: Archive) -> None:
    with accounts(FULL) as account:
        clients = account.clients()
        found = doctor(clients, SETTINGS, digits_archive)
        assert [one.action for one in planned_steps(clients, found.plan)] == ["make"] * 5
        assert account.made == []
        assert found.price.hourly == 1.0  # the emulator's made-up price
        deploy(clients, digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert [one.action for one in planned_steps(clients, found.plan)] == ["keep"] * 5
        other = doctor(clients, SETTINGS, other_archive).plan
        assert [one.action for one in planned_steps(clients, other)] == ["keep", "make", "make", "make", "update"]


@pytest.mark.slow
def test_a_serverless_endpoint(accounts: Accounts, digits_archive: Archive) -> None:
    settings = dataclasses.replace(SETTINGS, serverless=True, memory_mb=1024, concurrency=3)
    with accounts(FULL) as account:
        done = deploy(account.clients(), digits_archive, settings, folder=account.folder, patience=account.patience())
        assert status(account.clients(), "digits").machines == "serverless, 1024 MB, 3 at once"
        assert done.to_dict()["instance_type"] is None


def test_a_damaged_journal_is_one_line(accounts: Accounts, digits_archive: Archive) -> None:
    with accounts(FULL) as account:
        account.folder.mkdir()
        path = account.folder / "123456789012-us-east-1-digits.json"
        for entry, why in (
            ('{"kind": "model"}', "lacks 'name'"),
            ('{"kind": "modl", "name": "m", "state": "made"}', "did you mean 'model'"),
            ('{"kind": ["model"], "name": "m", "state": "made"}', "kind of thing"),
            ('{"kind": "model", "name": ["m"], "state": "made"}', "a name is a text"),
        ):
            path.write_text(f'{{"format": 1, "entries": [{entry}]}}')
            with pytest.raises(DeploymentError, match=rf"is damaged: .*{why}"):
                deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        assert account.made == []


@pytest.mark.parametrize("name", ["", "Digits", "a" * 51, "-a", "a_b", "a.b"])
def test_names_that_aws_would_refuse_are_refused_here(accounts: Accounts, name: str) -> None:
    with pytest.raises(ConfigurationError, match="an endpoint's name has"):
        dataclasses.replace(SETTINGS, name=name)
