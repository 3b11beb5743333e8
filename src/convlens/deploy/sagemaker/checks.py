"""What is asked of AWS beforehand, besides permissions: trust, bucket, image, quota. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .account import Role, trusting_statements
from .clients import Clients, ask
from .denial import PolicyLayer
from .findings import Answer, Finding
from .plan import DeploymentPlan, log_group
from .refusal import AwsRefusal

QUOTA_PAGES = 100  # SageMaker has some thousands of quotas; a page holds 100


def check_trust(role: Role) -> Finding:
    """Return whether SageMaker may assume the role, as the role's trust policy says."""
    if role.trust is None:
        return Finding(
            "sts:AssumeRole", role.arn, "role", Answer.UNKNOWN, "the role's trust policy cannot be read (iam:GetRole)"
        )
    statements = list(trusting_statements(role.trust))
    if not statements:
        return Finding(
            "sts:AssumeRole",
            role.arn,
            "role",
            Answer.DENIED,
            "no statement of the role's trust policy allows it for sagemaker.amazonaws.com",
            PolicyLayer.TRUST,
            advice="an administrator can give the role the trust policy that convlens sagemaker doctor prints; or name "
            "another with --role",
        )
    if all(one.get("Condition") for one in statements):
        return Finding("sts:AssumeRole", role.arn, "role", Answer.UNKNOWN, "the role's trust policy has conditions")
    return Finding("sts:AssumeRole", role.arn, "role", Answer.ALLOWED, "the role's trust policy says so")


def look_at_bucket(clients: Clients, plan: DeploymentPlan) -> tuple[AwsRefusal | None, str]:
    """Return the refusal of s3:HeadBucket, or None, and the bucket's region, which may be empty."""
    reply = ask(clients("s3").head_bucket, Bucket=plan.bucket, ExpectedBucketOwner=plan.identity.account)
    if isinstance(reply, AwsRefusal):
        return reply, ""
    headers = reply["ResponseMetadata"].get("HTTPHeaders", {})
    return None, str(reply.get("BucketRegion") or headers.get("x-amz-bucket-region", ""))


def check_bucket(plan: DeploymentPlan, refusal: AwsRefusal | None, region: str, *, listing: Answer) -> Finding:
    """Return whether the bucket can be used; `listing` says whether s3:ListBucket is allowed."""
    if refusal is None:
        return _existing_bucket(plan, region)
    if refusal.missing:
        return Finding("bucket", plan.bucket, "caller", Answer.ALLOWED, "it does not exist yet, and will be made")
    if refusal.status == 301 or "PermanentRedirect" in refusal.code:
        return _existing_bucket(plan, "another region")
    if listing is Answer.ALLOWED:
        evidence = f"it belongs to another account ({refusal.code})"
        advice = "name another bucket with --bucket"
        return Finding("bucket", plan.bucket, "caller", Answer.DENIED, evidence, PolicyLayer.RESOURCE, advice=advice)
    evidence = "it cannot be seen without s3:ListBucket"
    return Finding("bucket", plan.bucket, "caller", Answer.UNKNOWN, evidence, optional=listing is Answer.DENIED)


def _existing_bucket(plan: DeploymentPlan, region: str) -> Finding:
    if region and region != plan.region:
        evidence, advice = f"it is in {region}, not in {plan.region}", "name a bucket of this region with --bucket"
        return Finding("bucket", plan.bucket, "caller", Answer.DENIED, evidence, advice=advice)
    return Finding("bucket", plan.bucket, "caller", Answer.ALLOWED, "it exists, and is this account's")


