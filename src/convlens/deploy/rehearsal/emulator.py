"""An AWS on loopback: one address that unmodified boto3 talks to.

Requests are routed by the credential scope of their signature. S3, STS, IAM, ECR and CloudWatch Logs are moto's,
behind our policy engine; SageMaker, its runtime, service quotas, prices and IAM's simulator are ours. The server
listens on 127.0.0.1 alone, and it and every model's server end with the context.
"""

from __future__ import annotations

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
from .account import EmulatedAccount
from .clock import EmulatedClock
from .endpoints import Endpoint
from .hosting import Hosting
from .logs import Logs
from .needs import access_requests, action_of
from .profiles import AccountProfile, profile_named
from .routing import Routed, environ_of, routed
from .session import EmulatedSession
from .simulator import simulate
from .wire import AwsError, Members, error_response, reply_response, request_members, violations_of_reply

_BY_MOTO = ("s3", "sts", "iam", "logs", "ecr")
_POLL = 0.02  # seconds until the server notices that it is to stop
_REGIONAL = ("sagemaker", "servicequotas", "logs", "ecr")


@dataclass(frozen=True)
class RecordedCall:
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
        self, profile: str | AccountProfile = "open", *, clock: EmulatedClock | None = None, region: str = "us-east-1"
    ) -> None:
        self.profile = profile if isinstance(profile, AccountProfile) else profile_named(profile)
        self.clock = clock or EmulatedClock()
        self.region = region
        self.started = self.clock.now
        self.calls: list[RecordedCall] = []
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
        """What exists: ARNs of models, configurations, endpoints and objects; of buckets, see `account.buckets`."""
        objects = [f"arn:aws:s3:::{name}/{key}" for name, keys in self.account.buckets.items() for key in keys]
        self.hosting.endpoints.settle()
        return [*self.hosting.left, *objects]

    def called(self, action: str) -> list[RecordedCall]:
        """Return the calls of an action, such as ``iam:CreateRole``."""
        return [one for one in self.calls if one.action == action]

    def _begin(self) -> None:
        """Make the account and start to listen."""
        self._start = time.monotonic()
        self.account = EmulatedAccount(self.profile, self.region)
        self.logs = Logs(self.region)
        self.hosting = Hosting(self.account, self.clock, self._noticed, self.logs.write)
        self._server = make_server("127.0.0.1", 0, self._application, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), daemon=True)
        self._thread.start()

    def _noticed(self, one: Endpoint) -> None:
        self.changes.append(Change(one.name, one.status, self.clock.now, time.monotonic() - self._start))

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request, began = HttpRequest(environ), time.monotonic()
        request_id = str(uuid.uuid4())
        call, code = None, ""
        try:
            call = routed(request)
            response = self._answered(call, request, request_id)
        except AwsError as error:
            response, code = error_response(call.protocol if call else "json", error, request_id), error.code
        except Exception as error:  # noqa: BLE001 - a fault of the emulator's, which the caller must see as one
            self.faults.append("".join(traceback.format_exception(error)))
            failure = AwsError("InternalFailure", f"the emulator failed: {error!r}", 500)
            response, code = error_response(call.protocol if call else "json", failure, request_id), failure.code
        about = (action_of(call), call.resource) if call else ("unknown", "*")
        times = began - self._start, time.monotonic() - began
        self.calls.append(RecordedCall(*about, response.status_code, code, self.clock.now, *times))
        return response(environ, start_response)

    def _answered(self, call: Routed, request: HttpRequest, request_id: str) -> HttpResponse:
        with self._lock:
            given = self._permitted(call, request)
            handler = self._handlers(call.service).get(call.name)
            if handler is not None:
                return reply_response(call.operation, handler(given), request_id)
            if call.service in _BY_MOTO:
                return self._by_moto(call, request)
        if call.name == "InvokeEndpoint":  # not behind the lock: invocations run side by side
            return reply_response(call.operation, runtime.invoke(self.hosting, given, request), request_id)
        raise AwsError("UnknownOperationException", f"{call.service}:{call.name} is not emulated.")

    def _permitted(self, call: Routed, request: HttpRequest) -> Members:
        """Return the members of a request; AwsError, in AWS's words, unless they are valid and its caller may do it."""
        who = self.account.caller(call.key)
        given = request_members(call.operation, request, call.in_path)
        for one in access_requests(call, given, self.account, self.hosting):
            call.resource = call.resource or one.resource
            self.account.require(who, one, call.region, call.protocol)
        if call.service == "s3" and call.name != "CreateBucket" and "Bucket" in given:
            self.account.require_own(given["Bucket"])
        if call.region != self.region and call.service in _REGIONAL:
            raise AwsError("UnknownOperationException", f"this emulator holds {self.region} only, not {call.region}")
        return given

    def _handlers(self, service: str) -> Mapping[str, Callable[[Members], Members]]:
        """Return the operations of a service that are ours, by name."""
        profile, region = self.profile, self.region
        known: Mapping[str, Mapping[str, Callable[[Members], Members]]] = {
            "sagemaker": self.hosting.operations,
            "iam": {"SimulatePrincipalPolicy": lambda given: simulate(self.account, given)},
            "pricing": {"GetProducts": lambda given: quotas.get_products(region, given)},
            "servicequotas": {
                "GetServiceQuota": lambda given: quotas.get_service_quota(profile, region, given),
                "ListServiceQuotas": lambda given: quotas.list_service_quotas(profile, region, given),
            },
        }
        return known.get(service, {})

    def _by_moto(self, call: Routed, request: HttpRequest) -> HttpResponse:
        """Return moto's reply; one that breaks its shape is noted as a fault."""
        if call.service == "logs":
            self.hosting.endpoints.collect()
        response = HttpResponse.from_app(self._moto, environ_of(request), buffered=True)
        for one in violations_of_reply(call.operation, response):
            self.faults.append(f"{call.service}:{call.name}: moto's reply breaks its shape: {one}")
        return response


class _Quiet(WSGIRequestHandler):
    """A handler that writes no line for each request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        del type, message, args


_alone = threading.Lock()
