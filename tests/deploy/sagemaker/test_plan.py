"""Names, settings, images and policies, before any account is asked."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.stub import Stubber

from convlens.deploy.sagemaker.account import Identity, identify, role_of, trusts_sagemaker
from convlens.deploy.sagemaker.images import REGISTRIES, parsed_image, prebuilt_image
from convlens.deploy.sagemaker.journal import EntryState, Journal, JournalEntry
from convlens.deploy.sagemaker.permissions import CALLER, NEEDS, ROLE, applicable
from convlens.deploy.sagemaker.plan import (
    NO_ARCHIVE,
    Archive,
    DeploymentPlan,
    EndpointSettings,
    make_plan,
    parsed_tags,
)
from convlens.deploy.sagemaker.policies import least_policy
from convlens.deploy.sagemaker.source import read_archive
from convlens.errors import ArtifactError, ConfigurationError, DeploymentError

IDENTITY = Identity("123456789012", "arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ann", "aws")
ROLE_ARN = "arn:aws:iam::123456789012:role/service-role/Endpoint"


def plan(
    settings: EndpointSettings | None = None, archive: Archive = NO_ARCHIVE, region: str = "eu-west-1"
) -> DeploymentPlan:
    return make_plan(IDENTITY, region, ROLE_ARN, settings or EndpointSettings(), archive)


def test_names_change_with_what_they_name_and_with_nothing_else() -> None:
    one = plan()
    assert plan() == one
    other = plan(archive=Archive(b"", "1" * 64))
    assert other.model != one.model
    assert other.config != one.config
    assert other.key != one.key
    larger = plan(EndpointSettings(instance_types=("ml.m5.xlarge",)))
    assert larger.model == one.model
    assert larger.config != one.config
    tagged = plan(EndpointSettings(tags={"course": "vision"}))
    assert (tagged.model, tagged.config) == (one.model, one.config)


def sagemaker_model() -> ServiceModel:
    loader = create_loader()
    return ServiceModel(loader.load_service_model("sagemaker", "service-2"))


@pytest.mark.parametrize("name", ["a", "a" * 50, "convlens"])
def test_every_name_passes_the_patterns_of_botocores_model(name: str) -> None:
    import re

    shapes, made = sagemaker_model(), plan(EndpointSettings(name=name))
    for shape, value in {
        "ModelName": made.model,
        "EndpointConfigName": made.config,
        "EndpointName": made.endpoint,
        "Url": made.url,
        "ContainerImage": made.image.uri,
        "RoleArn": made.role,
    }.items():
        rules = shapes.shape_for(shape).metadata
        assert re.fullmatch(rules["pattern"], value), shape
        assert len(value) <= rules["max"], shape


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "Digits"}, "an endpoint's name has"),
        ({"instance_types": ("m5.large",)}, "an instance type is something such as"),
        ({"instance_types": ()}, "needs one at least"),
        ({"instances": 0}, "1 to 100"),
        ({"memory_mb": 1000}, "1024, 2048"),
        ({"concurrency": 201}, "1 to 200"),
        ({"bucket": "My_Bucket"}, "a bucket's name has"),
        ({"bucket": "192.168.1.1"}, "a bucket's name has"),
        ({"tags": {"aws:x": "y"}}, "a tag is KEY=VALUE"),
        ({"tags": {"x": "ä;"}}, "a tag is KEY=VALUE"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        EndpointSettings(**given)


def test_tags_are_read_from_text() -> None:
    assert parsed_tags(["a=b", "c=d=e", "f="]) == {"a": "b", "c": "d=e", "f": ""}
    with pytest.raises(ConfigurationError, match="a tag is KEY=VALUE, not 'a'"):
        parsed_tags(["a"])


def test_the_image_of_every_region_and_of_none() -> None:
    for region in REGISTRIES:
        image = prebuilt_image(region)
        assert image.prebuilt
        assert image.region == region
    assert prebuilt_image("cn-north-1").uri.startswith("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/")
    with pytest.raises(ConfigurationError, match=r"in mx-central-1 is not known; name .* with --image"):
        prebuilt_image("mx-central-1")
    own = parsed_image("123456789012.dkr.ecr.eu-west-1.amazonaws.com/digits:3")
    assert (own.prebuilt, own.repository, own.reference) == (False, "digits", "3")
    with pytest.raises(ConfigurationError, match="named by its address in Amazon ECR"):
        parsed_image("digits:3")


@pytest.mark.parametrize(
    ("session", "role"),
    [
        ("arn:aws:sts::123456789012:assumed-role/voclabs/user1=ann", "arn:aws:iam::123456789012:role/voclabs"),
        ("arn:aws-cn:sts::123456789012:assumed-role/R/s", "arn:aws-cn:iam::123456789012:role/R"),
        ("arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ann"),
    ],
)
def test_the_role_behind_a_session(session: str, role: str) -> None:
    assert role_of(session) == role


@pytest.mark.parametrize(
    ("statement", "trusts"),
    [
        ({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}, True),
        (
            {
                "Effect": "Allow",
                "Principal": {"Service": ["ec2.amazonaws.com", "sagemaker.amazonaws.com"]},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            },
            True,
        ),
        ({"Effect": "Deny", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}, False),
        ({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}, False),
        ({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:TagSession"}, False),
    ],
)
def test_trust(statement: dict[str, Any], trusts: bool) -> None:
    assert trusts_sagemaker({"Statement": [statement]}) is trusts
    assert trusts_sagemaker({"Statement": statement}) is trusts
    assert not trusts_sagemaker(None)


def test_every_action_is_one_of_a_client_of_boto3_or_known_not_to_be() -> None:
    """A misspelt action would be reported as denied for ever."""
    loader = create_loader()
    known = {"iam:PassRole", "s3:ListBucket"}  # permissions without a call of their name
    services = {"logs": "logs", "servicequotas": "service-quotas"}
    for need in NEEDS:
        service, name = need.action.split(":")
        if need.action in known:
            continue
        model = "sagemaker-runtime" if name == "InvokeEndpoint" else services.get(service, service)
        operations = loader.load_service_model(model, "service-2")["operations"]
        assert name in operations, need.action
    assert boto3.__version__


def test_every_resource_and_context_key_of_the_table_is_in_a_plan() -> None:
    made = plan()
    for need in NEEDS:
        assert set(need.resources) <= set(made.arns), need.action
        assert set(need.context) <= set(made.context), need.action


def test_a_need_that_does_not_apply_is_left_out() -> None:
    actions = {one.action for one in applicable({"bucket is new": False, "tags": False})}
    assert not {"s3:CreateBucket", "sagemaker:AddTags"} & actions
    assert len(applicable({"bucket is new": True, "tags": True})) == len(NEEDS)


def test_the_least_policy_passes_the_role_to_sagemaker_only_and_names_this_endpoint_only() -> None:
    caller = least_policy((one for one in NEEDS if one.who == CALLER), plan())
    passing = next(one for one in caller["Statement"] if "iam:PassRole" in one["Action"])
    assert passing["Action"] == ["iam:PassRole"]
    assert passing["Resource"] == ROLE_ARN
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    for document in (caller, least_policy((one for one in NEEDS if one.who == ROLE), plan())):
        assert len(json.dumps(document)) < 6144  # what IAM takes as a managed policy
        for statement in document["Statement"]:
            writes = [one for one in statement["Action"] if one.split(":")[1].startswith(("Create", "Put", "Delete"))]
            if (
                writes
                and writes != ["cloudwatch:PutMetricData"]
                and "ecr:GetAuthorizationToken" not in statement["Action"]
            ):
                assert statement["Resource"] != "*", writes


def test_a_journal_survives_and_goes_with_its_last_entry(tmp_path: Path) -> None:
    held = partial(Journal.held, tmp_path / "new", "123456789012", "eu-west-1", "digits")
    with held() as journal:
        journal.mark("model", "m", EntryState.INTENDED)
        journal.mark("model", "m", EntryState.MADE)
        journal.mark("endpoint", "digits", EntryState.INTENDED)
        with pytest.raises(DeploymentError, match=rf"process {os.getpid()} on .*, since .* is at work"), held():
            raise AssertionError
    with held() as again:
        assert again.entries == (
            JournalEntry("model", "m", EntryState.MADE),
            JournalEntry("endpoint", "digits", EntryState.INTENDED),
        )
        assert [one.kind for one in again.unsettled()] == ["endpoint", "model"]
        again.mark("model", "m", EntryState.SETTLED)
        again.forget("endpoint", "digits")
        assert again.unsettled() == []
        again.forget("model", "m")
    assert list((tmp_path / "new").iterdir()) == []  # no journal, and no lock


def test_another_endpoints_journal_is_free_and_so_is_one_whose_lock_file_was_left(tmp_path: Path) -> None:
    (tmp_path / "1-eu-west-1-digits.lock").write_text("process 1, long gone")
    with Journal.held(tmp_path, "1", "eu-west-1", "digits"), Journal.held(tmp_path, "1", "eu-west-1", "others"):
        assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_for_journals_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "1-eu-west-1-digits.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeploymentError, match="choose another place with --journals"):
        Journal.held(tmp_path, "1", "eu-west-1", "digits").__enter__()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"format": 2, "entries": []}', '{"format": 1, "entries": [{"kind": "x", "name": "y", "state": "z"}]}'],
)
def test_a_damaged_journal_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "journal.json"
    path.write_text(text)
    with pytest.raises(DeploymentError, match="is damaged"):
        Journal(path)


def test_a_model_and_its_archive_have_one_digest(digits_file: Path, archive: Path, tmp_path: Path) -> None:
    packed, made = read_archive(archive), read_archive(digits_file)
    assert packed == made
    assert packed.digest == made.digest
    damaged = tmp_path / "model.tar.gz"
    damaged.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(ArtifactError):
        read_archive(damaged)


def test_a_region_without_an_image_needs_one() -> None:
    with pytest.raises(ConfigurationError, match="--image"):
        plan(region="mx-central-1")
    uri = "123456789012.dkr.ecr.mx-central-1.amazonaws.com/digits:3"
    assert plan(dataclasses.replace(EndpointSettings(), image=uri), region="mx-central-1").image.uri == uri


@pytest.mark.parametrize("readable", [True, False])
def test_a_sessions_role_keeps_its_path_where_it_can_be_read(readable: bool) -> None:
    """A role of AWS's sign-in: its path is in no session's ARN."""
    name, account = "AWSReservedSSO_Student_0123456789abcdef", "123456789012"
    whole = f"arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/{name}"
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y", "region_name": "us-east-1"}
    made = {one: boto3.client(one, **keys) for one in ("sts", "iam")}
    with Stubber(made["sts"]) as sts, Stubber(made["iam"]) as iam:
        arn = f"arn:aws:sts::{account}:assumed-role/{name}/ann@example.org"
        sts.add_response("get_caller_identity", {"Account": account, "Arn": arn, "UserId": "AROA:ann"})
        if readable:
            role = {"Path": "/x/", "RoleName": name, "RoleId": "AROA0123456789ABCDEF", "CreateDate": datetime.now(UTC)}
            iam.add_response("get_role", {"Role": {**role, "Arn": whole}}, {"RoleName": name})
        else:
            iam.add_client_error("get_role", "AccessDenied", "Access Denied", 403)
        found = identify(made.__getitem__)  # type: ignore[arg-type]
    assert found.account == account
    assert found.principal == (whole if readable else f"arn:aws:iam::{account}:role/{name}")
