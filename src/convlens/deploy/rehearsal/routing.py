"""Which operation a request calls: its service is in the signature, and the operation in the service's model."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from moto.core.model import OperationModel
from moto.core.request import Request as RoutedRequest
from moto.core.routing import get_service_router
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request as HttpRequest

from .wire import AwsError, Members

RUNTIME = "/endpoints/"  # paths of SageMaker's runtime, whose signatures name the same service as the control plane's
_SIGNATURE = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_MODELS = {
    "ecr": "ecr",
    "iam": "iam",
    "logs": "logs",
    "pricing": "pricing",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "servicequotas": "service-quotas",
    "sts": "sts",
}
"""botocore's name of each service that is emulated, by the name in a signature, which is also IAM's."""


@dataclass
class Routed:
    """A request whose operation is known.

    Attributes
    ----------
    service
        As IAM and signatures name it.
    region, key
        The signature's region and access key.
    operation
        From the service model.
    in_path
        What the path holds, by name.
    resource
        What it turns out to be about: an ARN.
    """

    service: str
    region: str
    key: str
    operation: OperationModel
    in_path: Members
    resource: str = ""

    @property
    def name(self) -> str:
        """Of the operation."""
        return str(self.operation.name)

    @property
    def protocol(self) -> str:
        """Of the service, as botocore names it."""
        return str(self.operation.service_model.protocol)


def routed(request: HttpRequest) -> Routed:
    """Return which operation a request calls.

    Raises
    ------
    AwsError
        If it is not signed, or its service or operation is not known.
    """
    found = _SIGNATURE.search(request.headers.get("Authorization", ""))
    if found is None:
        raise AwsError("MissingAuthenticationToken", "The request must be signed with AWS Signature Version 4.", 403)
    service = found["service"]
    if service not in _MODELS:
        raise AwsError("UnknownOperationException", f"The service {service} is not emulated.")
    model = "sagemaker-runtime" if service == "sagemaker" and request.path.startswith(RUNTIME) else _MODELS[service]
    try:
        operation, in_path = _match(model, request)
    except HTTPException as error:
        raise AwsError("UnknownOperationException", f"{service} has no such operation.") from error
    return Routed(service, found["region"], found["key"], operation, in_path)


def _match(model: str, request: HttpRequest) -> tuple[OperationModel, dict[str, Any]]:
    operation, in_path = get_service_router(model).match(RoutedRequest(environ_of(request)))
    return operation, in_path


def environ_of(request: HttpRequest) -> dict[str, Any]:
    """Return a request's environment with the whole body, for somebody else to read it again."""
    body = request.get_data()
    return {**request.environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
