"""The verbs of ``convlens sagemaker`` against an emulated account."""

from __future__ import annotations

import json
import socket
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


def _asked_of(answer: type[BaseHTTPRequestHandler], monkeypatch: pytest.MonkeyPatch, *command: str) -> DeploymentError:
    """Run a command against a server of one's own, and return its error."""
    with HTTPServer(("127.0.0.1", 0), answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            found = run(app, ["sagemaker", *command])
        finally:
            server.shutdown()
            thread.join()
    assert isinstance(found.exception, DeploymentError), found.exception
    return found.exception


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
    assert "what answers is not AWS" in str(_asked_of(_NotAws, monkeypatch, "doctor"))


def _refusing(code: str, status: int) -> type[BaseHTTPRequestHandler]:
    """Return a server that answers every call with one of AWS's errors."""

    class Refusing(_NotAws):
        def do_POST(self) -> None:
            body = f"<ErrorResponse><Error><Code>{code}</Code><Message>No.</Message></Error></ErrorResponse>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Refusing


@pytest.mark.usefixtures("_signed_in")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "they have expired: sign in again"),
        ("InvalidClientTokenId", "the account has enabled the region us-east-1"),
        ("SignatureDoesNotMatch", "this machine's clock"),
    ],
)
def test_credentials_that_aws_refuses_are_no_verdict(monkeypatch: pytest.MonkeyPatch, code: str, words: str) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for command in (("doctor",), ("destroy", "digits")):
        error = _asked_of(_refusing(code, 403), monkeypatch, *command)
        assert error.exit_code == 6
        assert words in str(error)
        assert code in str(error)


@pytest.mark.usefixtures("_signed_in")
@pytest.mark.parametrize(("code", "status"), [("InternalFailure", 500), ("Throttling", 400)])
def test_a_fault_of_aws_is_no_verdict(monkeypatch: pytest.MonkeyPatch, code: str, status: int) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr("convlens.deploy.sagemaker.clients.ATTEMPTS", 1)
    error = _asked_of(_refusing(code, status), monkeypatch, "doctor")
    assert error.exit_code == 6
    assert "AWS cannot answer now" in str(error)


@pytest.mark.usefixtures("_signed_in")
@pytest.mark.parametrize(
    ("region", "words"), [("us-east-1", "check the network"), ("us-eats-1", "did you mean 'us-east-1'?; give another")]
)
def test_nobody_who_answers_is_no_verdict(monkeypatch: pytest.MonkeyPatch, region: str, words: str) -> None:
    with socket.socket() as closed:  # nobody listens
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setattr("convlens.deploy.sagemaker.clients.ATTEMPTS", 1)
        found = run(app, ["sagemaker", "doctor", "--region", region])
    assert isinstance(found.exception, DeploymentError)
    assert found.exception.exit_code == 6
    assert words in str(found.exception)


def test_no_credentials_are_no_verdict(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    found = run(app, ["sagemaker", "doctor", "--region", "us-east-1"])
    assert isinstance(found.exception, DeploymentError)
    assert found.exception.exit_code == 6
    assert "run aws configure" in str(found.exception)
    (tmp_path / "config").write_text(
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = x\n"
        "[profile old]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
    )
    found = run(app, ["sagemaker", "doctor", "--region", "us-east-1", "--profile", "old"])  # nobody has signed in
    assert isinstance(found.exception, DeploymentError)
    assert found.exception.exit_code == 6
    assert "aws sso login" in str(found.exception)


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
