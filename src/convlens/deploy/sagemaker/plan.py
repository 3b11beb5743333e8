"""What a deployment makes: every name, address and setting decided, and nothing made yet.

Names are made of the endpoint's name and a hash of what the thing holds. So the same deployment has the same names in
every process, and whatever exists under such a name is what would be made.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import ConfigurationError
from ...plain import canonical
from .account import ROLE_TO_MAKE, SERVICE, Identity
from .images import Image, parsed_image, prebuilt_image

USUAL_TYPE = "ml.t2.medium"
OTHER_TYPES = (
    "ml.t2.medium",
    "ml.m5.large",
    "ml.c5.large",
    "ml.m5.xlarge",
    "ml.c5.xlarge",
    "ml.t2.large",
    "ml.m4.xlarge",
)
"""Instance types that are tried in simulation, in rising order of size, where a policy forbids the one wanted."""

MEMORY_SIZES = (1024, 2048, 3072, 4096, 5120, 6144)  # MB, of a serverless endpoint
MOST_CONCURRENCY = 200
VARIANT = "main"
LONGEST_NAME = 50  # of an endpoint: SageMaker allows 63 characters, and a hash is added for the other names
_NAME = re.compile(r"[a-z0-9](-*[a-z0-9])*")
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
_TAG = re.compile(r"[\w\s_.:/=+@-]*")
_ENVIRONMENT = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
}


@dataclass(frozen=True)
class EndpointSettings:
    """How a model is deployed.

    Parameters
    ----------
    name
        Of the endpoint: lower-case letters, digits and single hyphens, at most 50.
    serverless
        Whether it is serverless: no machine of its own, billed by use.
    instance_types
        The type of machine wanted, and those to fall back on, in order, where it is forbidden, exhausted or without
        quota.
    instances
        Number of machines.
    memory_mb, concurrency
        Of a serverless endpoint: its memory, 1024 to 6144 in steps of 1024, and how many requests it answers at once.
    role, bucket, image
        Name or ARN of the role, name of the bucket, address of the image; None: found (`find_role`),
        ``sagemaker-REGION-ACCOUNT``, AWS's scikit-learn image.
    tags
        Of all that SageMaker makes. Left out where only they are denied.

    Raises
    ------
    ConfigurationError
        If a value cannot be right; boto3 itself would send it.
    """

    name: str = "convlens"
    serverless: bool = False
    instance_types: tuple[str, ...] = (USUAL_TYPE,)
    instances: int = 1
    memory_mb: int = 2048
    concurrency: int = 5
    role: str | None = None
    bucket: str | None = None
    image: str | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: {"created-by": "convlens"})

    def __post_init__(self) -> None:
        check_endpoint_name(self.name)
        for one in self.instance_types:
            if not _TYPE.fullmatch(one):
                raise ConfigurationError(f"an instance type is something such as {USUAL_TYPE}, not {one!r}")
        if not self.instance_types:
            raise ConfigurationError(f"instance_types needs one at least, such as {USUAL_TYPE}")
        if not 1 <= self.instances <= 100:
            raise ConfigurationError(f"the number of instances is 1 to 100, not {self.instances}")
        if self.memory_mb not in MEMORY_SIZES:
            raise ConfigurationError(
                f"the memory of a serverless endpoint is {', '.join(map(str, MEMORY_SIZES))} MB, not {self.memory_mb}"
            )
        if not 1 <= self.concurrency <= MOST_CONCURRENCY:
            raise ConfigurationError(f"a serverless concurrency is 1 to {MOST_CONCURRENCY}, not {self.concurrency}")
        if self.bucket is not None and not _BUCKET.fullmatch(self.bucket):
            raise ConfigurationError(
                "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a "
                f"letter or digit, not {self.bucket!r}"
            )
        _check_tags(self.tags)


def check_endpoint_name(name: str) -> None:
    """Raise ConfigurationError unless a name can be an endpoint's, with room for the hash in the names made of it."""
    if not (len(name) <= LONGEST_NAME and _NAME.fullmatch(name)):
        raise ConfigurationError(
            f"an endpoint's name has 1 to {LONGEST_NAME} lower-case letters, digits and hyphens, and begins and ends "
            f"with a letter or digit, not {name!r}"
        )


