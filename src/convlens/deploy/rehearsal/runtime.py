"""SageMaker's runtime: an invocation goes to the endpoint's own server, and its answer comes back in AWS's form."""

from __future__ import annotations

import http.client

from werkzeug.wrappers import Request as HttpRequest

from .account import ACCOUNT
from .hosting import Hosting
from .wire import AwsError, Members, service

LARGEST_BODY = 6_291_456  # bytes


def invoke(hosting: Hosting, given: Members, request: HttpRequest) -> Members:
    """Send an invocation to an endpoint's server and return the reply.

    Raises
    ------
    AwsError
        If there is no such endpoint in service, or the model answers with an error: ``ModelError``, with its status
        and its words.
    """
    name, body = given["EndpointName"], given.get("Body", b"")
    one = hosting.endpoints.known.get(name)
    if one is None or one.status not in ("InService", "Updating", "RollingBack") or one.serving is None:
        raise AwsError("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
    if len(body) > LARGEST_BODY:
        raise AwsError("ValidationError", f"Request {len(body)} has exceeded the maximum of {LARGEST_BODY} bytes.", 413)
    container = one.serving.container
    assert container is not None
    try:
        answer = container.invoke(body, _forwarded(request))
        status, text = answer.status, answer.body.decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        status, text = 500, f"the server does not answer: {error}"
    if status != 200:
        raise _model_error(hosting, name, status, text)
    variant = one.serving.configuration["ProductionVariants"][0]["VariantName"]
    return {"Body": answer.body, "ContentType": answer.content_type, "InvokedProductionVariant": variant}


def _forwarded(request: HttpRequest) -> dict[str, str]:
    """Return the headers that an invocation is made of, as the service model names them."""
    shape = service("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape
    bound = (one.serialization for one in shape.members.values())
    names = [one["name"] for one in bound if one.get("location") == "header"]
    return {name: request.headers[name] for name in names if name in request.headers}


def _model_error(hosting: Hosting, name: str, status: int, text: str) -> AwsError:
    region = hosting.account.region
    group = f"/aws/sagemaker/Endpoints/{name}"
    kind = "client" if status < 500 else "server"
    return AwsError(
        "ModelError",
        f'Received {kind} error ({status}) from primary with message "{text}". See CloudWatch logs in the group '
        f"{group} in account {ACCOUNT} for more information.",
        424,
        OriginalStatusCode=status,
        OriginalMessage=text,
        LogStreamArn=f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}",
    )
