"""What each operation does, but for those of the Open Inference Protocol (`protocol_v2`)."""

from __future__ import annotations

from pathlib import Path

from ..typing import Array
from . import answers
from .codecs import read_numbers
from .exchange import Exchange, Reply, json_reply
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


async def ping(exchange: Exchange) -> Reply:
    """Say whether requests are answered: 200 without a body, or 503."""
    require_ready(exchange)
    return Reply(b"")


def require_ready(exchange: Exchange) -> None:
    """Raise Refusal 503 unless the server is ready."""
    if not exchange.app.inference.ready:
        stopping = exchange.app.inference.draining
        raise busy("the server is stopping" if stopping else "the models are still being loaded")


async def invocations(exchange: Exchange) -> Reply:
    """Predict the images or the picture in the body."""
    return await answered(exchange, exchange.app.models.named(exchange.header(b"x-amzn-sagemaker-target-model")))


async def invoke(exchange: Exchange) -> Reply:
    """Predict with the model that the path names."""
    return await answered(exchange, exchange.app.models.named(exchange.parameters["name"]))


async def answered(exchange: Exchange, served: Served) -> Reply:
    """Return the reply to a request for predictions of a model."""
    exchange.note["model"] = served.name
    form = answer_kind(exchange.header(b"accept") or "", exchange.app.settings.default_accept)
    kind = kind_of(exchange.header(b"content-type") or "")
    body = await exchange.body()
    kind = kind or seen_kind(body)
    with exchange.app.inference.admitted() as work:
        if kind == PICTURE:
            exchange.note["images"] = 1
            picture = await work.aside(lambda: served.read(body), len(body) + 2**20)  # decoded it is larger
            prediction = await work.prediction(served, picture)
            return Reply(answers.of_prediction(form, served.name, prediction), form)
        largest = exchange.app.settings.largest_body
        images = await work.aside(lambda: _images(served, kind, body, largest), len(body))
        exchange.note["images"] = len(images)
        found = await work.probabilities(served, images)
        names = served.model.class_names
        size = _BYTES_A_ROW * len(found)
        answer = await work.aside(lambda: answers.of_probabilities(form, served.name, names, found), size)
        return Reply(answer, form)


def _images(served: Served, kind: str, body: bytes, largest: int) -> Array:
    return served.images(read_numbers(kind, body, largest))


async def execution_parameters(exchange: Exchange) -> Reply:
    """Say how a batch transform should send its records."""
    settings = exchange.app.settings
    return json_reply(
        {
            "MaxConcurrentTransforms": max(1, settings.queue // 2),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": max(1, settings.largest_body // MIB),
        }
    )


async def models(exchange: Exchange) -> Reply:
    """List the models, the default first."""
    listed = [{"modelName": name, "modelUrl": f"/v2/models/{name}"} for name in exchange.app.models]
    return json_reply({"models": listed})


async def metrics(exchange: Exchange) -> Reply:
    """Return all counters, for Prometheus."""
    return Reply(exchange.app.metrics.text(), CONTENT_TYPE)


async def description(exchange: Exchange) -> Reply:
    """Describe every operation."""
    return Reply(exchange.app.description, JSON)


async def page(exchange: Exchange) -> Reply:
    """Return the page, or a file that belongs to it."""
    name = exchange.parameters.get("file", "index.html")
    if name not in _FILES:
        raise Refusal(404, f"the page has no file {name!r}")
    return Reply(_FILES[name], _TYPES[Path(name).suffix], headers=_PAGE_HEADERS)


_FILES = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
