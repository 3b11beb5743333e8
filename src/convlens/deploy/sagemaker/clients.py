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

from ...errors import ConfigurationError, DeploymentError, nearest
from ...version import __version__
from .refusal import CREDENTIALS, AwsRefusal, UnreachableError, refused

CONNECT_SECONDS = 5
READ_SECONDS = 70  # an endpoint may take 60 s to answer
ATTEMPTS = 4
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
    Any | AwsRefusal
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
        if refusal.code in CREDENTIALS:
            advice = CREDENTIALS[refusal.code].format(region=_region_of(call))
            raise UnreachableError(
                f"AWS does not accept the credentials: {refusal.message.rstrip('.')} ({refusal.code}); {advice}"
            ) from error
        return refusal


def must(call: Callable[..., Any], /, **arguments: Any) -> Any:
    """Call a method of a client, and return the reply; the error of `refused` if AWS refuses. See `ask`."""
    reply = ask(call, **arguments)
    if isinstance(reply, AwsRefusal):
        raise refused(reply)
    return reply


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
    except _without_credentials() as error:
        raise UnreachableError(
            f"AWS needs credentials, and boto3 found none that are valid: {str(error).rstrip('.')}; run aws configure "
            "or aws sso login, or, in a learner lab, copy those under “AWS details” into ~/.aws/credentials"
        ) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise UnreachableError(f"cannot reach AWS: {error}; {_way_out(_region_of(call))}") from error
    except exceptions.ClientError:
        raise
    except exceptions.BotoCoreError as error:
        raise DeploymentError(f"boto3 refuses the call: {error}") from error


def _without_credentials() -> tuple[type[Exception], ...]:
    """Return botocore's errors about credentials that are missing or cannot be renewed; some are new in 2025."""
    from botocore import exceptions

    names = (
        "CredentialRetrievalError",
        "LoginError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "SSOError",
        "TokenRetrievalError",
    )
    return tuple(getattr(exceptions, one) for one in names if hasattr(exceptions, one))


def _region_of(call: Callable[..., Any]) -> str:
    """Return the region of a client's method; empty if it is none."""
    client: Any = getattr(call, "__self__", None)
    return str(client.meta.region_name) if hasattr(client, "meta") else ""


def _way_out(region: str) -> str:
    """Return what to do where AWS cannot be reached; botocore lists the regions that it knows of."""
    from boto3.session import Session

    session = Session()
    known = [one for part in session.get_available_partitions() for one in session.get_available_regions("sts", part)]
    if region and region not in known:
        return f"boto3 knows no region {region}{nearest(region, known)}; give another with --region"
    return "check the network and AWS_ENDPOINT_URL, and repeat the command"


def _refusal(error: Any, call: Callable[..., Any]) -> AwsRefusal:
    found, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    client: Any = getattr(call, "__self__", None)
    service = client.meta.service_model.signing_name if client is not None else _PAGED.get(error.operation_name, "")
    return AwsRefusal(
        str(found.get("Code", "")),
        " ".join(str(found.get("Message", "")).split()),
        int(metadata.get("HTTPStatusCode", 0)),
        f"{service}:{_ACTIONS.get(error.operation_name, error.operation_name)}",
        int(metadata.get("RetryAttempts", 0)) > 0,
    )


_ACTIONS = {"HeadBucket": "ListBucket", "HeadObject": "GetObject"}  # calls that IAM knows by another name
_PAGED = {"ListRoles": "iam", "ListServiceQuotas": "servicequotas"}  # services of calls that only paginators make
