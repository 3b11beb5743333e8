"""An AWS on loopback: one address that unmodified boto3 talks to.

Requests are routed by the credential scope of their signature. S3, STS, IAM, ECR and CloudWatch Logs are moto's,
behind our policy engine; SageMaker, its runtime, service quotas, prices and IAM's simulator are ours. The server
listens on 127.0.0.1 alone, and it and every model's server end with the context.
"""

from __future__ import annotations

import io
import re
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

from ...errors import ConfigurationError
from . import quotas, runtime
from .account import ACCOUNT, Account, Principal
from .clock import Clock
from .endpoints import Endpoint
from .hosting import Hosting
from .logs import Logs
from .policy import Request
from .profiles import Profile, profile_named
from .session import EmulatedSession
from .simulator import simulate
from .storage import request_for
from .wire import AwsError, Members, read, refused, service, written

_SIGNATURE = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_MODELS = {"servicequotas": "service-quotas"}  # botocore's name of a service, where the signature has another
_MOTO = {"s3": "rest-xml", "sts": "query", "iam": "query", "logs": "json", "ecr": "json"}
_FREE = ("sts:GetCallerIdentity",)  # needs no permission


@dataclass(frozen=True)
class Call:
    """One call that was answered.

    Attributes
    ----------
    action
        Such as ``sagemaker:CreateModel``.
    resource
        What it is about: an ARN, or ``*``.
    status, code
        The HTTP status, and the error's code or "".
    at
        The emulated time.
    began, seconds
        Real seconds since the emulator started, and how long the call took.
    """

    action: str
    resource: str
    status: int
    code: str
    at: datetime
    began: float
    seconds: float


@dataclass(frozen=True)
class Change:
    """An endpoint's new state, with the emulated time and the real seconds since the emulator started."""

    endpoint: str
    status: str
    at: datetime
    began: float