def parsed_tags(texts: Iterable[str]) -> dict[str, str]:
    """Return tags from ``KEY=VALUE``; ConfigurationError if a text is not one."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"a tag is KEY=VALUE, not {text!r}")
        found[key] = value
    return found


def _check_tags(tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        fine = 1 <= len(key) <= 128 and len(value) <= 256 and _TAG.fullmatch(key) and _TAG.fullmatch(value)
        if not fine or key.lower().startswith("aws:"):
            raise ConfigurationError(
                f"a tag is KEY=VALUE of letters, digits, spaces and _.:/=+@-, KEY at most 128 characters and not "
                f"beginning with aws:, VALUE at most 256, not {key}={value}"
            )


@dataclass(frozen=True)
class Archive:
    """The archive to deploy.

    Attributes
    ----------
    contents
        Of ``model.tar.gz``.
    digest
        SHA-256 of what is in it, in hexadecimal: the same wherever it was compressed. Names are made of it.
    """

    contents: bytes = field(repr=False)
    digest: str


NO_ARCHIVE = Archive(b"", "0" * 64)
"""For a plan that only asks for permissions: they do not depend on the archive, whose digest the names hold."""


@dataclass(frozen=True)
class DeploymentPlan:
    """A deployment, before anything is made; `make_plan` makes one.

    Attributes
    ----------
    settings
        How the model is deployed.
    identity, region, role
        Who deploys, where, and the ARN of the role that the endpoint runs as; empty if no role is known.
    image, archive
        What the endpoint runs.
    instance_type
        The type in use: the first wanted, or one to fall back on. Unused if serverless.
    tagged
        Whether tags are set.
    """

    settings: EndpointSettings
    identity: Identity
    region: str
    role: str
    image: Image
    archive: Archive
    instance_type: str
    tagged: bool

    @property
    def endpoint(self) -> str:
        """Name of the endpoint."""
        return self.settings.name

    @property
    def bucket(self) -> str:
        """Name of the bucket; AmazonSageMakerFullAccess reaches only those with “sagemaker” in their name."""
        return self.settings.bucket or usual_bucket(self.region, self.identity.account)

    @property
    def key(self) -> str:
        """Of the archive in the bucket."""
        return archive_key(self.endpoint, self.archive.digest)

    @property
    def metadata(self) -> dict[str, str]:
        """Of the archive in the bucket."""
        return archive_metadata(self.endpoint, self.archive.digest)

    @property
    def url(self) -> str:
        """Of the archive."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def container(self) -> dict[str, Any]:
        """The model's container, as CreateModel takes it."""
        return {"Image": self.image.uri, "ModelDataUrl": self.url, "Environment": dict(_ENVIRONMENT)}

    @property
    def model(self) -> str:
        """Name of the model."""
        return hashed_name(self.endpoint, {"container": self.container, "role": self.role})

    @property
    def variant(self) -> dict[str, Any]:
        """The endpoint configuration's one variant, as CreateEndpointConfig takes it."""
        variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": self.model, "InitialVariantWeight": 1.0}
        if self.settings.serverless:
            sizes = {"MemorySizeInMB": self.settings.memory_mb, "MaxConcurrency": self.settings.concurrency}
            return {**variant, "ServerlessConfig": sizes}
        return {**variant, "InstanceType": self.instance_type, "InitialInstanceCount": self.settings.instances}

    @property
    def config(self) -> str:
        """Name of the endpoint configuration."""
        return hashed_name(self.endpoint, self.variant)

    @property
    def tags(self) -> list[dict[str, str]]:
        """As SageMaker takes them."""
        return [{"Key": key, "Value": value} for key, value in self.settings.tags.items()] if self.tagged else []

    @property
    def arns(self) -> dict[str, str]:
        """What each kind of resource of `permissions.NEEDS` is here."""
        return {**self._arns(self.model, self.config, self.key), "role": self.role}

    @property
    def arn_patterns(self) -> dict[str, str]:
        """The same for every version of this endpoint: what a policy for it names.

        Where no role is known, it is the one that was named, or the one that an administrator is asked to make.
        """
        names, role = f"{self.endpoint}-*", self.role or self.settings.role or ROLE_TO_MAKE
        if not role.startswith("arn:"):
            role = f"arn:{self.identity.partition}:iam::{self.identity.account}:role/{role}"
        return {**self._arns(names, names, f"convlens/{self.endpoint}/*"), "role": role}

    @property
    def context(self) -> dict[str, tuple[str, ...]]:
        """Values of the condition keys of the requests, by name; a key that a request lacks has none."""
        serverless, settings = self.settings.serverless, self.settings
        return {
            "aws:RequestedRegion": (self.region,),
            "iam:PassedToService": (SERVICE,),
            "sagemaker:InstanceTypes": () if serverless else (self.instance_type,),
            "sagemaker:ServerlessMemorySize": (str(settings.memory_mb),) if serverless else (),
            "sagemaker:ServerlessMaxConcurrency": (str(settings.concurrency),) if serverless else (),
            "aws:TagKeys": tuple(settings.tags),
        }

    def with_type(self, instance_type: str) -> DeploymentPlan:
        """Return the plan with another instance type."""
        return replace(self, instance_type=instance_type)

    def without_tags(self) -> DeploymentPlan:
        """Return the plan without tags."""
        return replace(self, tagged=False)

    def _arns(self, model: str, config: str, key: str) -> dict[str, str]:
        partition, account, image = self.identity.partition, self.identity.account, self.image
        sagemaker = f"arn:{partition}:sagemaker:{self.region}:{account}"
        logs = f"arn:{partition}:logs:{self.region}:{account}:log-group:{log_group(self.endpoint)}"
        return {
            "any": "*",
            "caller": self.identity.principal,
            "bucket": f"arn:{partition}:s3:::{self.bucket}",
            "object": f"arn:{partition}:s3:::{self.bucket}/{key}",
            "model": f"{sagemaker}:model/{model}",
            "config": f"{sagemaker}:endpoint-config/{config}",
            "endpoint": f"{sagemaker}:endpoint/{self.endpoint}",
            "repository": f"arn:{partition}:ecr:{image.region}:{image.account}:repository/{image.repository}",
            "log_group": logs,
            "log_contents": f"{logs}:*",  # AWS writes a group with and without this ending, by the action
            "log_stream": f"{logs}:log-stream:*",
        }


