"""What is made of IAM's answers to a simulation: every field of them that is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from convlens.deploy.sagemaker.account import Identity
from convlens.deploy.sagemaker.denial import PolicyLayer
from convlens.deploy.sagemaker.findings import Answer
from convlens.deploy.sagemaker.permissions import NEEDS
from convlens.deploy.sagemaker.plan import EndpointSettings, make_plan
from convlens.deploy.sagemaker.simulation import SimulationResult, Simulator

ANN = "arn:aws:iam::123456789012:user/ann"
NEED = {one.action: one for one in NEEDS if one.who == "caller"}
ALLOWED, IMPLICIT, EXPLICIT = ({"EvalDecision": one} for one in ("allowed", "implicitDeny", "explicitDeny"))
BY = {"MatchedStatements": [{"SourcePolicyId": "team"}, {"SourcePolicyId": "team"}, {"SourcePolicyId": "base"}]}


class Simulating:
    """IAM that answers as a function says, by action and resource, some results at a time."""

    def __init__(self, answer: Callable[[str, str], dict[str, Any] | None], at_once: int = 100) -> None:
        self._answer, self._at_once = answer, at_once
        self.asked: list[dict[str, Any]] = []

    def __call__(self, _service: str) -> Simulating:
        return self

    def simulate_principal_policy(self, **given: Any) -> dict[str, Any]:
        self.asked.append(given)
        [arn] = given["ResourceArns"]
        found = [(action, self._answer(action, arn)) for action in given["ActionNames"]]
        results = [{"EvalActionName": action, **one} for action, one in found if one is not None]
        start = int(given.get("Marker", 0))
        end = start + self._at_once
        more = {"IsTruncated": True, "Marker": str(end)} if end < len(results) else {"IsTruncated": False}
        return {"EvaluationResults": results[start:end], **more}


def simulated(iam: Simulating, *actions: str, settings: EndpointSettings | None = None) -> dict[str, SimulationResult]:
    plan = make_plan(
        Identity("123456789012", ANN, ANN, "aws"), "us-east-1", "arn:aws:iam::123456789012:role/R", settings or SETTINGS
    )
    found = Simulator(iam, ANN, plan).decide(NEED[one] for one in actions)  # type: ignore[arg-type]
    return {need.action: one for need, one in found.items()}


SETTINGS = EndpointSettings(name="digits")


@pytest.mark.parametrize(
    ("result", "answer", "layer", "words"),
    [
        (ALLOWED, Answer.ALLOWED, None, "simulated: allowed"),
        ({**ALLOWED, **BY}, Answer.ALLOWED, None, "simulated: allowed by team, base"),
        (IMPLICIT, Answer.DENIED, PolicyLayer.IDENTITY, "no identity-based policy allows it"),
        (
            {**EXPLICIT, **BY},
            Answer.DENIED,
            PolicyLayer.IDENTITY,
            "an explicit deny in an identity-based policy (team, base)",
        ),
        (
            {
                "EvalDecision": "implicitDeny",
                "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False},
            },
            Answer.DENIED,
            PolicyLayer.BOUNDARY,
            "no permissions boundary allows it",
        ),
        (
            {
                "EvalDecision": "implicitDeny",
                "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": True},
            },
            Answer.DENIED,
            PolicyLayer.IDENTITY,
            "no identity-based policy allows it",
        ),
        (
            {**EXPLICIT, "OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            Answer.DENIED,
            PolicyLayer.ORGANISATION,
            "an explicit deny in a service control policy",
        ),
        (
            {**IMPLICIT, "OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            Answer.UNKNOWN,
            None,
            "not allowed by the organisation, but the simulator cannot evaluate its policies",
        ),
        (
            {**IMPLICIT, "OrganizationsDecisionDetail": {"AllowedByOrganizations": True}},
            Answer.DENIED,
            PolicyLayer.IDENTITY,
            "no identity-based policy allows it",
        ),
        (
            {**IMPLICIT, "MissingContextValues": ["aws:SourceVpc", "aws:SourceIp"]},
            Answer.UNKNOWN,
            None,
            "a policy asks for aws:SourceVpc, aws:SourceIp, which only the real call carries",
        ),
        # a condition such as StringNotEquals holds where the key is missing, and so a Deny may apply here alone
        (
            {**EXPLICIT, "MissingContextValues": ["aws:SourceVpc"]},
            Answer.UNKNOWN,
            None,
            "SourceVpc",
        ),
        ({**ALLOWED, "MissingContextValues": ["aws:SourceVpc"]}, Answer.ALLOWED, None, "allowed"),
        (None, Answer.UNKNOWN, None, "the simulation says nothing about it"),
    ],
)
def test_every_field_of_a_result_counts(
    result: dict[str, Any] | None, answer: Answer, layer: PolicyLayer | None, words: str
) -> None:
    one = simulated(Simulating(lambda _action, _arn: result), "iam:PassRole")["iam:PassRole"]
    assert one.answer is answer
    assert (one.denial.layer if one.denial else None) is layer
    assert words in one.evidence
    explicit = result is not None and result["EvalDecision"] == "explicitDeny"
    assert one.implicit is (answer is Answer.DENIED and not explicit)


@pytest.mark.parametrize("kind", ["endpoint/", "endpoint-config/"])
@pytest.mark.parametrize("other", ["allowed", "unknown"])
def test_an_action_on_two_resources_needs_both(kind: str, other: str) -> None:
    """The refused one is named."""
    rest = ALLOWED if other == "allowed" else {**IMPLICIT, "MissingContextValues": ["aws:SourceIp"]}
    iam = Simulating(lambda _action, arn: IMPLICIT if f":{kind}" in arn else rest)
    one = simulated(iam, "sagemaker:CreateEndpoint")["sagemaker:CreateEndpoint"]
    assert one.answer is Answer.DENIED
    assert one.denial is not None
    assert f":{kind}digits" in one.denial.resource


def test_an_answer_in_several_pages_is_read_to_its_end() -> None:
    actions = ("sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:DeleteModel")
    iam = Simulating(lambda action, _arn: ALLOWED if action != actions[2] else IMPLICIT, 1)
    found = simulated(iam, *actions)
    assert [found[one].answer for one in actions] == [Answer.ALLOWED, Answer.ALLOWED, Answer.DENIED]
    assert len(iam.asked) == 3


def test_the_context_of_the_real_call_is_given_with_its_types() -> None:
    iam = Simulating(lambda _action, _arn: ALLOWED)
    simulated(iam, "iam:PassRole", "sagemaker:CreateEndpointConfig", "sagemaker:AddTags")
    serverless = dataclasses.replace(SETTINGS, serverless=True, memory_mb=1024, concurrency=3)
    simulated(iam, "sagemaker:CreateEndpointConfig", settings=serverless)
    found = [
        {one["ContextKeyName"]: (one["ContextKeyType"], one["ContextKeyValues"]) for one in given["ContextEntries"]}
        for given in iam.asked
    ]
    region = {"aws:RequestedRegion": ("string", ["us-east-1"])}
    tags = {**region, "aws:TagKeys": ("stringList", ["created-by"])}
    assert found == [
        {**region, "iam:PassedToService": ("string", ["sagemaker.amazonaws.com"])},
        {**region, "sagemaker:InstanceTypes": ("stringList", ["ml.t2.medium"])},
        tags,
        tags,
        tags,
        {
            **region,
            "sagemaker:ServerlessMemorySize": ("numeric", ["1024"]),
            "sagemaker:ServerlessMaxConcurrency": ("numeric", ["3"]),
        },
    ]
