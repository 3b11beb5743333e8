"""What the doctor says of emulated accounts."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from convlens.deploy.rehearsal.profiles import AccountProfile
from convlens.deploy.sagemaker.clients import Clients
from convlens.deploy.sagemaker.denial import PolicyLayer
from convlens.deploy.sagemaker.deploy import deploy
from convlens.deploy.sagemaker.destroy import destroy
from convlens.deploy.sagemaker.doctor import Diagnosis, doctor
from convlens.deploy.sagemaker.findings import Answer, DoctorVerdict
from convlens.deploy.sagemaker.invoke import invoke
from convlens.deploy.sagemaker.permissions import CALLER, NEEDS, ROLE, Need, applicable
from convlens.deploy.sagemaker.plan import Archive, EndpointSettings
from convlens.errors import DataError, DeploymentError

from .conftest import FULL, SETTINGS, Account, Accounts

READS = ("Get", "List", "Describe", "Head", "Simulate", "Filter", "BatchGet")
WRITES = [
    one
    for one in NEEDS
    if one.who == CALLER and one.action.split(":")[1].startswith(("Create", "Put", "Delete", "Update"))
]


def denied(found: Diagnosis) -> set[tuple[str, str]]:
    return {(one.who, one.what) for one in found.having(Answer.DENIED)}


def only_reads(account: Account) -> bool:
    return all(action.split(":")[1].startswith(READS) for action in account.calls)


def test_an_open_account_is_a_go_and_nothing_is_written(accounts: Accounts) -> None:
    with accounts(FULL) as account:
        found = doctor(account.clients(), SETTINGS)
        assert found.verdict is DoctorVerdict.GO
        assert {one.answer for one in found.findings} == {Answer.ALLOWED}
        assert found.role is not None
        assert found.role.arn.endswith(":role/service-role/AmazonSageMaker-ExecutionRole")  # the path is kept
        assert {(one.who, one.what) for one in found.findings} >= {(one.who, one.action) for one in NEEDS}
        assert only_reads(account)
        assert account.made == []


def permissions(found: Diagnosis) -> list[tuple[str, str]]:
    """Return who needs which permission, as the doctor of an account with all of them lists them."""
    conditions = ("bucket", "image", "quota", "sts:AssumeRole")
    return [(one.who, one.what) for one in found.findings if one.what not in conditions]


def lacking(need: Need) -> AccountProfile:
    return FULL.without([need.action]) if need.who == CALLER else FULL.without((), [need.action])


def check_lacking(account: Account, clients: Clients, need: Need, settings: EndpointSettings = SETTINGS) -> None:
    account.permit(lacking(need))
    found = doctor(clients, dataclasses.replace(settings, role=account.aws.account.role_arn))
    assert denied(found) == {(need.who, need.action)}
    [one] = found.having(Answer.DENIED)
    assert one.resource in (*(found.plan.arns[name] for name in need.resources), resources_of(found, need))
    assert one.layer is (PolicyLayer.IDENTITY if need.action != "s3:ListBucket" else one.layer)
    if need.action == "iam:SimulatePrincipalPolicy":
        assert found.verdict is DoctorVerdict.UNSURE
    elif need.action == "iam:GetRole":
        assert found.verdict is DoctorVerdict.UNSURE  # trust is unknown
    else:
        assert found.verdict is (DoctorVerdict.GO if need.optional else DoctorVerdict.NO_GO)


def resources_of(found: Diagnosis, need: Need) -> str:
    """Return what AWS itself calls the resource of a call that was tried."""
    names = {"iam:GetRole": f"role {found.plan.role.rpartition('/')[2]}", "iam:SimulatePrincipalPolicy": "user student"}
    return names.get(need.action, " and ".join(found.plan.arns[name] for name in need.resources))


SITUATIONS: dict[str, tuple[EndpointSettings, dict[str, bool]]] = {
    "real-time": (SETTINGS, {"bucket is new": True, "tags": True}),
    "serverless": (dataclasses.replace(SETTINGS, serverless=True), {"bucket is new": True, "tags": True}),
    "two types, without tags": (
        dataclasses.replace(SETTINGS, tags={}, instance_types=("ml.m5.large", "ml.c5.large")),
        {"bucket is new": True, "tags": False},
    ),
    "update": (dataclasses.replace(SETTINGS, instances=2), {"bucket is new": False, "tags": True}),
}
"""How it is deployed, and which conditions of `permissions.NEEDS` hold then. A plan has neither keys nor a VPC."""


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_permission_removed_is_reported_and_no_other(
    accounts: Accounts, digits_archive: Archive, situation: str
) -> None:
    settings, properties = SITUATIONS[situation]
    with accounts(FULL) as account:
        if situation == "update":
            deploy(account.clients(), digits_archive, SETTINGS, folder=account.folder, patience=account.patience())
        before = account.made
        clients = account.clients()
        needs = {(one.who, one.action): one for one in applicable(properties)}
        listed = permissions(doctor(clients, settings))
        assert listed == list(needs)  # what is removed below is what the doctor of this plan asks about
        for each in listed:
            check_lacking(account, clients, needs[each], settings)
        for one in set(NEEDS) - set(needs.values()):
            account.permit(lacking(one))
            found = doctor(clients, dataclasses.replace(settings, role=account.aws.account.role_arn))
            assert (denied(found), found.verdict) == (set(), DoctorVerdict.GO)
        assert account.made == before


@pytest.mark.parametrize("action", ["iam:PassRole", "sagemaker:CreateEndpoint", "s3:ListBucket"])
def test_a_permission_removed_is_reported_and_no_other(accounts: Accounts, action: str) -> None:
    with accounts(FULL) as account:
        check_lacking(account, account.clients(), next(one for one in NEEDS if one.action == action))


def life(account: Account, one: Archive, other: Archive) -> list[str]:
    """Make, update, ask and remove an endpoint, overruling the doctor; return what did not work."""
    how: dict[str, Any] = {"folder": account.folder, "patience": account.patience()}
    clients, wrong = account.clients(), []
    try:
        deploy(clients, one, SETTINGS, check=False, **how)
        deploy(clients, other, SETTINGS, check=False, **how)
        assert invoke(clients, "digits", b"[[0]]", "application/json")
    except DataError:  # the model has answered: that is no image
        pass
    except DeploymentError as error:
        wrong.append(str(error))
        account.permit(FULL)
    wrong += destroy(account.clients(), "digits", **how).left
    account.permit(FULL)
    destroy(account.clients(), "digits", **how)
    return wrong


@pytest.mark.slow
def test_what_the_table_calls_needed_is_what_a_life_fails_without(
    accounts: Accounts, digits_archive: Archive, other_archive: Archive
) -> None:
    """And nothing is called that the table does not know."""
    with accounts(FULL) as account:
        for need in (one for one in NEEDS if one.who == CALLER or one.action == "s3:GetObject"):
            if need.action == "iam:GetRole":  # then the role must be named
                continue
            account.permit(lacking(need))
            assert bool(life(account, digits_archive, other_archive)) is not need.optional, need.action
            for bucket in account.aws.account.buckets:
                account.clients()("s3").delete_bucket(Bucket=bucket)
            assert account.made == []
        called = {one for one in account.calls if one != "sts:GetCallerIdentity"}
    by_call = {one.action for one in NEEDS if one.who == CALLER} - {"iam:PassRole", "sagemaker:AddTags"}
    seldom = {"iam:ListRoles"}  # only where no role has a usual name
    assert by_call - seldom <= called
    assert called <= by_call


def test_without_simulation_writes_are_unknown_and_reads_are_known(accounts: Accounts) -> None:
    without = ["iam:SimulatePrincipalPolicy", "iam:PassRole", "sagemaker:CreateModel", "sagemaker:DescribeModel"]
    with accounts(FULL.without(without)) as account:
        found = doctor(account.clients(), SETTINGS)
    answers = {one.what: one.answer for one in found.findings if one.who == CALLER}
    assert {answers[one.action] for one in WRITES} == {Answer.UNKNOWN}
    assert answers["iam:PassRole"] is Answer.UNKNOWN
    assert answers["sagemaker:DescribeModel"] is Answer.DENIED  # it was tried
    assert answers["sagemaker:DescribeEndpoint"] is Answer.ALLOWED


def test_a_role_lacking_a_permission_is_not_taken_for_the_caller(accounts: Accounts) -> None:
    with accounts(FULL.without((), ["s3:GetObject"])) as account:
        assert denied(doctor(account.clients(), SETTINGS)) == {(ROLE, "s3:GetObject")}


def test_an_instance_type_forbidden_by_the_organisation(accounts: Accounts) -> None:
    with accounts("scp-instance-type") as account:
        found = doctor(account.clients(), SETTINGS)
        one = next(one for one in found.findings if one.what == "sagemaker:CreateEndpointConfig")
        assert (one.answer, one.layer, one.explicit) == (Answer.DENIED, PolicyLayer.ORGANISATION, True)
        assert one.resource == found.plan.arns["config"]
        assert set(one.passing) == {"ml.m5.large", "ml.m5.xlarge"}
        assert "--instance-type ml.m5.large" in one.advice
        assert "policy for the caller" not in one.advice  # an Allow would not help
        assert found.verdict is DoctorVerdict.NO_GO
        fallen = doctor(
            account.clients(), dataclasses.replace(SETTINGS, instance_types=("ml.t2.medium", "ml.m5.large"))
        )
        assert fallen.verdict is DoctorVerdict.GO
        assert fallen.plan.instance_type == "ml.m5.large"


def test_tags_forbidden_by_a_boundary_are_left_out(accounts: Accounts) -> None:
    with accounts("boundary-tags") as account:
        found = doctor(account.clients(), SETTINGS)
    one = next(one for one in found.findings if one.what == "sagemaker:AddTags")
    assert (one.answer, one.layer, one.explicit) == (Answer.DENIED, PolicyLayer.BOUNDARY, False)
    assert "an Allow for the caller alone does not help" in one.advice
    assert found.verdict is DoctorVerdict.GO
    assert found.plan.tags == []


def test_no_quota(accounts: Accounts) -> None:
    with accounts("quota-0") as account:
        found = doctor(account.clients(), SETTINGS)
    assert denied(found) >= {(CALLER, "quota")}
    assert found.verdict is DoctorVerdict.NO_GO


def test_a_learner_lab_has_its_role(accounts: Accounts) -> None:
    with accounts("learner-lab") as account:
        found = doctor(account.clients(), SETTINGS)
        assert found.role is not None
        assert found.role.name == "LabRole"
        assert found.plan.identity.principal == "arn:aws:iam::123456789012:role/voclabs"
        assert found.verdict is DoctorVerdict.GO


def test_a_role_that_sagemaker_may_not_assume(accounts: Accounts) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = dataclasses.replace(FULL.role, trust={"Version": "2012-10-17", "Statement": [statement]})
    with accounts(dataclasses.replace(FULL, role=role)) as account:
        unnamed = doctor(account.clients(), SETTINGS)
        assert unnamed.role is None  # not one to be found
        found = doctor(account.clients(), dataclasses.replace(SETTINGS, role=role.name))
    one = next(one for one in found.findings if one.what == "sts:AssumeRole")
    assert (one.answer, one.layer) == (Answer.DENIED, PolicyLayer.TRUST)


@pytest.mark.parametrize(
    ("wanted", "role"),
    [(None, "SageMakerExecutionRole"), ("Mine", "Mine"), ("arn:aws:iam::123456789012:role/a/Mine", "a/Mine")],
)
def test_without_a_role_the_policies_are_for_one_that_can_be_made(
    accounts: Accounts, wanted: str | None, role: str
) -> None:
    with accounts(dataclasses.replace(FULL, role=dataclasses.replace(FULL.role, name="Other"))) as account:
        found = doctor(account.clients(), dataclasses.replace(SETTINGS, role=wanted))
        assert found.role is None
        assert found.verdict is DoctorVerdict.NO_GO
        statements = found.policies["caller"]["Statement"]
    named = [
        arn
        for one in statements
        for arn in ([one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"])
    ]
    assert all(arn == "*" or arn.startswith("arn:aws:") for arn in named)
    passing = next(one for one in statements if one["Action"] == ["iam:PassRole"])
    assert passing["Resource"] == f"arn:aws:iam::123456789012:role/{role}"


def test_the_least_policies_are_enough(accounts: Accounts) -> None:
    with accounts(FULL) as account:
        clients = account.clients()
        policies = doctor(clients, SETTINGS).policies
        iam = account.aws.account._iam
        iam.put_user_policy(FULL.caller.name, "caller", json.dumps(policies["caller"]))
        iam.put_role_policy(FULL.role.name, "execution", json.dumps(policies["role"]))
        assert denied(doctor(account.clients(), SETTINGS)) == set()
        other = doctor(account.clients(), dataclasses.replace(SETTINGS, name="other"))
        assert (CALLER, "sagemaker:CreateEndpoint") in denied(other)  # and are no more than enough


def test_probes_create_nothing_and_know_what_simulation_does_not(accounts: Accounts) -> None:
    with accounts(FULL.without(["iam:SimulatePrincipalPolicy", "sagemaker:CreateEndpoint"])) as account:
        found = doctor(account.clients(), SETTINGS, probe=True)
        answers = {one.what: one.answer for one in found.findings if one.who == CALLER}
        assert answers["sagemaker:CreateEndpoint"] is Answer.DENIED
        assert answers["sagemaker:UpdateEndpoint"] is Answer.ALLOWED
        assert answers["sagemaker:DeleteModel"] is Answer.ALLOWED
        assert account.made == []


class _Simulated:
    """Clients whose IAM answers simulations of some actions with one result, and allows all others."""

    def __init__(self, account: Account, beginning: str, result: dict[str, Any]) -> None:
        self._clients, self._beginning, self._result = account.clients(), beginning, result
        self.region, self.session = self._clients.region, self._clients.session

    def __call__(self, service: str, region: str | None = None) -> Any:
        client = self._clients(service, region)
        if service == "iam":
            client.simulate_principal_policy = self._simulate
        return client

    def _simulate(self, **given: Any) -> Any:
        allowed = {"EvalDecision": "allowed"}
        results = [
            {"EvalActionName": one, **(self._result if one.startswith(self._beginning) else allowed)}
            for one in given["ActionNames"]
        ]
        return {"EvaluationResults": results}


@pytest.mark.parametrize(
    ("beginning", "result", "answer"),
    [
        # as reported for accounts whose organisation has policies with conditions: the call works
        (
            "iam:PassRole",
            {
                "EvalDecision": "implicitDeny",
                "MatchedStatements": [],
                "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
            },
            Answer.UNKNOWN,
        ),
        (
            "iam:PassRole",
            {"EvalDecision": "implicitDeny", "MissingContextValues": ["aws:MultiFactorAuthPresent"]},
            Answer.UNKNOWN,
        ),
        ("iam:PassRole", {"EvalDecision": "implicitDeny", "MatchedStatements": []}, Answer.DENIED),
        # DescribeEndpoint is denied here too, and has just worked: no implicit denial is believed
        ("", {"EvalDecision": "implicitDeny", "MatchedStatements": []}, Answer.UNKNOWN),
        ("", {"EvalDecision": "explicitDeny", "MatchedStatements": []}, Answer.DENIED),
    ],
)
def test_simulation_is_believed_only_where_it_can_be(
    accounts: Accounts, beginning: str, result: dict[str, Any], answer: Answer
) -> None:
    with accounts(FULL) as account:
        found = doctor(_Simulated(account, beginning, result), SETTINGS)  # type: ignore[arg-type]
    answers = {one.what: one.answer for one in found.findings if one.who == CALLER}
    assert answers["iam:PassRole"] is answer
    assert answers["sagemaker:DescribeEndpoint"] is Answer.ALLOWED


def test_credentials_that_aws_does_not_accept_are_one_line(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    with accounts(FULL) as account:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYHASTHISKEY")
        with pytest.raises(DeploymentError, match="does not accept the credentials"):
            doctor(account.clients(), SETTINGS)


def test_every_probe_of_the_table_names_an_action_of_the_plan() -> None:
    from convlens.deploy.sagemaker.probe import PROBES

    assert {one.action for one in PROBES} <= {one.action for one in NEEDS if one.who == CALLER}