def make_plan(
    identity: Identity, region: str, role: str, settings: EndpointSettings, archive: Archive = NO_ARCHIVE
) -> DeploymentPlan:
    """Return a plan; ConfigurationError if the region's image is not known and none is named."""
    image = parsed_image(settings.image) if settings.image else prebuilt_image(region)
    return DeploymentPlan(
        settings, identity, region, role, image, archive, settings.instance_types[0], bool(settings.tags)
    )


def log_group(endpoint: str) -> str:
    """Return the name of an endpoint's log group."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def usual_bucket(region: str, account: str) -> str:
    """Return the name of the bucket where none is named."""
    return f"sagemaker-{region}-{account}"


def archive_key(endpoint: str, digest: str) -> str:
    """Return the key of an endpoint's archive in its bucket."""
    return f"convlens/{endpoint}/{digest[:16]}/model.tar.gz"


def archive_metadata(endpoint: str, digest: str) -> dict[str, str]:
    """Return what an archive in a bucket says of itself, so that whoever removes it can tell whose it is."""
    return {"convlens-endpoint": endpoint, "convlens-digest": digest}


def hashed_name(endpoint: str, holds: object) -> str:
    """Return the name of a model or a configuration of an endpoint: the same wherever it holds the same."""
    return f"{endpoint}-{hashlib.sha256(canonical(holds).encode()).hexdigest()[:12]}"
