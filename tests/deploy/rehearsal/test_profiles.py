"""What each kind of account refuses, in AWS's words, and what IAM's simulator says about it beforehand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from convlens.deploy.rehearsal import PROFILES, Emulator
from convlens.deploy.rehearsal.profiles import CALLER, EXECUTION, Grant, profile_named
from convlens.deploy.sagemaker.permissions import NEEDS
from convlens.errors import ConfigurationError

from .accounts import BUCKET, KEY, Clients, configuration, model, settled, upload

PASSED = [
    {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyType": "string",
        "ContextKeyValues": ["sagemaker.amazonaws.com"],
    }
]


def refusal(call: Any, /, *given: Any, **named: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as found:
        call(*given, **named)
    return found.value.response["Error"]["Code"], found.value.response["Error"]["Message"]


def simulated(aws: Clients, action: str, resource: str = "*", context: Any = (), source: str = "") -> dict[str, Any]:
    who = source or aws.sts.get_caller_identity()["Arn"]
    found = aws.iam.simulate_principal_policy(
        PolicySourceArn=who, ActionNames=[action], ResourceArns=[resource], ContextEntries=list(context)
    )
    return found["EvaluationResults"][0]


def test_without_passrole_no_model_is_made() -> None:
    with Emulator("no-passrole") as emulator:
        aws, role = Clients(emulator), emulator.account.role_arn
        upload(aws)
        code, message = refusal(model, aws, emulator)
        assert code == "AccessDeniedException"
        assert message == (
            "User: arn:aws:iam::123456789012:user/student is not authorized to perform: iam:PassRole on resource: "
            f"{role} because no identity-based policy allows the iam:PassRole action"
        )
        assert simulated(aws, "iam:PassRole", role, PASSED)["EvalDecision"] == "implicitDeny"
        assert emulator.hosting.left == []


def test_the_simulator_takes_no_condition_key_for_granted() -> None:
    with Emulator("open") as emulator:
        aws, role = Clients(emulator), emulator.account.role_arn
        without = simulated(aws, "iam:PassRole", role)
        assert without["EvalDecision"] == "implicitDeny"  # although the call works
        assert without["MissingContextValues"] == ["iam:PassedToService"]
        found = simulated(aws, "iam:PassRole", role, PASSED)
        assert found["EvalDecision"] == "allowed"
        assert found["MatchedStatements"]
        assert "OrganizationsDecisionDetail" not in found
        session = "arn:aws:sts::123456789012:assumed-role/voclabs/x"
        assert refusal(simulated, aws, "iam:PassRole", role, PASSED, session)[0] == "InvalidInput"


def test_another_instance_type_passes_the_organisation() -> None:
    with Emulator("scp-instance-type") as emulator:
        aws = Clients(emulator)
        upload(aws)
        model(aws, emulator)
        code, message = refusal(configuration, aws, kind="ml.t2.medium")
        assert code == "AccessDeniedException"
        assert message.endswith("endpoint-config/toy with an explicit deny in a service control policy")
        arn = emulator.hosting.arn("EndpointConfig", "toy")
        for kind, decision in (("ml.t2.medium", "explicitDeny"), ("ml.m5.large", "allowed")):
            entry = {
                "ContextKeyName": "sagemaker:InstanceTypes",
                "ContextKeyType": "stringList",
                "ContextKeyValues": [kind],
            }
            found = simulated(aws, "sagemaker:CreateEndpointConfig", arn, [entry])
            assert found["EvalDecision"] == decision
            assert found["OrganizationsDecisionDetail"]["AllowedByOrganizations"] is (decision == "allowed")
        configuration(aws, kind="ml.m5.large")


def test_a_boundary_forbids_tags_and_nothing_else() -> None:
    with Emulator("boundary-tags") as emulator:
        aws = Clients(emulator)
        upload(aws)
        code, message = refusal(model, aws, emulator, Tags=[{"Key": "made-by", "Value": "convlens"}])
        assert code == "AccessDeniedException"
        assert message.endswith("because no permissions boundary allows the sagemaker:AddTags action")
        found = simulated(aws, "sagemaker:AddTags", emulator.hosting.arn("Model", "toy"))
        assert found["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"] is False
        model(aws, emulator)


def test_without_quota_no_endpoint_is_made() -> None:
    with Emulator("quota-0") as emulator:
        aws = Clients(emulator)
        upload(aws)
        model(aws, emulator)
        configuration(aws)
        code, message = refusal(aws.sagemaker.create_endpoint, EndpointName="toy", EndpointConfigName="toy")
        assert code == "ResourceLimitExceeded"
        assert "'ml.m5.large for endpoint usage' is 0 Instances" in message
        pages = aws.service_quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
        values = {one["QuotaName"]: one for page in pages for one in page["Quotas"]}
        one = values["ml.m5.large for endpoint usage"]
        assert one["Value"] == 0
        again = aws.service_quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode=one["QuotaCode"])
        assert again["Quota"] == one


def test_asking_the_simulator_may_be_denied() -> None:
    with Emulator("simulate-denied") as emulator:
        code, message = refusal(simulated, Clients(emulator), "iam:PassRole")
        assert code == "AccessDenied"
        assert message.endswith(
            "iam:SimulatePrincipalPolicy on resource: user student because no identity-based policy allows the "
            "iam:SimulatePrincipalPolicy action"
        )


def test_a_learner_lab_makes_no_role_and_stays_in_its_regions() -> None:
    with Emulator("learner-lab") as emulator:
        aws = Clients(emulator)
        assert re.fullmatch(r"arn:aws:sts::\d{12}:assumed-role/voclabs/.+", aws.sts.get_caller_identity()["Arn"])
        assert aws.iam.get_role(RoleName="LabRole")["Role"]["Arn"] == "arn:aws:iam::123456789012:role/LabRole"
        code, message = refusal(aws.iam.create_role, RoleName="mine", AssumeRolePolicyDocument="{}")
        assert code == "AccessDenied"
        assert "with an explicit deny in an identity-based policy" in message
        assert len(emulator.called("iam:CreateRole")) == 1
    with Emulator("learner-lab", region="eu-west-1") as emulator:
        code, message = refusal(Clients(emulator).sagemaker.list_endpoints)
        assert (code, "explicit deny" in message) == ("AccessDeniedException", True)


def test_a_slow_endpoint_takes_its_time() -> None:
    with Emulator("slow-start") as emulator:
        aws = Clients(emulator)
        upload(aws)
        model(aws, emulator)
        configuration(aws)
        aws.sagemaker.create_endpoint(EndpointName="toy", EndpointConfigName="toy")
        begin = emulator.clock.now
        emulator.clock.advance(1200)
        assert aws.sagemaker.describe_endpoint(EndpointName="toy")["EndpointStatus"] == "Creating"
        assert settled(aws)["EndpointStatus"] == "InService"
        assert (emulator.clock.now - begin).total_seconds() >= PROFILES["slow-start"].creating


def test_a_model_that_does_not_load_fails_with_a_reason_and_a_log() -> None:
    with Emulator("unhealthy-model") as emulator:
        aws = Clients(emulator)
        upload(aws)
        model(aws, emulator)
        configuration(aws)
        aws.sagemaker.create_endpoint(EndpointName="toy", EndpointConfigName="toy")
        found = settled(aws)
        assert found["EndpointStatus"] == "Failed"
        assert "did not pass the ping health check" in found["FailureReason"]
        events = aws.logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/toy")["events"]
        assert any("the weights are cut short" in one["message"] for one in events)
        code, _ = refusal(aws.sagemaker.update_endpoint, EndpointName="toy", EndpointConfigName="toy")
        assert code == "ValidationException"  # a failed endpoint can only be deleted
        aws.sagemaker.delete_endpoint(EndpointName="toy")


@pytest.mark.parametrize("action", ["s3:PutObject", "sagemaker:CreateEndpointConfig", "sagemaker:InvokeEndpoint"])
def test_one_permission_can_be_taken_away(action: str) -> None:
    with Emulator(PROFILES["open"].without([action])) as emulator:
        aws = Clients(emulator)
        aws.s3.create_bucket(Bucket=BUCKET)
        calls = {
            "s3:PutObject": (aws.s3.put_object, {"Bucket": BUCKET, "Key": KEY, "Body": b"x"}),
            "sagemaker:CreateEndpointConfig": (configuration, {"aws": aws}),
            "sagemaker:InvokeEndpoint": (aws.sagemaker_runtime.invoke_endpoint, {"EndpointName": "toy", "Body": b"x"}),
        }
        for name, (call, given) in calls.items():
            denied = f"not authorized to perform: {name}"
            if name == action:
                assert denied in refusal(call, **given)[1]
            elif name == "s3:PutObject":
                call(**given)
            else:
                assert denied not in refusal(call, **given)[1]  # refused for another reason: there is no model


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'learner-lab'"):
        profile_named("learner-labs")


@pytest.mark.parametrize(("who", "grants"), [("caller", CALLER), ("role", EXECUTION)])
def test_the_open_account_grants_everything_that_a_deployment_needs(who: str, grants: tuple[Grant, ...]) -> None:
    granted = {action for grant in grants for action in grant.actions}
    assert {one.action for one in NEEDS if one.who == who} - granted == set()


def test_the_documentation_lists_every_profile() -> None:
    page = (Path(__file__).parents[3] / "docs" / "sagemaker" / "rehearsal.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", page, re.M)
    assert listed == [(one.name, one.about) for one in PROFILES.values()]