class Emulator:
    """An emulated AWS account on loopback; a context manager. One at a time in a process.

    Parameters
    ----------
    profile
        A profile, or the name of one.
    clock
        The time; by default 30 seconds pass whenever an endpoint is described.
    region
        The one region that it holds.

    Attributes
    ----------
    url
        Its address, for ``AWS_ENDPOINT_URL``.
    started
        The emulated time at which it began.
    calls, changes
        What was called, and how endpoints changed.
    faults
        What went wrong in the emulator itself: none, unless it has a bug.
    account, hosting
        Its parts, for tests.

    Examples
    --------
    >>> import subprocess, sys
    >>> with Emulator("open") as aws:  # doctest: +SKIP
    ...     subprocess.run([sys.executable, "deploy.py"], env=os.environ | aws.environment)
    """

    def __init__(
        self, profile: str | Profile = "open", *, clock: Clock | None = None, region: str = "us-east-1"
    ) -> None:
        self.profile = profile if isinstance(profile, Profile) else profile_named(profile)
        self.clock = clock or Clock()
        self.region = region
        self.started = self.clock.now
        self.calls: list[Call] = []
        self.changes: list[Change] = []
        self.faults: list[str] = []
        self._lock = threading.RLock()
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __enter__(self) -> Emulator:
        if not _alone.acquire(blocking=False):
            raise ConfigurationError("an emulator runs in this process already; leave it before you start another")
        try:
            self._begin()
        except BaseException:
            _alone.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self.hosting.endpoints.stop()
        finally:
            _alone.release()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs in the environment to come here, and nowhere else."""
        own = self.account.credentials
        token = {"AWS_SESSION_TOKEN": own.session_token} if own.session_token else {}
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": own.access_key,
            "AWS_SECRET_ACCESS_KEY": own.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            **token,
        }

    def session(self) -> Any:
        """Return a boto3 session whose clients come here, whatever the environment says."""
        return EmulatedSession(self)

    @property
    def left(self) -> list[str]:
        """What exists: ARNs of models, configurations, endpoints and objects."""
        objects = [f"arn:aws:s3:::{name}/{key}" for name, keys in self.account.buckets.items() for key in keys]
        self.hosting.endpoints.settle()
        return [*self.hosting.left, *objects]

    def called(self, action: str) -> list[Call]:
        """Return the calls of an action, such as ``iam:CreateRole``."""
        return [one for one in self.calls if one.action == action]

    def _begin(self) -> None:
        """Make the account and start to listen."""
        self._start = time.monotonic()
        self.account = Account(self.profile, self.region)
        self.logs = Logs(self.region)
        self.hosting = Hosting(self.account, self.clock, self._noticed, self.logs.write)
        self._server = make_server("127.0.0.1", 0, self._application, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, name="emulated AWS", daemon=True)
        self._thread.start()

    def _noticed(self, one: Endpoint) -> None:
        self.changes.append(Change(one.name, one.status, self.clock.now, time.monotonic() - self._start))

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request, began = HttpRequest(environ), time.monotonic()
        request_id = str(uuid.uuid4())
        body = request.get_data()  # whole, so that both moto and we can read it
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        call = _Call.of(request)
        try:
            response = self._answered(call, request, request_id)
            code = ""
        except AwsError as error:
            response, code = refused(call.protocol, error, request_id), error.code
        except Exception as error:  # noqa: BLE001 - a fault of the emulator's, which the caller must see as one
            self.faults.append("".join(traceback.format_exception(error)))
            failure = AwsError("InternalFailure", f"the emulator failed: {error!r}", 500)
            response, code = refused(call.protocol, failure, request_id), failure.code
        times = began - self._start, time.monotonic() - began
        self.calls.append(Call(call.action, call.resource, response.status_code, code, self.clock.now, *times))
        return response(environ, start_response)

    def _answered(self, call: _Call, request: HttpRequest, request_id: str) -> HttpResponse:
        who = self.account.caller(call.key)
        if call.action == "sagemaker:InvokeEndpoint":  # not behind the lock: invocations run side by side
            return self._invoked(call, who, request, request_id)
        with self._lock:
            if call.service in _MOTO and call.operation != "SimulatePrincipalPolicy":
                return self._by_moto(call, who, request)
            return self._by_us(call, who, request, request_id)

    def _by_us(self, call: _Call, who: Principal, request: HttpRequest, request_id: str) -> HttpResponse:
        handler = self._handlers(call).get(call.operation)
        if handler is None:
            raise AwsError("UnknownOperationException", f"{call.action} is not emulated.")
        operation = service(_MODELS.get(call.service, call.service)).operation_model(call.operation)
        given = read(operation, request, {})
        needed = [Request(call.action, given.get("PolicySourceArn", "*"))]
        if call.service == "sagemaker":
            needed = self.hosting.requests(call.operation, given)
        for one in needed:
            self._require(call, who, one)
        return written(operation, handler(given), request_id)

    def _handlers(self, call: _Call) -> Mapping[str, Callable[[Members], Members]]:
        """Return the operations of a service by name."""
        profile, region = self.profile, self.region
        known: Mapping[str, Mapping[str, Callable[[Members], Members]]] = {
            "sagemaker": self.hosting.operations,
            "iam": {"SimulatePrincipalPolicy": lambda given: simulate(self.account, given)},
            "pricing": {"GetProducts": lambda given: quotas.products(region, given)},
            "servicequotas": {
                "GetServiceQuota": lambda given: quotas.quota(profile, region, given),
                "ListServiceQuotas": lambda given: quotas.page(profile, region, given),
            },
        }
        return known.get(call.service, {})

    def _by_moto(self, call: _Call, who: Principal, request: HttpRequest) -> HttpResponse:
        if call.action not in _FREE:
            self._require(call, who, request_for(request) if call.service == "s3" else self._request(call, request))
        if call.service == "logs":
            self.hosting.endpoints.collect()
        return HttpResponse.from_app(self._moto, request.environ, buffered=True)

    def _request(self, call: _Call, request: HttpRequest) -> Request:
        """Return what a caller must be allowed for a call to IAM, STS, CloudWatch Logs or ECR."""
        if "RoleName" in request.form:
            return Request(call.action, self.account.role_named(request.form["RoleName"]))
        if "UserName" in request.form:
            return Request(call.action, f"arn:aws:iam::{ACCOUNT}:user/{request.form['UserName']}")
        if call.service == "logs":
            group = (request.get_json(force=True, silent=True) or {}).get("logGroupName", "*")
            return Request(call.action, f"arn:aws:logs:{call.region}:{ACCOUNT}:log-group:{group}:log-stream:")
        return Request(call.action, request.form.get("RoleArn") or request.form.get("PolicyArn") or "*")

    def _invoked(self, call: _Call, who: Principal, request: HttpRequest, request_id: str) -> HttpResponse:
        operation = service("sagemaker-runtime").operation_model("InvokeEndpoint")
        match = runtime.PATH.fullmatch(request.path)
        given = read(operation, request, {} if match is None else match.groupdict())
        self._require(call, who, Request(call.action, self.hosting.arn("Endpoint", given["EndpointName"])))
        return written(operation, runtime.invoke(self.hosting, given, request), request_id)

    def _require(self, call: _Call, who: Principal, one: Request) -> None:
        """Raise an AwsError in AWS's words unless a request is allowed, and in this region."""
        call.resource = call.resource or one.resource
        self.account.require(who, one, call.region, call.protocol)
        if call.region != self.region and call.service not in ("iam", "sts", "s3", "pricing"):
            message = f"this emulator holds {self.region} only, not {call.region}"
            raise AwsError("UnknownOperationException", message)


@dataclass
class _Call:
    """Which operation of which service an HTTP request calls, with which key, and, once known, on what."""

    service: str
    operation: str
    region: str
    key: str
    protocol: str
    resource: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> _Call:
        """Read the signature and the operation."""
        found = _SIGNATURE.search(request.headers.get("Authorization", ""))
        if found is None:
            return cls("", "", "", "", "json")
        name = found["service"]
        if name == "s3":
            operation = request_for(request).action.removeprefix("s3:")
        elif name == "sagemaker" and runtime.PATH.fullmatch(request.path):
            operation = "InvokeEndpoint"
        else:
            target = request.headers.get("X-Amz-Target", "")
            operation = target.rpartition(".")[2] or request.form.get("Action", "")
        return cls(name, operation, found["region"], found["key"], _MOTO.get(name, "json"))

    @property
    def action(self) -> str:
        """As IAM names it."""
        return f"{self.service}:{self.operation}"


class _Quiet(WSGIRequestHandler):
    """A handler that writes no line for each request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        del type, message, args


_alone = threading.Lock()
