"""The verbs of ``convlens sagemaker`` against an emulated account."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from convlens.cli.main import app
from convlens.errors import DeploymentError

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
