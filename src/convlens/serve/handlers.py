"""What each operation does, but for those of the Open Inference Protocol (`protocol_v2`)."""

from __future__ import annotations

from pathlib import Path

from ..typing import Array
from . import answers
from .call import Call, Reply, json_reply
from .codecs import read_numbers
from .media import JSON, PICTURE, answer_kind, kind_of, seen_kind
from .metrics import CONTENT_TYPE
from .refusal import Refusal, busy
from .served import Served
from .settings import MIB

_FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PAGE_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-cache"),
)
_BYTES_A_ROW = 256  # of an answer in JSON, about


async def ping(call: Call) -> Reply:
    """Say whether requests are answered: 200 without a body, or 503."""
    require_ready(call)
    return Reply(b"")


def require_ready(call: Call) -> None:
    """Raise Refusal 503 unless the server is ready."""
    if not call.app.inference.ready:
        raise busy("the server is stopping" if call.app.inference.draining else "the models are still being loaded")


async def invocations(call: Call) -> Reply:
    """Predict the images or the picture in the body."""
    return await answered(call, call.app.models.named(call.header(b"x-amzn-sagemaker-target-model")))


async def invoke(call: Call) -> Reply:
    """Predict with the model that the path names."""
    return await answered(call, call.app.models.named(call.parameters["name"]))


async def answered(call: Call, served: Served) -> Reply:
    """Return the reply to a request for predictions of a model."""
    call.note["model"] = served.name
    inference = call.app.inference
    form = answer_kind(call.header(b"accept") or "", call.app.settings.default_accept)
    kind = kind_of(call.header(b"content-type") or "")
    body = await call.body()
    kind = kind or seen_kind(body)
    async with inference.admitted():
        if kind == PICTURE:
            call.note["images"] = 1
            picture = await inference.aside(lambda: served.read(body), len(body) + 2**20)  # decoded it is larger
            prediction = await inference.prediction(served, picture)
            return Reply(answers.of_prediction(form, served.name, prediction), form)
        images = await inference.aside(lambda: _images(served, kind, body, call.app.settings.largest_body), len(body))
        call.note["images"] = len(images)
        found = await inference.probabilities(served, images)
        names = served.model.class_names
        size = _BYTES_A_ROW * len(found)
        return Reply(
            await inference.aside(lambda: answers.of_probabilities(form, served.name, names, found), size), form
        )


def _images(served: Served, kind: str, body: bytes, largest: int) -> Array:
    return served.images(read_numbers(kind, body, largest))


async def execution_parameters(call: Call) -> Reply:
    """Say how a batch transform should send its records."""
    settings = call.app.settings
    return json_reply(
        {
            "MaxConcurrentTransforms": max(1, settings.queue // 2),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": max(1, settings.largest_body // MIB),
        }
    )


async def models(call: Call) -> Reply:
    """List the models, the default first."""
    return json_reply({"models": [{"modelName": name, "modelUrl": f"/v2/models/{name}"} for name in call.app.models]})


async def metrics(call: Call) -> Reply:
    """Return all counters, for Prometheus."""
    return Reply(call.app.metrics.text(), CONTENT_TYPE)


async def description(call: Call) -> Reply:
    """Describe every operation."""
    return Reply(call.app.description, JSON)


async def page(call: Call) -> Reply:
    """Return the page, or a file that belongs to it."""
    name = call.parameters.get("file", "index.html")
    if name not in _FILES:
        raise Refusal(404, f"the page has no file {name!r}")
    return Reply(_FILES[name], _TYPES[Path(name).suffix], headers=_PAGE_HEADERS)


_FILES = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
