"""boto3's clients, and AWS's refusals as values.

Everything that is asked of AWS goes through `ask` or `must`. `ask` returns the reply or an `AwsRefusal`, because a
refusal is often the answer that was wanted; `must` raises. What no caller can use, such as missing credentials or a
network that is down, is a DeploymentError from both.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError, DeploymentError
from ...names import shown
from ...version import __version__
from .denial import Denial, parse_denial

CONNECT_SECONDS = 5
READ_SECONDS = 70  # an endpoint may take 60 s to answer
ATTEMPTS = 4
LONGEST_MESSAGE = 300  # characters of an error of AWS's in a line of ours
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled", "403")
_MISSING = ("404", "NoSuchEntity", "NoSuchBucket", "NoSuchKey", "NotFound", "ResourceNotFound")
_MISSING_TOO = ("NoSuchResourceException", "ResourceNotFoundException", "NoSuchBucketPolicy")
_CREDENTIALS = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True)
class Clock:
    """How time is read and spent; tests give one of their own.

    Attributes
    ----------
    now
        Seconds from some beginning.
    sleep
        Waits for some seconds.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class AwsRefusal:
    """An error that AWS answered with.

    Attributes
    ----------
    code, message
        As AWS gives them: ``"AccessDeniedException"`` and a sentence.
    status
        Of HTTP.
    action
        The call as IAM names it, ``"sagemaker:CreateModel"``.
    """

    code: str
    message: str
    status: int
    action: str

    @property
    def denied(self) -> bool:
        """Whether a policy said no, rather than the service."""
        return self.code in _DENIED or (
            self.code == "ValidationException" and "not authorized to perform" in self.message
        )

    @property
    def missing(self) -> bool:
        """Whether what was asked about does not exist."""
        gone = self.code in ("ValidationException", "ValidationError") and re.search(
            r"could not find|does not exist|not found", self.message, re.IGNORECASE
        )
        return self.code in (*_MISSING, *_MISSING_TOO) or bool(gone)

    @property
    def exists(self) -> bool:
        """Whether what was to be made is there already, as after a call whose reply was lost."""
        return self.code in ("BucketAlreadyOwnedByYou", "ResourceInUse") or "already exist" in self.message

    @property
    def in_progress(self) -> bool:
        """Whether the endpoint is changing at this moment, and takes no orders."""
        return bool(re.search(r"in-progress|in progress|is being", self.message, re.IGNORECASE))

    @property
    def denial(self) -> Denial:
        """What AWS's sentence says about the policy that decides."""
        return parse_denial(self.message, self.action)

    def __str__(self) -> str:
        return f"{self.action}: {shown(self.message, LONGEST_MESSAGE)} ({self.code})"


class UnreachableError(DeploymentError):
    """AWS cannot be reached, or accepts no credentials: nothing is known of what a call has done."""


