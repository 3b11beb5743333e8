"""Every permission that a deployment needs: one table, read by the doctor, the policies and the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CALLER, ROLE = "caller", "role"


@dataclass(frozen=True)
class Need:
    """A permission.

    Attributes
    ----------
    action
        As IAM names it.
    resources
        Names of entries of `Plan.arns`; the action is needed on each.
    who
        ``"caller"``, whose credentials deploy, or ``"role"``, as which the endpoint runs.
    why
        What it is needed for.
    context
        Names of condition keys, entries of `Plan.context`, that the request carries and a policy can ask for.
    without
        What is lost without it, if a deployment succeeds without it; empty if it does not.
    when
        Name of a property of the plan, or of the account, that it depends on; empty: always.
    """

    action: str
    resources: tuple[str, ...]
    who: str
    why: str
    context: tuple[str, ...] = ()
    without: str = ""
    when: str = ""

    @property
    def optional(self) -> bool:
        """Whether a deployment succeeds without it."""
        return bool(self.without)


_VARIANT = ("sagemaker:InstanceTypes", "sagemaker:ServerlessMemorySize", "sagemaker:ServerlessMaxConcurrency")

NEEDS = (
    Need("iam:GetRole", ("role",), CALLER, "finds the role, its path and its trust policy", without="trust unknown"),
    Need("iam:ListRoles", ("any",), CALLER, "finds a role by the beginning of its name", without="roles with a date in "
         "their name must be named"),
    Need("iam:PassRole", ("role",), CALLER, "hands the role to SageMaker", ("iam:PassedToService",)),
    Need("iam:SimulatePrincipalPolicy", ("caller", "role"), CALLER, "asks beforehand", without="much stays unknown"),
    Need("s3:CreateBucket", ("bucket",), CALLER, "makes the bucket", when="bucket is new"),
    Need("s3:ListBucket", ("bucket",), CALLER, "sees whether the bucket exists, and in which region"),
    Need("s3:PutObject", ("object",), CALLER, "uploads the archive"),
    Need("s3:GetObject", ("object",), CALLER, "sees whether the archive is there"),
    Need("s3:DeleteObject", ("object",), CALLER, "removes the archive"),
    Need("s3:DeleteBucket", ("bucket",), CALLER, "removes a bucket it made", without="an empty bucket stays"),
    Need("s3:GetBucketPolicy", ("bucket",), CALLER, "tells causes of a failure apart", without="one cause is not seen"),
    Need("sagemaker:CreateModel", ("model",), CALLER, "registers the archive as a model"),
    Need("sagemaker:DescribeModel", ("model",), CALLER, "sees whether the model exists"),
    Need("sagemaker:DeleteModel", ("model",), CALLER, "removes the model"),
    Need("sagemaker:CreateEndpointConfig", ("config",), CALLER, "chooses the machines", _VARIANT),
    Need("sagemaker:DescribeEndpointConfig", ("config",), CALLER, "sees whether the configuration exists"),
    Need("sagemaker:DeleteEndpointConfig", ("config",), CALLER, "removes the configuration"),
    Need("sagemaker:CreateEndpoint", ("endpoint", "config"), CALLER, "starts the endpoint"),
    Need("sagemaker:DescribeEndpoint", ("endpoint",), CALLER, "waits for the endpoint, and shows its state"),
    Need("sagemaker:UpdateEndpoint", ("endpoint", "config"), CALLER, "puts a new model behind the endpoint"),
    Need("sagemaker:DeleteEndpoint", ("endpoint",), CALLER, "stops the endpoint, and its cost"),
    Need("sagemaker:InvokeEndpoint", ("endpoint",), CALLER, "asks the endpoint for predictions"),
    Need("sagemaker:ListEndpoints", ("any",), CALLER, "lists endpoints", without="status needs a name"),
    Need("sagemaker:AddTags", ("model", "config", "endpoint"), CALLER, "tags what it makes",
         ("aws:TagKeys",), without="no tags", when="tags"),
    Need("logs:FilterLogEvents", ("log_group", "log_contents"), CALLER, "shows the server's log",
         without="no logs here"),
    Need("servicequotas:ListServiceQuotas", ("any",), CALLER, "reads the quota", without="quota unknown"),
    Need("pricing:GetProducts", ("any",), CALLER, "reads the price of an hour", without="cost unknown"),
    Need("s3:GetObject", ("object",), ROLE, "downloads the archive"),
    Need("ecr:GetAuthorizationToken", ("any",), ROLE, "signs in to the image's registry"),
    Need("ecr:BatchCheckLayerAvailability", ("repository",), ROLE, "downloads the image"),
    Need("ecr:GetDownloadUrlForLayer", ("repository",), ROLE, "downloads the image"),
    Need("ecr:BatchGetImage", ("repository",), ROLE, "downloads the image"),
    Need("logs:CreateLogGroup", ("log_group", "log_contents"), ROLE, "makes the log", without="no logs"),
    Need("logs:CreateLogStream", ("log_stream",), ROLE, "makes the log", without="no logs"),
    Need("logs:PutLogEvents", ("log_stream",), ROLE, "writes the log", without="no logs"),
    Need("logs:DescribeLogStreams", ("log_group", "log_contents"), ROLE, "finds the log", without="no logs"),
    Need("cloudwatch:PutMetricData", ("any",), ROLE, "writes metrics", without="no metrics"),
)  # fmt: skip


def applicable(properties: Mapping[str, bool]) -> tuple[Need, ...]:
    """Return the needs whose condition holds; `properties` says of each condition whether it does."""
    return tuple(one for one in NEEDS if not one.when or properties[one.when])
