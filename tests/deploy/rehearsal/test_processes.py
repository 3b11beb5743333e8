"""Other processes: plain boto3 that knows only an address, and servers that do not outlive their emulator."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from convlens.deploy.rehearsal import Emulator
from convlens.deploy.rehearsal.container import Container, Definition
from convlens.nn import Model

from .accounts import IMAGE, SCRIPT
from .accounts import archive as toy_archive

PLAIN = """
import io, json, sys
import boto3, numpy as np

archive, png, role, image = sys.argv[1:]
bucket = "sagemaker-us-east-1-" + boto3.client("sts").get_caller_identity()["Account"]
s3, sagemaker, runtime = (boto3.client(name) for name in ("s3", "sagemaker", "sagemaker-runtime"))
s3.create_bucket(Bucket=bucket)
s3.upload_file(archive, bucket, "plain/model.tar.gz")
container = {"Image": image, "ModelDataUrl": f"s3://{bucket}/plain/model.tar.gz"}
replies = [sagemaker.create_model(ModelName="plain", PrimaryContainer=container, ExecutionRoleArn=role)]
variant = {"VariantName": "AllTraffic", "ModelName": "plain", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
for name, count in (("one", 1), ("two", 2)):
    variants = [{**variant, "InitialInstanceCount": count}]
    replies.append(sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants))
waiting = {"EndpointName": "plain", "WaiterConfig": {"Delay": 0, "MaxAttempts": 100}}
replies.append(sagemaker.create_endpoint(EndpointName="plain", EndpointConfigName="one"))
sagemaker.get_waiter("endpoint_in_service").wait(**waiting)

images = np.load(sys.stdin.buffer)
body = io.BytesIO()
np.save(body, images)

def asked(kind, body, accept):
    reply = runtime.invoke_endpoint(EndpointName="plain", ContentType=kind, Body=body, Accept=accept)
    assert reply["ContentType"] == accept
    return reply["Body"].read()

found = {
    "npy": np.load(io.BytesIO(asked("application/x-npy", body.getvalue(), "application/x-npy"))).tolist(),
    "json": asked("application/json", json.dumps({"instances": images.tolist()}), "application/json").decode(),
    "png": asked("image/png", open(png, "rb").read(), "application/json").decode(),
}
replies.append(sagemaker.update_endpoint(EndpointName="plain", EndpointConfigName="two"))
sagemaker.get_waiter("endpoint_in_service").wait(**waiting)
assert sagemaker.describe_endpoint(EndpointName="plain")["EndpointConfigName"] == "two"
sagemaker.delete_endpoint(EndpointName="plain")
sagemaker.get_waiter("endpoint_deleted").wait(**waiting)
for name in ("one", "two"):
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
sagemaker.delete_model(ModelName="plain")
s3.delete_object(Bucket=bucket, Key="plain/model.tar.gz")
assert all(len(one["ResponseMetadata"]["RequestId"]) == 36 for one in replies)
json.dump(found, sys.stdout)
"""


def test_plain_boto3_in_another_process_gets_the_models_own_predictions(
    digits: Model, archive: Path, tmp_path: Path
) -> None:
    from PIL import Image

    images = np.random.default_rng(1).integers(0, 256, (5, 28, 28, 1), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    Image.fromarray(images[0, ..., 0]).save(tmp_path / "one.png")
    with Emulator("open") as emulator, (tmp_path / "images.npy").open("rb") as stdin:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        arguments = [str(archive), str(tmp_path / "one.png"), emulator.account.role_arn, IMAGE]
        command = [sys.executable, "-I", "-c", PLAIN, *arguments]
        done = subprocess.run(
            command, env=kept | emulator.environment, stdin=stdin, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        assert emulator.left == []
        assert not emulator.faults
        assert len(emulator.called("sagemaker:UpdateEndpoint")) == 1
    found, wanted = json.loads(done.stdout), digits.predict_proba(images)
    np.testing.assert_allclose(found["npy"], wanted, atol=1e-5)
    for name, rows in (("json", wanted), ("png", wanted[:1])):
        got = [list(one["probabilities"].values()) for one in json.loads(found[name])["predictions"]]
        np.testing.assert_allclose(got, rows, atol=1e-5)


HOLDER = """
import os, sys
sys.path[:0] = [sys.argv[2]]
from convlens.deploy.rehearsal.container import Container, Definition
held = Container(Definition("sagemaker-scikit-learn", open(sys.argv[1], "rb").read(), {}))
assert held.healthy()
print(held.port, flush=True)
sys.stdin.read()
"""


def _answers(port: int) -> bool:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_ends_with_the_process_that_started_it(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(toy_archive())
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "model.tar.gz"), os.pathsep.join(sys.path)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # what a killed process leaves goes with the test
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        assert _answers(port)
        holder.send_signal(number)
    until = time.monotonic() + 60
    while _answers(port):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_container_leaves_no_process_and_no_file() -> None:
    one = Container(Definition(IMAGE, toy_archive(), {"SAGEMAKER_PROGRAM": "inference.py"}))
    assert one.healthy()
    assert "loaded" in one.log()
    one.stop()
    assert not _answers(one.port)
    assert one.log() == []
    missing = Container(Definition(IMAGE, toy_archive(script=SCRIPT.replace("def model_fn", "def other")), {}))
    assert not missing.healthy()
    assert any("model_fn" in line for line in missing.log())
    missing.stop()


@pytest.mark.slow
def test_an_image_of_ones_own_runs_the_server_of_convlens(digits: Model, archive: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    body = io.BytesIO()
    np.save(body, images)
    one = Container(Definition("123456789012.dkr.ecr.us-east-1.amazonaws.com/convlens:1", archive.read_bytes(), {}))
    try:
        assert one.healthy(), one.log()
        kinds = {"Content-Type": "application/x-npy", "Accept": "application/x-npy"}
        answer = one.invoke(body.getvalue(), kinds)
        assert (answer.status, answer.content_type) == (200, "application/x-npy"), answer
        found = np.load(io.BytesIO(answer.body))
        assert found.shape == (3, 10)
        assert found.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    finally:
        one.stop()
    assert not _answers(one.port)
