"""AWS's sentences about denied access."""

from __future__ import annotations

import pytest

from convlens.deploy.sagemaker.denial import Denial, PolicyLayer, parse_denial
from convlens.deploy.sagemaker.findings import remedy

ANN = "arn:aws:iam::123456789012:user/ann"
USER = f"User: {ANN} is not authorized to perform:"
ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole-20260101T000000"
SCP = "arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd"

# sentences as AWS's documentation and public reports have them
SENTENCES = [
    (
        f"{USER} sagemaker:CreateModel on resource: "
        "arn:aws:sagemaker:us-east-1:123456789012:model/m because no identity-based policy allows the "
        "sagemaker:CreateModel action",
        ("sagemaker:CreateModel", "arn:aws:sagemaker:us-east-1:123456789012:model/m", PolicyLayer.IDENTITY, False, ""),
    ),
    (
        f"{USER} iam:PassRole on resource: {ROLE} because no identity-based policy allows the iam:PassRole action",
        ("iam:PassRole", ROLE, PolicyLayer.IDENTITY, False, ""),
    ),
    (
        f"{USER} sagemaker:AddTags on resource: arn:x because no permissions boundary "
        "allows the sagemaker:AddTags action",
        ("sagemaker:AddTags", "arn:x", PolicyLayer.BOUNDARY, False, ""),
    ),
    (
        f"{USER} sagemaker:CreateEndpointConfig on resource: arn:x with an explicit deny in a service control policy",
        ("sagemaker:CreateEndpointConfig", "arn:x", PolicyLayer.ORGANISATION, True, ""),
    ),
    (
        f"{USER} iam:ListRoles on resource: arn:aws:iam::123456789012:role/* with an "
        f"explicit deny in a service control policy: {SCP}",
        ("iam:ListRoles", "arn:aws:iam::123456789012:role/*", PolicyLayer.ORGANISATION, True, SCP),
    ),
    (
        f'{USER} s3:GetObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy',
        ("s3:GetObject", "arn:aws:s3:::b/k", PolicyLayer.RESOURCE, True, ""),
    ),
    (
        f"{USER} s3:PutObject on resource: arn:y with an explicit deny in an identity-based policy",
        ("s3:PutObject", "arn:y", PolicyLayer.IDENTITY, True, ""),
    ),
    (
        f"{USER} s3:PutObject on resource: arn:y because no VPC endpoint policy allows the s3:PutObject action",
        ("s3:PutObject", "arn:y", PolicyLayer.VPC_ENDPOINT, False, ""),
    ),
    (
        f"{USER} s3:PutObject on resource: arn:y because no session policy allows the s3:PutObject action",
        ("s3:PutObject", "arn:y", PolicyLayer.SESSION, False, ""),
    ),
    (
        f"{USER} s3:PutObject on resource: arn:y with an explicit deny in a resource control policy",
        ("s3:PutObject", "arn:y", PolicyLayer.RESOURCE_CONTROL, True, ""),
    ),
    (
        f"{USER} sagemaker:CreateTrainingJob on resource: arn:z with an explicit deny",
        ("sagemaker:CreateTrainingJob", "arn:z", PolicyLayer.UNNAMED, True, ""),
    ),
    (
        f"{USER} iam:GetUser on resource: user ann because no identity-based policy allows the iam:GetUser action",
        ("iam:GetUser", "user ann", PolicyLayer.IDENTITY, False, ""),
    ),
    (
        f"{USER} sagemaker:InvokeEndpoint",
        ("sagemaker:InvokeEndpoint", "", PolicyLayer.UNNAMED, False, ""),
    ),
]


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES, ids=range(len(SENTENCES)))
def test_a_sentence_is_taken_apart(sentence: str, expected: tuple[object, ...]) -> None:
    found = parse_denial(sentence)
    assert (found.action, found.resource, found.layer, found.explicit, found.policy) == expected
    assert found.principal == ANN


def test_a_sentence_within_another_and_with_an_encoded_message() -> None:
    found = parse_denial(
        "You are not authorized to perform this operation. User: arn:aws:sts::1:assumed-role/R/me is not authorized to "
        "perform: ec2:RunInstances on resource: arn:aws:ec2:us-east-1:1:instance/* with an explicit deny in a service "
        "control policy. Encoded authorization failure message: XQ_jqde5rHje6j9P-qke7"
    )
    assert found.action == "ec2:RunInstances"
    assert (found.layer, found.explicit, found.policy) == (PolicyLayer.ORGANISATION, True, "")


@pytest.mark.parametrize("message", ["Access Denied", "", "Forbidden", "not authorized to perform: nothing"])
def test_what_says_nothing_names_the_action_that_was_asked_for(message: str) -> None:
    found = parse_denial(message, "s3:ListBucket")
    assert (found.action, found.layer, found.explicit) == ("s3:ListBucket", PolicyLayer.UNNAMED, False)


@pytest.mark.parametrize(
    ("layer", "explicit", "passing", "words"),
    [
        (
            PolicyLayer.IDENTITY,
            False,
            (),
            "an administrator can allow it with the policy for the caller that convlens sagemaker doctor prints",
        ),
        (
            PolicyLayer.IDENTITY,
            True,
            (),
            "an Allow does not help, because an explicit deny in an identity-based policy decides",
        ),
        (
            PolicyLayer.ORGANISATION,
            True,
            (),
            "an Allow does not help, because an explicit deny in a service control policy",
        ),
        (PolicyLayer.ORGANISATION, True, ("ml.m5.large",), "use --instance-type ml.m5.large"),
        (
            PolicyLayer.BOUNDARY,
            False,
            (),
            "an Allow for the caller alone does not help: the permissions boundary must allow it",
        ),
        (PolicyLayer.UNNAMED, False, (), "AWS does not say which policy decides"),
    ],
)
def test_an_allow_is_advised_only_where_one_is_missing(
    layer: PolicyLayer, explicit: bool, passing: tuple[str, ...], words: str
) -> None:
    found = remedy(Denial("sagemaker:CreateEndpointConfig", layer=layer, explicit=explicit), "caller", passing)
    assert found.startswith(words)
