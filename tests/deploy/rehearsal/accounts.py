"""A toy model in script mode, and boto3 clients of an emulator."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from convlens.deploy.rehearsal import Emulator

SCRIPT = """
import json

class Refused(Exception):
    status_code = 415
    message = "only JSON"

def model_fn(folder):
    with open(folder + "/model.npz", "rb") as stream:
        weights = stream.read()
    if len(weights) < 100:
        raise ValueError("the weights are cut short")
    print("loaded")
    return len(weights)

def input_fn(body, kind):
    if kind != "application/json":
        raise Refused()
    return json.loads(body)

def predict_fn(values, model):
    return {"sum": sum(values), "weights": model}

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET, KEY = "sagemaker-us-east-1-123456789012", "convlens/model.tar.gz"


def archive(weights: int = 200, script: str = SCRIPT) -> bytes:
    """Return a package's archive with a toy script and so many bytes of weights."""
    files = {"code/inference.py": script.encode(), "model.npz": bytes(weights), "model.safetensors": bytes(weights)}
    sums = {name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()}
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz", format=tarfile.USTAR_FORMAT) as stream:
        for name, content in {"manifest.json": json.dumps({"files": sums}).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            stream.addfile(member, io.BytesIO(content))
    return found.getvalue()


_SESSION = boto3.Session(region_name="us-east-1")  # one, because it keeps the service models it has read


class Clients:
    """Unmodified boto3 clients that go to an emulator, each made once; they send what they are given, unchecked."""

    def __init__(self, aws: Emulator) -> None:
        own = aws.account.credentials
        self._settings = {
            "region_name": aws.region,
            "endpoint_url": aws.url,
            "aws_access_key_id": own.access_key,
            "aws_secret_access_key": own.secret_key,
            "aws_session_token": own.session_token,
            "config": Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        }
        self._made: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _SESSION.client(name.replace("_", "-"), **self._settings)
        return self._made[name]


def upload(aws: Clients, body: bytes | None = None, key: str = KEY) -> str:
    """Make the bucket if needed, put an archive there, and return its URL."""
    aws.s3.create_bucket(Bucket=BUCKET)
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=archive() if body is None else body)
    return f"s3://{BUCKET}/{key}"


def model(
    aws: Clients, emulator: Emulator, name: str = "toy", url: str | None = None, **more: Any
) -> Mapping[str, Any]:
    """Create a model."""
    container = {"Image": IMAGE, "ModelDataUrl": url or f"s3://{BUCKET}/{KEY}"}
    role = emulator.account.role_arn
    return aws.sagemaker.create_model(
        **{"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": role, **more}
    )


def configuration(aws: Clients, name: str = "toy", kind: str = "ml.m5.large", **more: Any) -> Mapping[str, Any]:
    """Create an endpoint configuration for the model of the same name."""
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": kind}
    return aws.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **more)


def status(aws: Clients, name: str = "toy") -> str:
    """Ask for an endpoint's state."""
    return aws.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]


def settled(aws: Clients, name: str = "toy") -> Mapping[str, Any]:
    """Ask until an endpoint is in no transition."""
    while True:
        found = aws.sagemaker.describe_endpoint(EndpointName=name)
        if not found["EndpointStatus"].endswith("ing"):
            return found