def check_image(clients: Clients, plan: DeploymentPlan) -> Finding:
    """Return whether the image exists: AWS's own by the table, another by asking ECR."""
    image = plan.image
    if image.region != plan.region:
        evidence = f"it is in {image.region}, and the endpoint would be in {plan.region}"
        advice = "name an image of this region with --image"
        return Finding("image", image.uri, "role", Answer.DENIED, evidence, advice=advice)
    if image.prebuilt:
        return Finding("image", image.uri, "role", Answer.ALLOWED, "AWS publishes it, as its documentation says")
    which = {"imageDigest" if image.reference.startswith("sha256:") else "imageTag": image.reference}
    reply = ask(
        clients("ecr").batch_get_image,
        registryId=image.account,
        repositoryName=image.repository,
        imageIds=[which],
    )
    if isinstance(reply, AwsRefusal):
        if reply.missing or "NotFound" in reply.code:
            return _no_image(image.uri, reply.message)
        return Finding("image", image.uri, "role", Answer.UNKNOWN, f"it cannot be seen: {reply}")
    if not reply.get("images"):
        return _no_image(image.uri, "the repository has no such image")
    return Finding("image", image.uri, "role", Answer.ALLOWED, "its registry has it")


def _no_image(uri: str, evidence: str) -> Finding:
    return Finding("image", uri, "role", Answer.DENIED, evidence, advice="push the image, or name another with --image")


def check_quota(clients: Clients, plan: DeploymentPlan) -> tuple[Finding, AwsRefusal | None]:
    """Return whether the quota has room for the instances, and the refusal where it cannot be read."""
    name, wanted = f"{plan.instance_type} for endpoint usage", plan.settings.instances
    if plan.settings.serverless:
        name, wanted = (
            "Maximum total concurrency that can be allocated across all serverless endpoints",
            plan.settings.concurrency,
        )
    value = ask(_quota, clients=clients, name=name)
    if isinstance(value, AwsRefusal):
        evidence = f"it cannot be read: {value.denial.decides if value.denied else value}"
        return Finding("quota", name, "caller", Answer.UNKNOWN, evidence, optional=True), value
    if value is None:
        return Finding("quota", name, "caller", Answer.UNKNOWN, "AWS lists no such quota", optional=True), None
    if value < wanted:
        advice = f"ask for more under Service Quotas, “{name}”, or use another --instance-type, or --serverless"
        evidence = f"the quota is {value:g}, and {wanted} is wanted"
        return Finding("quota", name, "caller", Answer.DENIED, evidence, PolicyLayer.QUOTA, advice=advice), None
    return Finding("quota", name, "caller", Answer.ALLOWED, f"the quota is {value:g}; others may be using it"), None


def _quota(clients: Clients, name: str) -> float | None:
    """Return the value of a quota by its name: codes are nowhere documented as lasting."""
    pages = clients("service-quotas").get_paginator("list_service_quotas")
    for page in pages.paginate(
        ServiceCode="sagemaker", PaginationConfig={"PageSize": 100, "MaxItems": 100 * QUOTA_PAGES}
    ):
        for one in page["Quotas"]:
            if one["QuotaName"] == name:
                return float(one["Value"])
    return None


Observed = dict[str, AwsRefusal | None]
"""By action, the refusal of a call that reads, or None if it worked: also if what it asks about does not exist."""


def observe(clients: Clients, plan: DeploymentPlan) -> Observed:
    """Make every call of the plan that only reads, about things that need not exist; return how each went."""
    sagemaker = clients("sagemaker")
    calls: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "sagemaker:DescribeModel": (sagemaker.describe_model, {"ModelName": plan.model}),
        "sagemaker:DescribeEndpointConfig": (
            sagemaker.describe_endpoint_config,
            {"EndpointConfigName": plan.config},
        ),
        "sagemaker:DescribeEndpoint": (sagemaker.describe_endpoint, {"EndpointName": plan.endpoint}),
        "sagemaker:ListEndpoints": (sagemaker.list_endpoints, {"MaxResults": 1}),
        "logs:FilterLogEvents": (
            clients("logs").filter_log_events,
            {"logGroupName": log_group(plan.endpoint), "limit": 1},
        ),
    }
    found: Observed = {}
    for action, (call, arguments) in calls.items():
        reply = ask(call, **arguments)
        if not isinstance(reply, AwsRefusal) or reply.missing:
            found[action] = None
        elif reply.denied:
            found[action] = reply
    return found