class Clients:
    """boto3's clients of one account and region, made when first used.

    ``AWS_ENDPOINT_URL`` and the other variables and files of boto3 are honoured by boto3 itself.

    Parameters
    ----------
    region
        The region; None: ``AWS_REGION``, or else boto3's own choice, as from ``AWS_DEFAULT_REGION`` or the profile.
    profile
        A profile of AWS's configuration files.
    session
        A boto3 session to use instead of a new one.

    Raises
    ------
    ConfigurationError
        If boto3 is not installed, there is no such profile, or no region is set.
    """

    def __init__(self, *, region: str | None = None, profile: str | None = None, session: Any = None) -> None:
        self.session = session or _session(profile)
        self.region: str = region or self.session.region_name or ""
        if not _REGION.fullmatch(self.region):
            given = f"not {self.region!r}" if self.region else "and none is set"
            raise ConfigurationError(
                f"a region is something such as us-east-1, {given}; give --region, or set AWS_REGION"
            )
        self._made: dict[tuple[str, str], Any] = {}

    def __call__(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service, ``"s3"``."""
        from botocore.config import Config

        key = service, region or self.region
        if key not in self._made:
            config = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                user_agent_extra=f"convlens/{__version__}",
            )
            self._made[key] = _explained(self.session.client, service, region_name=key[1], config=config)
        return self._made[key]


def _session(profile: str | None) -> Any:
    try:
        import boto3
    except ImportError as error:
        raise ConfigurationError(
            "Amazon SageMaker needs boto3, which is not installed; install it: pip install 'convlens[sagemaker]'"
        ) from error
    region = os.environ.get("AWS_REGION") or None  # AWS's other tools read it, and boto3 does not
    return _explained(boto3.session.Session, profile_name=profile, region_name=region)


def ask(call: Callable[..., Any], /, **arguments: Any) -> Any | AwsRefusal:
    """Call a method of a client.

    Returns
    -------
    Any | Refusal
        The reply, or what AWS refused it with.

    Raises
    ------
    UnreachableError
        If there are no credentials, or AWS does not accept them, or it cannot be reached.
    DeploymentError
        If boto3 refuses the call as it is.
    """
    from botocore.exceptions import ClientError

    try:
        return _explained(call, **arguments)
    except ClientError as error:
        refusal = _refusal(error, call)
        if refusal.code in _CREDENTIALS:
            raise UnreachableError(
                f"AWS does not accept the credentials: {refusal.message} ({refusal.code}); sign in again, and repeat "
                "the command"
            ) from error
        return refusal


def must(call: Callable[..., Any], /, **arguments: Any) -> Any:
    """Call a method of a client, and return the reply; DeploymentError if AWS refuses. See `ask`."""
    reply = ask(call, **arguments)
    if isinstance(reply, AwsRefusal):
        raise refused(reply)
    return reply


def refused(refusal: AwsRefusal, doing: str = "") -> DeploymentError:
    """Return the error for a refusal: what decides, where a policy does; else AWS's own words."""
    before = f"{doing}: " if doing else ""
    if not refusal.denied:
        return DeploymentError(f"{before}AWS refuses {refusal}")
    denial = refusal.denial
    on = f" on {denial.resource}" if denial.resource else ""
    return DeploymentError(
        f"{before}{denial.action} is denied{on}: {denial.decides}; run convlens sagemaker doctor for what would help"
    )


def _explained(call: Callable[..., Any], *given: Any, **arguments: Any) -> Any:
    """Call something of boto3; what is no answer of AWS becomes one line."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    try:
        return call(*given, **arguments)
    except ResponseParserError as error:  # such as the page of a proxy that wants a password
        raise UnreachableError(
            "what answers is not AWS, because the reply cannot be read; check the network, the proxy and "
            "AWS_ENDPOINT_URL, and repeat the command"
        ) from error
    except ValueError as error:  # of botocore itself, and only of an address
        raise ConfigurationError(f"{error}; AWS_ENDPOINT_URL takes an address such as http://127.0.0.1:5000") from error
    except exceptions.ProfileNotFound as error:
        raise ConfigurationError(f"{error}; name one that `aws configure list-profiles` lists") from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.TokenRetrievalError) as error:
        raise UnreachableError(
            f"AWS needs credentials, and boto3 found none: {error}; run aws configure or aws sso login, or, in a "
            "learner lab, copy those under “AWS details” into ~/.aws/credentials"
        ) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise UnreachableError(
            f"cannot reach AWS: {error}; check the network, the region and AWS_ENDPOINT_URL, and repeat the command"
        ) from error
    except exceptions.ClientError:
        raise
    except exceptions.BotoCoreError as error:
        raise DeploymentError(f"boto3 refuses the call: {error}") from error


def _refusal(error: Any, call: Callable[..., Any]) -> AwsRefusal:
    found, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    client = getattr(call, "__self__", None)
    service = client.meta.service_model.signing_name if client is not None else ""
    return AwsRefusal(
        str(found.get("Code", "")),
        " ".join(str(found.get("Message", "")).split()),
        int(metadata.get("HTTPStatusCode", 0)),
        f"{service}:{_ACTIONS.get(error.operation_name, error.operation_name)}",
    )


_ACTIONS = {"HeadBucket": "ListBucket", "HeadObject": "GetObject"}  # calls that IAM knows by another name
