"""Requests and replies against botocore's own description of the services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

from convlens.deploy.rehearsal import Emulator, wire
from convlens.deploy.rehearsal.hosting import Hosting
from convlens.deploy.rehearsal.routing import routed

from .accounts import IMAGE, Clients, configuration, model, upload

OURS = {
    "sagemaker": (
        *(
            "CreateModel",
            "CreateEndpointConfig",
            "CreateEndpoint",
            "UpdateEndpoint",
            "DescribeModel",
            "DescribeEndpointConfig",
        ),
        *(
            "DescribeEndpoint",
            "ListModels",
            "ListEndpointConfigs",
            "ListEndpoints",
            "DeleteModel",
            "DeleteEndpointConfig",
        ),
        *("DeleteEndpoint", "AddTags", "ListTags", "DeleteTags"),
    ),
    "sagemaker-runtime": ("InvokeEndpoint",),
    "service-quotas": ("GetServiceQuota", "ListServiceQuotas"),
    "pricing": ("GetProducts",),
    "iam": ("SimulatePrincipalPolicy",),
}
CASES = [(service, operation) for service, names in OURS.items() for operation in names]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator("open") as found:
        yield found


@pytest.fixture(scope="module")
def aws(emulator: Emulator) -> Clients:
    return Clients(emulator)


def test_the_table_names_every_operation_of_the_control_plane(emulator: Emulator) -> None:
    hosting: Hosting = emulator.hosting
    assert set(hosting.operations) == set(OURS["sagemaker"])


def shapes(shape: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Return every shape within a shape, by name."""
    if shape is None or shape.name in known:
        return known
    known[shape.name] = shape
    inner = {
        "structure": lambda: shape.members.values(),
        "list": lambda: [shape.member],
        "map": lambda: [shape.key, shape.value],
    }
    for one in inner.get(shape.type_name, list)():
        shapes(one, known)
    return known


