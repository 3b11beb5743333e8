"""The emulator's endpoints, as boto3 sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from convlens.deploy.rehearsal import Emulator

from .accounts import Clients, archive, configuration, model, settled, status, upload


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator("open") as found:
        yield found
    assert not found.faults


@pytest.fixture(scope="module")
def aws(emulator: Emulator) -> Clients:
    return Clients(emulator)


def invoked(aws: Clients, body: str, name: str = "toy") -> dict:
    found = aws.sagemaker_runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
    assert found["ContentType"] == "application/json"
    assert found["InvokedProductionVariant"] == "AllTraffic"
    return json.loads(found["Body"].read())


def test_an_endpoint_comes_up_answers_is_updated_and_leaves_nothing(emulator: Emulator, aws: Clients) -> None:
    assert aws.sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/student"
    upload(aws)
    made = model(aws, emulator)
    assert made["ModelArn"] == "arn:aws:sagemaker:us-east-1:123456789012:model/toy"
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert len(made["ResponseMetadata"]["RequestId"]) == 36
    configuration(aws)
    aws.sagemaker.create_endpoint(EndpointName="toy", EndpointConfigName="toy")
    assert status(aws) == "Creating"
    found = settled(aws)
    assert found["EndpointStatus"] == "InService"
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert invoked(aws, "[1, 2]") == {"sum": 3, "weights": 200}

    url = upload(aws, archive(300), "convlens/other.tar.gz")
    model(aws, emulator, "larger", url)
    configuration(aws, "larger")
    aws.sagemaker.update_endpoint(EndpointName="toy", EndpointConfigName="larger")
    assert status(aws) == "Updating"
    assert invoked(aws, "[1]") == {"sum": 1, "weights": 200}  # the old one serves until the new one does
    assert settled(aws)["EndpointConfigName"] == "larger"
    assert invoked(aws, "[1]") == {"sum": 1, "weights": 300}

    aws.sagemaker.delete_endpoint(EndpointName="toy")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        settled(aws)
    for name in ("toy", "larger"):
        aws.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        aws.sagemaker.delete_model(ModelName=name)
    aws.s3.delete_object(Bucket="sagemaker-us-east-1-123456789012", Key="convlens/model.tar.gz")
    aws.s3.delete_object(Bucket="sagemaker-us-east-1-123456789012", Key="convlens/other.tar.gz")
    assert emulator.left == []
    states = [one.status for one in emulator.changes]
    assert states == ["Creating", "InService", "Updating", "InService", "Deleting", "Deleted"]
