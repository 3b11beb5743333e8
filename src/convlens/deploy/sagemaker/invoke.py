"""Asking an endpoint for predictions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ...errors import ConfigurationError, DataError, DeploymentError, nearest
from .clients import Clients, ask
from .refusal import AwsRefusal, refused

LARGEST_BODY = 6_291_456  # bytes, of SageMaker; 4 MB serverless
CONTENT_TYPES = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
"""Content types by the ending of a file's name."""


@dataclass(frozen=True)
class EndpointReply:
    """An endpoint's answer: the body, and its content type."""

    body: bytes
    content_type: str


def invoke(
    clients: Clients, endpoint: str, body: bytes, content_type: str, accept: str = "application/json"
) -> EndpointReply:
    """Send a request to an endpoint.

    Parameters
    ----------
    clients
        The account.
    endpoint
        Its name.
    body, content_type
        What the model takes: ``"application/x-npy"``, ``"application/json"``, ``"text/csv"``, ``"image/png"``.
    accept
        The content type wanted.

    Raises
    ------
    DataError
        If the request is empty or too large, or the model refuses it; then the message is the model's own.
    DeploymentError
        If there is no such endpoint, it is not in service, or calling it is denied.
    """
    if not body:
        raise DataError("the request is empty; SageMaker takes 1 byte at least")
    if len(body) > LARGEST_BODY:
        raise DataError(
            f"the request has {len(body):,} bytes, and SageMaker takes {LARGEST_BODY:,} at most; send fewer images at "
            "once"
        )
    reply = ask(
        clients("sagemaker-runtime").invoke_endpoint,
        EndpointName=endpoint,
        Body=body,
        ContentType=content_type,
        Accept=accept,
    )
    if not isinstance(reply, AwsRefusal):
        return EndpointReply(reply["Body"].read(), reply["ContentType"])
    if reply.code == "ModelError":
        raise DataError(f"the model on {endpoint} answers: {_original(reply.message)}")
    if reply.missing:
        raise DeploymentError(
            f"there is no endpoint {endpoint} in {clients.region}; list them: convlens sagemaker status"
        )
    raise refused(reply, f"asking {endpoint}")


def invoke_file(clients: Clients, endpoint: str, path: Path, accept: str = "application/json") -> EndpointReply:
    """Send a file to an endpoint, with the content type of its ending. See `invoke`.

    Raises
    ------
    ConfigurationError
        If the ending is not known.
    DataError
        If the file cannot be read.
    """
    kind = CONTENT_TYPES.get(path.suffix.lower())
    if kind is None:
        raise ConfigurationError(
            f"the type of {path} is not known by its ending{nearest(path.suffix.lower(), CONTENT_TYPES)}"
        )
    try:
        body = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    return invoke(clients, endpoint, body, kind, accept)


def _original(message: str) -> str:
    """Return what the model said, within AWS's sentence about it and the JSON of its own answer."""
    said = message.partition(' with message "')[2] or message
    text = said.partition('". See ')[0].removesuffix('"')
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return str(found.get("error", found)) if isinstance(found, dict) else text