@pytest.mark.parametrize(("service", "operation"), CASES)
def test_every_pattern_can_be_checked(service: str, operation: str) -> None:
    found = wire.service(service).operation_model(operation)
    for one in shapes(found.output_shape, shapes(found.input_shape, {})).values():
        if "pattern" in one.metadata:
            assert isinstance(wire.pattern(one.metadata["pattern"]), re.Pattern)


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Return values of a shape as a handler could return them; required members, and some others."""
    kind, metadata = shape.type_name, shape.metadata
    if kind == "structure":
        wanted = {name: one for name, one in shape.members.items() if name in shape.required_members}
        others = {} if depth > 0 else {name: one for name, one in shape.members.items() if name not in wanted}
        return st.fixed_dictionaries(
            {name: values(one, depth + 1) for name, one in wanted.items()},
            optional={name: values(one, depth + 1) for name, one in others.items()},
        )
    if kind == "list":
        return st.lists(
            values(shape.member, depth + 1), min_size=metadata.get("min", 0), max_size=metadata.get("min", 0) + 1
        )
    if kind == "map":
        return st.just({})
    if kind == "timestamp":
        return st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
            lambda at: at.replace(microsecond=0, tzinfo=UTC)
        )
    if kind == "blob":
        return st.binary(min_size=1, max_size=20)
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "long"):
        return st.integers(metadata.get("min", 0), min(metadata.get("max", 1000), 1000))
    if kind in ("float", "double"):
        return st.floats(max(metadata.get("min", 0), 0), 100, width=16)
    if "enum" in metadata:
        return st.sampled_from(metadata["enum"])
    if "pattern" in metadata:
        longest = metadata.get("max", 200)
        return st.from_regex(
            wire.pattern(metadata["pattern"]),
            fullmatch=True,
            alphabet=st.characters(codec="ascii", categories=["L", "N"], include_characters="-/.:; "),
        ).filter(lambda text: metadata.get("min", 0) <= len(text) <= longest)
    return st.text(
        st.characters(codec="ascii", categories=["L", "N"]), min_size=max(1, metadata.get("min", 0)), max_size=30
    )


SIMPLE = [
    one
    for one in CASES
    if one[1]
    in (
        "DescribeEndpoint",
        "ListTags",
        "GetServiceQuota",
        "GetProducts",
        "SimulatePrincipalPolicy",
        "ListEndpoints",
    )
]


@pytest.mark.parametrize(("service", "operation"), SIMPLE)
@settings(max_examples=10)
@given(data=st.data())
def test_a_reply_is_read_by_botocore_as_it_was_given(service: str, operation: str, data: st.DataObject) -> None:
    found = wire.service(service).operation_model(operation)
    reply = data.draw(values(found.output_shape))
    assert without_empty(read_back(found, reply)) == without_empty(reply)


def test_an_answer_of_a_model_comes_back_with_its_own_content_type() -> None:
    found = wire.service("sagemaker-runtime").operation_model("InvokeEndpoint")
    reply = {"Body": b"\x93NUMPY", "ContentType": "application/x-npy", "InvokedProductionVariant": "AllTraffic"}
    parsed = read_back(found, reply)
    assert {**parsed, "Body": parsed["Body"].read()} == reply


def read_back(found: Any, reply: dict[str, Any]) -> dict[str, Any]:
    """Return a reply as botocore reads it from what goes over the wire."""
    parsed = wire.read_by_botocore(found, wire.written(found, reply, "an-id"))
    assert parsed.pop("ResponseMetadata")["RequestId"] == "an-id"
    return parsed


def without_empty(value: Any) -> Any:
    """Leave out empty lists and structures, which the query protocol cannot tell from absent ones."""
    if isinstance(value, dict):
        kept = {key: without_empty(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one not in ({}, [])}
    return [without_empty(one) for one in value] if isinstance(value, list) else value


HOSTILE = [
    (
        {"ModelName": "under_score"},
        "at 'modelName' failed to satisfy constraint: Member must satisfy regular expression",
    ),
    ({"ModelName": "x" * 64}, "Member must have length less than or equal to 63"),
    ({"ModelName": ""}, "failed to satisfy constraint"),
    ({}, 'Missing required parameter in input: "ModelName"'),
    ({"ModelName": 5}, "Invalid type for parameter ModelName"),
]


@pytest.mark.parametrize(("given_members", "words"), HOSTILE)
def test_a_request_that_breaks_its_shape_is_refused(aws: Clients, given_members: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words) as found:
        aws.sagemaker.create_model(**given_members)
    assert found.value.response["Error"]["Code"] == "ValidationException"
    assert found.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_enumeration_is_checked(aws: Clients, emulator: Emulator) -> None:
    upload(aws)
    model(aws, emulator)
    with pytest.raises(ClientError, match="Member must satisfy enum value set"):
        configuration(aws, kind="ml.m5.enormous")


def test_a_reply_that_breaks_its_shape_is_the_emulators_fault() -> None:
    found = wire.service("sagemaker").operation_model("CreateModel")
    with pytest.raises(wire.AwsError, match="breaks its shape") as error:
        wire.written(found, {"ModelArn": "not an ARN"}, "an-id")
    assert (error.value.code, error.value.status) == ("InternalFailure", 500)


def test_a_reply_of_moto_s_that_breaks_its_shape_is_found() -> None:
    found = wire.service("sts").operation_model("GetCallerIdentity")
    body = "<Response><GetCallerIdentityResult><Arn>{}</Arn></GetCallerIdentityResult></Response>"
    assert not wire.violations_of_reply(found, HttpResponse(body.format("arn:aws:iam::123456789012:user/student")))
    assert "valid min length: 20" in str(wire.violations_of_reply(found, HttpResponse(body.format("arn"))))
    assert not wire.violations_of_reply(found, HttpResponse("<ErrorResponse/>", 403))  # a refusal has no shape


def test_a_handler_that_fails_is_seen(aws: Clients, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator.hosting, "operations", {"ListModels": lambda given: 1 / 0})
    with pytest.raises(ClientError, match="the emulator failed: ZeroDivisionError"):
        aws.sagemaker.list_models()
    assert "ZeroDivisionError" in emulator.faults.pop()


def signed(scope: str, **given_parts: Any) -> HttpRequest:
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/{scope}/aws4_request, Signature=0"}
    headers |= given_parts.pop("headers", {})
    return HttpRequest(EnvironBuilder(headers=headers, **given_parts).get_environ())


ROUTES = [
    ("sagemaker", {"method": "POST", "headers": {"X-Amz-Target": "SageMaker.CreateModel"}}, "CreateModel", {}),
    ("sagemaker", {"method": "POST", "path": "/endpoints/toy/invocations"}, "InvokeEndpoint", {"EndpointName": "toy"}),
    ("iam", {"method": "POST", "data": {"Action": "GetRole", "Version": "2010-05-08"}}, "GetRole", {}),
    ("s3", {"method": "PUT", "path": "/mine/a/b"}, "PutObject", {"Bucket": "mine", "Key": "a/b"}),
    ("s3", {"method": "GET", "path": "/mine", "query_string": "location"}, "GetBucketLocation", {"Bucket": "mine"}),
]


@pytest.mark.parametrize(("scope", "parts", "operation", "in_path"), ROUTES)
def test_requests_are_routed_by_their_signatures(
    scope: str, parts: dict[str, Any], operation: str, in_path: dict[str, str]
) -> None:
    found = routed(signed(scope, **parts))
    assert (found.service, found.name, found.in_path) == (scope, operation, in_path)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (HttpRequest(EnvironBuilder().get_environ()), "MissingAuthenticationToken"),
        (signed("ec2"), "UnknownOperationException"),
        (
            signed("sagemaker", method="POST", headers={"X-Amz-Target": "SageMaker.CreateNothing"}),
            "UnknownOperationException",
        ),
    ],
)
def test_what_cannot_be_routed_is_refused(request_: HttpRequest, code: str) -> None:
    with pytest.raises(wire.AwsError) as error:
        routed(request_)
    assert error.value.code == code


def test_binary_objects_pass_the_check_of_moto_s_replies(aws: Clients) -> None:
    aws.s3.create_bucket(Bucket="sagemaker-binary")
    aws.s3.put_object(Bucket="sagemaker-binary", Key="one", Body=b"\x93\xff")
    assert aws.s3.get_object(Bucket="sagemaker-binary", Key="one")["Body"].read() == b"\x93\xff"


def test_a_strangers_key_is_refused(emulator: Emulator) -> None:
    stranger = Clients(emulator)
    stranger._settings["aws_access_key_id"] = "AKIASTRANGER"
    for call in (stranger.sagemaker.list_models, stranger.s3.list_buckets, stranger.iam.list_roles):
        with pytest.raises(ClientError) as found:
            call()
        assert found.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_tags_are_kept_and_lists_filtered(aws: Clients, emulator: Emulator) -> None:
    upload(aws)
    made = model(aws, emulator, "tagged", Tags=[{"Key": "a", "Value": "b"}])
    aws.sagemaker.add_tags(ResourceArn=made["ModelArn"], Tags=[{"Key": "c", "Value": "d"}])
    aws.sagemaker.delete_tags(ResourceArn=made["ModelArn"], TagKeys=["a"])
    assert aws.sagemaker.list_tags(ResourceArn=made["ModelArn"])["Tags"] == [{"Key": "c", "Value": "d"}]
    assert [one["ModelName"] for one in aws.sagemaker.list_models(NameContains="agg")["Models"]] == ["tagged"]
    described = aws.sagemaker.describe_model(ModelName="tagged")
    assert described["PrimaryContainer"]["Image"] == IMAGE
    assert "Tags" not in described
