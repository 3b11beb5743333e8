"""The verbs of ``convlens sagemaker`` against an emulated account."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from convlens.cli.main import app
from convlens.deploy.sagemaker.clients import Clients
from convlens.errors import ConfigurationError, DeploymentError

from .conftest import FULL, Accounts

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("convlens.deploy.sagemaker.waiting.POLL_SECONDS", 0.0)


def test_the_verbs_in_their_order(accounts: Accounts, digits_file: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros((28, 28), np.uint8))
    with accounts(FULL):
        found = run(app, ["sagemaker", "doctor", str(digits_file), "--name", "digits", "--json"])
        assert found.exit_code == 0
        assert json.loads(found.stdout)["verdict"] == "go"
        planned = run(app, ["sagemaker", "deploy", str(digits_file), "--name", "digits", "--dry-run"])
        assert planned.exit_code == 0
        assert "1 USD an hour" in planned.stdout
        done = run(app, ["sagemaker", "deploy", str(digits_file), "--name", "digits", "--json"])
        assert done.exit_code == 0
        assert json.loads(done.stdout)["action"] == "created"
        assert list((tmp_path / "out/sagemaker").iterdir())
        assert "digits: InService" in run(app, ["sagemaker", "status"]).stdout
        assert json.loads(run(app, ["sagemaker", "status", "digits", "--json"]).stdout)["state"] == "InService"
        answer = run(app, ["sagemaker", "invoke", "digits", "one.npy"])
        assert len(json.loads(answer.stdout)["predictions"]) == 1
        assert "/ping" in run(app, ["sagemaker", "logs", "digits"]).stdout
        removed = run(app, ["sagemaker", "destroy", "digits"])
        assert removed.exit_code == 0
        assert "removed: endpoint digits" in removed.stdout.replace("\n", " ")


def test_the_doctor_names_what_decides_and_exits_with_the_verdict(accounts: Accounts) -> None:
    with accounts("no-passrole"):
        found = run(app, ["sagemaker", "doctor"], env={"COLUMNS": "200"})
    assert found.exit_code == 4
    assert "verdict: no-go" in found.stdout
    assert "iam:PassRole" in found.stdout
    assert "no identity-based policy allows it" in found.stdout
    with accounts("simulate-denied"):
        assert run(app, ["sagemaker", "doctor"]).exit_code == 5


def test_a_refused_deployment_is_one_line(accounts: Accounts, digits_file: Path) -> None:
    with accounts("no-passrole"):
        found = run(app, ["sagemaker", "deploy", str(digits_file)])
    assert isinstance(found.exception, DeploymentError)
    assert "nothing was made" in str(found.exception)


def test_no_region_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert "none is set; give --region" in str(run(app, ["sagemaker", "status"]).exception)
    assert "not 'here'" in str(run(app, ["sagemaker", "status", "--region", "here"]).exception)


def test_a_file_of_unknown_type_is_one_line(accounts: Accounts, tmp_path: Path) -> None:
    with accounts(FULL):
        found = run(app, ["sagemaker", "invoke", "digits", "one.jpgg"])
    assert "did you mean '.jpg'?" in str(found.exception)


class _NotAws(BaseHTTPRequestHandler):
    """Answers everything with a page, as a proxy does that wants a password."""

    def do_POST(self) -> None:
        body = b"<html><p>sign in<br></html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def _signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")


@pytest.mark.usefixtures("_signed_in")
def test_the_region_of_the_environment_is_taken_which_boto3_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert Clients().region == "eu-west-1"
    assert Clients(region="us-west-2").region == "us-west-2"


@pytest.mark.usefixtures("_signed_in")
def test_an_address_that_is_not_aws_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not an address")
    assert "AWS_ENDPOINT_URL takes an address" in str(run(app, ["sagemaker", "status"]).exception)
    with HTTPServer(("127.0.0.1", 0), _NotAws) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            found = run(app, ["sagemaker", "doctor"])
        finally:
            server.shutdown()
            thread.join()
    assert isinstance(found.exception, DeploymentError)
    assert "what answers is not AWS" in str(found.exception)


@pytest.mark.usefixtures("_signed_in")
@pytest.mark.parametrize("verb", ["deploy", "destroy", "logs"])
@pytest.mark.parametrize("minutes", ["nan", "-1", "inf"])
def test_minutes_that_are_no_time_are_one_line(
    monkeypatch: pytest.MonkeyPatch, digits_file: Path, verb: str, minutes: str
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    what = str(digits_file) if verb == "deploy" else "digits"
    found = run(app, ["sagemaker", verb, what, "--minutes", minutes])
    assert isinstance(found.exception, ConfigurationError)
    assert "0 or more" in str(found.exception)
