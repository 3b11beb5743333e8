"""States of an endpoint beyond the ordinary: rolled back, in progress, and models whose data cannot be read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from convlens.deploy.rehearsal import PROFILES, Clock, Emulator
from convlens.errors import ConfigurationError

from .accounts import BUCKET, KEY, SCRIPT, Clients, archive, configuration, model, settled, status, upload


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator("open", clock=Clock(step=0)) as found:
        yield found
    assert not found.faults


@pytest.fixture
def aws(emulator: Emulator) -> Clients:
    return Clients(emulator)


def in_service(aws: Clients, emulator: Emulator) -> None:
    upload(aws)
    model(aws, emulator)
    configuration(aws)
    aws.sagemaker.create_endpoint(EndpointName="toy", EndpointConfigName="toy")
    emulator.clock.advance(180)
    assert status(aws) == "InService"


def test_a_failed_update_goes_back_and_the_old_server_answers(emulator: Emulator, aws: Clients) -> None:
    in_service(aws, emulator)
    broken = SCRIPT.replace("len(weights) < 100", "True")
    model(aws, emulator, "broken", upload(aws, archive(script=broken), "convlens/broken.tar.gz"))
    configuration(aws, "broken")
    aws.sagemaker.update_endpoint(EndpointName="toy", EndpointConfigName="broken")
    emulator.clock.advance(240)
    found = aws.sagemaker.describe_endpoint(EndpointName="toy")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("RollingBack", "toy")
    emulator.clock.advance(120)
    found = aws.sagemaker.describe_endpoint(EndpointName="toy")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "toy")
    asked = {"EndpointName": "toy", "ContentType": "application/json"}
    assert json.loads(aws.sagemaker_runtime.invoke_endpoint(Body="[2, 3]", **asked)["Body"].read())["sum"] == 5


def test_nothing_happens_until_time_passes_and_nothing_else_meanwhile(emulator: Emulator, aws: Clients) -> None:
    upload(aws)
    model(aws, emulator)
    configuration(aws)
    aws.sagemaker.create_endpoint(EndpointName="toy", EndpointConfigName="toy")
    emulator.clock.advance(179)
    assert status(aws) == "Creating"
    for call in (aws.sagemaker.delete_endpoint, aws.sagemaker.update_endpoint):
        config = {"EndpointConfigName": "toy"} if call == aws.sagemaker.update_endpoint else {}
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            call(EndpointName="toy", **config)
    with pytest.raises(ClientError, match="Endpoint toy of account 123456789012 not found"):
        aws.sagemaker_runtime.invoke_endpoint(EndpointName="toy", Body=b"[1]")
    for kind in ("endpoint", "endpoint_config"):
        name = {"EndpointName": "toy", "EndpointConfigName": "toy"}
        with pytest.raises(ClientError, match="Cannot create already existing"):
            aws.sagemaker.create_endpoint(**name) if kind == "endpoint" else configuration(aws)
    emulator.clock.advance(1)
    assert status(aws) == "InService"


def test_an_error_of_the_model_comes_back_with_its_status_and_words(emulator: Emulator, aws: Clients) -> None:
    in_service(aws, emulator)
    for kind, status_code, words in (("text/csv", 415, "only JSON"), ("application/json", 500, "JSONDecodeError")):
        with pytest.raises(ClientError) as found:
            aws.sagemaker_runtime.invoke_endpoint(EndpointName="toy", ContentType=kind, Body=b"not JSON")
        reply = found.value.response
        assert reply["Error"]["Code"] == "ModelError"
        assert reply["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert reply["OriginalStatusCode"] == status_code
        assert words in reply["OriginalMessage"]
    events = aws.logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/toy")["events"]
    assert any("Traceback" in one["message"] for one in events)


def _forbid(emulator: Emulator) -> dict[str, Any]:
    statement = {
        "Effect": "Deny",
        "Action": "s3:GetObject",
        "Resource": "*",
        "Principal": {"AWS": emulator.account.role_arn},
    }
    return {"Bucket": BUCKET, "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


@pytest.mark.parametrize("cause", ["trust", "permission", "key", "bucket policy", "region"])
def test_model_data_that_cannot_be_read_is_one_sentence_for_every_cause(cause: str) -> None:
    profile = PROFILES["open"]
    if cause == "trust":
        trust = {
            "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        }
        profile = dataclasses.replace(profile, role=dataclasses.replace(profile.role, trust=trust))
    if cause == "permission":
        profile = profile.without(role_actions=["s3:GetObject"])
    everything = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
    profile = dataclasses.replace(profile, caller=dataclasses.replace(profile.caller, policy=everything))
    with Emulator(profile) as emulator:
        aws = Clients(emulator)
        if cause == "region":
            aws.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            aws.s3.put_object(Bucket=BUCKET, Key=KEY, Body=archive())
        else:
            upload(aws)
        if cause == "bucket policy":
            aws.s3.put_bucket_policy(**_forbid(emulator))
        url = f"s3://{BUCKET}/{'other' if cause == 'key' else KEY}"
        with pytest.raises(ClientError) as found:
            model(aws, emulator, url=url)
        error = found.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert error["Message"].startswith(f"Could not access model data at {url}. Please ensure that the role")
        assert emulator.hosting.left == []


def test_model_data_that_goes_away_fails_the_endpoint(emulator: Emulator, aws: Clients) -> None:
    upload(aws)
    model(aws, emulator)
    configuration(aws)
    aws.s3.delete_object(Bucket=BUCKET, Key=KEY)
    aws.sagemaker.create_endpoint(EndpointName="toy", EndpointConfigName="toy")
    emulator.clock.advance(180)
    found = aws.sagemaker.describe_endpoint(EndpointName="toy")
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"].startswith(f"Could not access model data at s3://{BUCKET}/{KEY}")


def test_an_archive_that_is_none_fails_the_endpoint(emulator: Emulator, aws: Clients) -> None:
    upload(aws, b"not an archive")
    model(aws, emulator)
    configuration(aws)
    aws.sagemaker.create_endpoint(EndpointName="toy", EndpointConfigName="toy")
    emulator.clock.advance(180)
    assert "damaged" in settled(aws)["FailureReason"]


def test_two_emulators_do_not_run_side_by_side(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="runs in this process already"), Emulator("open"):
        pass


@pytest.mark.parametrize("seconds", [-1, float("nan"), "1"])
def test_time_goes_forward(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="seconds from 0 up"):
        Clock().advance(seconds)
