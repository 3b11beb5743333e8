"""AWS's protocols, from botocore's own description of each service.

Every request is read, and every reply is written, by the shapes of the service model, and both are checked against
them: types, required members, lengths, ranges, enumerations and patterns. So the emulator cannot drift from AWS's
shapes. Reading and writing the protocols is moto's.
"""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias
from xml.sax.saxutils import escape

from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.validate import ParamValidator
from moto.core.loaders import create_loader
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

Members: TypeAlias = dict[str, Any]
"""The members of a request or a reply, by AWS's names."""


class AwsError(Exception):
    """A refusal as AWS words it.

    Parameters
    ----------
    code
        AWS's code, such as ``ValidationException``.
    message
        AWS's sentence.
    status
        The HTTP status.
    members
        What the error's shape has beside the message.
    """

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.members = code, message, status, members


class Violation(NamedTuple):
    """Where a value breaks its shape, AWS's way of saying so, and the value."""

    place: str
    constraint: str
    value: object


@functools.cache
def service(name: str) -> ServiceModel:
    """Return botocore's description of a service, such as ``sagemaker-runtime``."""
    return ServiceModel(create_loader().load_service_model(name, "service-2"), name)


def read(operation: OperationModel, request: HttpRequest, in_path: Mapping[str, str]) -> Members:
    """Return the members of a request.

    Parameters
    ----------
    operation
        What is called.
    request
        The HTTP request.
    in_path
        What its path holds, by name.

    Raises
    ------
    AwsError
        If it breaks the operation's shape: ``ValidationException``, in AWS's words.
    """
    parser = PROTOCOL_PARSERS[operation.service_model.protocol](operation)
    given = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": request.get_data(),
        "url_path": request.path,
        "url_params": in_path,
    }
    try:
        found = {} if operation.input_shape is None else dict(parser.parse(given))
    except (ValueError, TypeError, AttributeError) as error:  # not JSON, or not JSON of this form
        raise AwsError("SerializationException", f"the request cannot be read: {error}") from error
    violations = list(violations_of(found, operation.input_shape))
    if violations:
        raise AwsError(
            "ValidationException",
            f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected: "
            + "; ".join(f"Value '{value}' at '{place}' {what}" for place, what, value in violations),
        )
    return found


def written(operation: OperationModel, reply: Members, request_id: str) -> HttpResponse:
    """Return a reply as HTTP.

    Raises
    ------
    AwsError
        If it breaks the operation's shape: ``InternalFailure``, for the fault is the emulator's.
    """
    violations = list(violations_of(reply, operation.output_shape))
    if violations:
        raise AwsError("InternalFailure", f"a reply of {operation.name} breaks its shape: {violations}", 500)
    kind = get_serializer_class(operation.service_model.service_name, operation.service_model.protocol)
    found = kind(operation, SerializationContext(request_id)).serialize(reply)
    headers = {**found["headers"], "x-amzn-RequestId": request_id}
    if "ContentType" in reply:  # moto's serializer puts its own in its place
        headers["Content-Type"] = reply["ContentType"]
    return HttpResponse(found["body"], found["status_code"], headers)


def refused(protocol: str, error: AwsError, request_id: str) -> HttpResponse:
    """Return an error as HTTP, in the form of a service's protocol, as botocore names it."""
    headers = {"x-amzn-RequestId": request_id}
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message, **error.members})
        headers["x-amzn-ErrorType"] = error.code
        return HttpResponse(body, error.status, headers, content_type="application/x-amz-json-1.1")
    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if protocol == "query":
        about = f"<Error><Type>Sender</Type>{inner}</Error><RequestId>{request_id}</RequestId>"
        body = f"<ErrorResponse>{about}</ErrorResponse>"
    else:
        body = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
        headers["x-amz-request-id"] = request_id
    return HttpResponse(body, error.status, headers, content_type="text/xml")


def violations_of(value: object, shape: Any) -> Iterator[Violation]:
    """Yield where a value breaks a shape: first what botocore checks itself, and else what it leaves to AWS."""
    if shape is None:
        return
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        yield Violation("input", f"failed to satisfy constraint: {report.generate_report()}", "")
        return
    yield from _constraints(value, shape, "")


def violations_of_reply(operation: OperationModel, response: HttpResponse) -> list[Violation]:
    """Return where a reply of moto's breaks its shape, as botocore reads it; none of a refusal."""
    if response.status_code >= 300 or operation.output_shape is None:
        return []
    found = read_by_botocore(operation, response)
    found.pop("ResponseMetadata", None)
    return list(violations_of(found, operation.output_shape))


def read_by_botocore(operation: OperationModel, response: HttpResponse) -> Members:
    """Return a reply as botocore reads it; a body that it would stream is a stream."""
    body = io.BytesIO(response.data) if operation.has_streaming_output else response.data
    given = {"status_code": response.status_code, "headers": HeadersDict(response.headers), "body": body}
    found: Members = create_parser(operation.service_model.protocol).parse(given, operation.output_shape)
    return found


def _constraints(value: Any, shape: Any, place: str) -> Iterator[Violation]:
    """Yield the constraints that botocore does not check: enumerations, patterns, and greatest lengths and values."""
    if shape.type_name == "structure":
        for name, one in value.items():
            yield from _constraints(one, shape.members[name], f"{place}.{name[:1].lower()}{name[1:]}".lstrip("."))
        return
    if shape.type_name == "list":
        for number, one in enumerate(value, 1):
            yield from _constraints(one, shape.member, f"{place}.{number}.member")
    elif shape.type_name == "map":
        for key, one in value.items():
            yield from _constraints(key, shape.key, f"{place}.{key}.key")
            yield from _constraints(one, shape.value, f"{place}.{key}.member")
    for what in _broken(value, shape):
        yield Violation(place, f"failed to satisfy constraint: Member must {what}", value)


def _broken(value: Any, shape: Any) -> Iterator[str]:
    most, choices, expected = (shape.metadata.get(name) for name in ("max", "enum", "pattern"))
    size = value if shape.type_name in ("integer", "long", "float", "double") else _length(value)
    if most is not None and size is not None and size > most:
        of_length = "" if size is value else "have length "
        yield f"{of_length or 'have value '}less than or equal to {most}"
    if choices and value not in choices:
        yield f"satisfy enum value set: [{', '.join(choices)}]"
    if expected and isinstance(value, str) and not pattern(expected).fullmatch(value):
        yield f"satisfy regular expression pattern: {expected}"


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | bytes | list | dict) else None


_JAVA = {
    r"\p{ASCII}": r"[\x00-\x7f]",  # the only class that stands outside of brackets
    r"\p{Print}": r"\x20-\x7e",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{L}": r"\w",
    r"\p{M}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{P}": r"!-/:-@\[-`{-~\u2010-\u2027",
    r"\p{S}": r"$+<=>^`|~",
    r"\z": r"\Z",
}
"""Classes of characters in the patterns of the service models, which are Java's, as Python writes them."""


@functools.lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    """Return a pattern of a service model, compiled; classes of Unicode letters are taken a little too widely."""
    for java, python in _JAVA.items():
        text = text.replace(java, python)
    return re.compile(text, re.DOTALL)
