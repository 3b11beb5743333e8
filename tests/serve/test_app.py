"""The application, called without a socket: every form in and out, every refusal, and what is counted and logged."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from convlens.errors import ConfigurationError, ConvlensError
from convlens.serve import App, Settings
from convlens.serve import handlers as handlers_module
from convlens.serve.operations import OPERATIONS
from convlens.serve.served import Models, Served, parts

from .client import NPY, Client, Response, npy, npz, picture

DRAW = np.random.default_rng(0)
DIGITS = DRAW.integers(0, 256, (5, 28, 28, 1), dtype=np.uint8)
COLOURS = DRAW.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
PAGE = np.full((60, 50), 255, np.uint8)
PAGE[10:50, 22:28] = 0  # a one, dark on light

JSON, CSV, NPZ, PNG = "application/json", "text/csv", "application/x-npz", "image/png"


def lines(images: np.ndarray) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in images.reshape(len(images), -1).tolist()).encode()


BODIES = {
    "npy": (NPY, npy),
    "npy without a type": ("", npy),
    "npz": (NPZ, lambda images: npz(images=images)),
    "JSON": (JSON, lambda images: json.dumps(images.tolist()).encode()),
    "JSON instances": (JSON, lambda images: json.dumps({"instances": images.tolist()}).encode()),
    "CSV": (CSV, lines),
}


def probabilities(response: Response) -> np.ndarray:
    assert response.status == 200, response
    form = response.headers["content-type"]
    if form == NPY:
        return response.array()
    if form == CSV:
        return np.loadtxt(io.BytesIO(response.body), np.float32, delimiter=",", ndmin=2)
    return np.array([[*one["probabilities"].values()] for one in response.json()["predictions"]], np.float32)


@pytest.mark.parametrize("name", BODIES)
def test_every_body_is_answered_in_every_form(client: Client, served: Models, name: str) -> None:
    kind, write = BODIES[name]
    expected = served["digits"].model.predict_proba(DIGITS)
    for accept in ("", JSON, CSV, NPY):
        found = client.post("/invocations", write(DIGITS), kind, accept)
        np.testing.assert_allclose(probabilities(found), expected, rtol=1e-5)
    floats = served["digits"].model.preprocessing(DIGITS)
    np.testing.assert_allclose(probabilities(client.post("/invocations", write(floats), kind)), expected, rtol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 3, 31, 32, 33, 100])
def test_any_number_of_images(client: Client, served: Models, count: int) -> None:
    images = DRAW.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    found = client.post("/models/colours/invoke", npy(images), NPY, NPY)
    np.testing.assert_allclose(found.array(), served["colours"].model.predict_proba(images), rtol=1e-5)


def test_parts_cover_all_and_are_of_few_sizes() -> None:
    for count in range(200):
        found = [*parts(count)]
        assert [index for part in found for index in range(count)[part]] == [*range(count)]
        assert {part.stop - part.start for part in found} <= {1, 2, 4, 8, 16, 32}


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_answered_as_predict_answers_it(client: Client, served: Models, kind: str) -> None:
    body = picture(PAGE, kind)
    expected = served["digits"].predictor.predict_one(body).to_dict()
    [found] = client.post("/invocations", body, f"image/{kind.lower()}").json()["predictions"]
    assert found["done"][0] == "inverted (dark ink on light paper)"
    shares = found.pop("probabilities"), expected.pop("probabilities")
    assert shares[0] == pytest.approx(shares[1], rel=1e-5)
    assert found | {"probability": 0} == expected | {"probability": 0}
    np.testing.assert_allclose(
        probabilities(client.post("/invocations", body, "", CSV))[0], list(shares[1].values()), rtol=1e-5
    )


def test_models_by_header_path_and_file_name(client: Client) -> None:
    body = npy(COLOURS)
    for name in ("colours", "colours.safetensors", "colours.tar.gz"):
        found = client.post("/invocations", body, NPY, x_amzn_sagemaker_target_model=name)
        assert found.json()["model"] == "colours"
    assert client.post("/models/colours/invoke", body, NPY).json()["model"] == "colours"
    assert client.post("/invocations", npy(DIGITS), NPY).json()["model"] == "digits"
    for name in ("colour", "../colours", "", "https://example.org/colours"):
        assert client.post("/invocations", body, NPY, x_amzn_sagemaker_target_model=name).status == 404
    assert "did you mean 'colours'?" in client.post("/models/colour/invoke", body, NPY).json()["error"]


def test_requests_are_gathered_and_each_gets_its_own_answer(client: Client, served: Models) -> None:
    images = DRAW.integers(0, 256, (60, 28, 28, 1), dtype=np.uint8)

    async def all_at_once() -> list[Response]:
        return await asyncio.gather(*(
            client.request("POST", "/invocations", [npy(one)], content_type=NPY, accept=NPY) for one in images
        ))  # fmt: skip

    found = np.concatenate([one.array() for one in client.run(all_at_once())])
    np.testing.assert_allclose(found, served["digits"].model.predict_proba(images), rtol=1e-5)
    counted = metrics(client)
    assert counted["convlens_batch_images_sum", "digits"] == 60
    assert counted["convlens_batch_images_count", "digits"] == 2  # 32 and 28


@pytest.mark.parametrize("client", [Settings(batch_wait=0.5)], indirect=True)
def test_a_request_may_wait_for_others(client: Client) -> None:
    async def one_after_the_other() -> list[Response]:
        asked = []
        for _ in range(2):
            request = client.request("POST", "/invocations", [npy(DIGITS[0])], content_type=NPY)
            asked.append(asyncio.create_task(request))
            await asyncio.sleep(0.01)
        return await asyncio.gather(*asked)

    assert [one.status for one in client.run(one_after_the_other())] == [200, 200]
    assert metrics(client)["convlens_batch_images_count", "digits"] == 1


def test_an_image_that_overflows_spoils_no_other(client: Client, served: Models) -> None:
    good = served["digits"].model.preprocessing(DIGITS[:1])
    bad = np.full_like(good, 3e38)

    async def together() -> list[Response]:
        return await asyncio.gather(*(
            client.request("POST", "/invocations", [npy(one)], content_type=NPY) for one in (good, bad, DIGITS[:1])
        ))  # fmt: skip

    statuses = [one.status for one in client.run(together())]
    assert statuses == [200, 400, 200]


@contextmanager
def worker_stopped(client: Client) -> Iterator[threading.Event]:
    """Let the thread that predicts wait for the event, and be used for every batch."""
    go_on = threading.Event()
    for served in client.app.models.values():
        served.image_seconds = np.inf
    client.app.inference._worker.submit(go_on.wait)
    try:
        yield go_on
    finally:
        go_on.set()


@pytest.mark.parametrize("client", [Settings(queue=3)], indirect=True)
def test_above_the_queue_requests_are_refused_and_ping_is_answered(client: Client) -> None:
    async def crowd(go_on: threading.Event) -> list[Response]:
        waiting = [
            asyncio.create_task(client.request("POST", "/invocations", [npy(DIGITS[0])], content_type=NPY))
            for _ in range(9)
        ]
        await asyncio.sleep(0.05)
        assert (await client.request("GET", "/ping")).status == 200
        go_on.set()
        return await asyncio.gather(*waiting)

    with worker_stopped(client) as go_on:
        found = client.run(crowd(go_on))
    assert sorted(one.status for one in found) == [200] * 3 + [503] * 6
    assert all(one.headers["retry-after"] == "1" for one in found if one.status == 503)
    assert client.app.inference.in_hand == client.app.held == 0


@pytest.mark.parametrize("seconds", [0.0, np.inf], ids=["in the loop", "in the thread"])
def test_a_batch_that_fails_fails_alone(
    client: Client, served: Models, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    served["digits"].image_seconds = seconds
    batchers = client.app.inference._batchers["digits"]
    right = batchers.arrays._predict
    monkeypatch.setattr(batchers.arrays, "_predict", lambda requests: 1 // 0)
    assert client.post("/invocations", npy(DIGITS[0]), NPY).status == 500
    monkeypatch.setattr(batchers.arrays, "_predict", right)
    assert client.post("/invocations", npy(DIGITS[0]), NPY).status == 200


@pytest.mark.parametrize("client", [Settings(timeout=0.05)], indirect=True)
def test_a_late_answer_is_refused_and_never_predicted(client: Client) -> None:
    with worker_stopped(client):
        for _ in range(2):  # the second is still gathered when its time is over
            found = client.post("/invocations", npy(DIGITS[0]), NPY)
            assert (found.status, found.headers["retry-after"]) == (503, "1")
    assert client.post("/invocations", npy(DIGITS[0]), NPY).status == 200
    assert metrics(client)["convlens_batch_images_sum", "digits"] == 2


SMALL = Settings(largest_body=2000, held=3000, patience=0.2)


@pytest.mark.parametrize("client", [SMALL], indirect=True)
@pytest.mark.parametrize(
    ("status", "chunks", "headers"),
    [
        (413, [bytes(900), bytes(900), bytes(900)], {}),
        (413, [bytes(10)], {"content_length": "2001"}),
        (413, [bytes(10)], {"content_length": "-1"}),
        (413, [bytes(10)], {"content_length": "9" * 5000}),
        (408, [bytes(10), 5.0, bytes(10)], {}),
        (415, [npy(DIGITS[0])], {"content_encoding": "gzip"}),
        (415, [npy(DIGITS[0])], {"content_type": "text/html"}),
        (406, [npy(DIGITS[0])], {"accept": "text/html"}),
        (404, [npy(DIGITS[0])], {"x_amzn_sagemaker_target_model": "x"}),
        (400, [npy(COLOURS)], {}),
        (400, [npy(DIGITS[:0])], {}),
        (400, [picture(PAGE)[:50]], {"content_type": PNG}),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, int) else "",
)  # fmt: skip
def test_refusals(client: Client, status: int, chunks: list[Any], headers: dict[str, str]) -> None:
    found = client.run(client.request("POST", "/invocations", chunks, **{"content_type": NPY, **headers}))
    assert found.status == status
    assert found.headers["content-type"] == JSON
    assert found.json().keys() == {"error", "request_id"}
    assert len(found.json()["error"]) > 20
    assert client.app.held == 0
    assert client.post("/invocations", npy(DIGITS[0]), NPY).status == 200


@pytest.mark.parametrize("client", [SMALL], indirect=True)
def test_the_rest_of_a_refused_body_is_received_and_the_connection_ends(client: Client) -> None:
    chunks = [bytes(900)] * 50
    found = client.run(client.request("POST", "/invocations", chunks, content_type=NPY))
    assert (found.status, found.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("client", [SMALL], indirect=True)
def test_bodies_that_are_too_large_together_are_refused(client: Client) -> None:
    async def together() -> list[Response]:
        slow = [bytes(1600), 0.1, bytes(300)]  # while the first waits, the second comes
        return await asyncio.gather(*(client.request("POST", "/invocations", slow, content_type=NPY) for _ in range(2)))

    statuses = sorted(one.status for one in client.run(together()))
    assert statuses == [400, 503]
    assert client.app.held == 0


def test_a_connection_that_ends_within_its_body(client: Client) -> None:
    assert client.run(client.request("POST", "/invocations", [], content_type=NPY)).status == 400


def test_a_picture_that_is_too_large_is_not_decoded(served: Models) -> None:
    small = Served("digits", served["digits"].predictor, largest_picture=60 * 50 - 1)
    with pytest.raises(ConvlensError, match="50 x 60 pixels, more than the 2,999"):
        small.read(picture(PAGE))


def test_a_server_that_drains_is_not_ready_but_answers(client: Client) -> None:
    client.app.drain()
    for path in ("/ping", "/v2/health/ready", "/v2/models/digits/ready"):
        found = client.get(path)
        assert (found.status, found.headers["retry-after"], found.headers["connection"]) == (503, "1", "close")
    found = client.post("/invocations", npy(DIGITS[0]), NPY)
    assert (found.status, found.headers["connection"]) == (200, "close")
    assert client.get("/v2/health/live").status == 200


def test_no_ping_is_answered_before_every_engine_is_warm(served: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(served["colours"], "warm", go_on.wait)
    with Client(App(served, stream=None)) as client:
        client.run(asyncio.sleep(0.2))
        early = client.get("/ping").status, client.get("/v2/health/ready").status
        go_on.set()  # before anything is asserted: the application ends only after it
        assert early == (503, 503)
        found = client.wait_until_ready().get("/ping")
        assert (found.status, found.body) == (200, b"")


def test_an_engine_that_fails_is_reported(served: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(served["colours"], "warm", fail)
    with Client(App(served, stream=None)) as client:
        while client.app.inference.failure is None:
            client.run(asyncio.sleep(0.01))
        assert isinstance(client.app.inference.failure, MemoryError)
        assert client.get("/ping").status == 503


def metrics(client: Client) -> dict[tuple[str, ...], float]:
    text = client.get("/metrics").body.decode()
    return {
        (one.name, *(value for key, value in one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_metrics_count_requests_by_route_and_status(client: Client) -> None:
    for _ in range(3):
        client.post("/invocations", npy(DIGITS[0]), NPY)
    client.post("/invocations", b"", JSON)
    client.get("/v2/models/nothing")
    client.get("/anything/../at/all")
    found = metrics(client)
    assert found["convlens_requests_total", "/invocations", "200"] == 3
    assert found["convlens_requests_total", "/invocations", "400"] == 1
    assert found["convlens_requests_total", "/v2/models/{name}", "404"] == 1
    assert found["convlens_requests_total", "none", "404"] == 1
    assert found["convlens_request_seconds_count", "/invocations"] == 4
    assert found["convlens_ready",] == 1
    assert found["convlens_requests_in_hand",] == 0


def test_the_log_has_one_line_for_each_request_with_its_id(client: Client, log: io.StringIO) -> None:
    one = client.run(client.request("POST", "/invocations", [npy(DIGITS)], content_type=NPY, x_request_id="mine-1"))
    assert one.headers["x-request-id"] == "mine-1"
    for bad in ("a b", "x" * 65, '"}'):
        other = client.run(client.request("POST", "/invocations", [b"{"], content_type=JSON, x_request_id=bad))
        assert re.fullmatch(r"[0-9a-f-]+", other.headers["x-request-id"])
    client.get("/ping")
    client.app.log.flush()
    entries = [json.loads(line) for line in log.getvalue().splitlines()]
    requests = [one for one in entries if one["event"] == "request"]
    assert len(requests) == 4
    first, last = requests[0], requests[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    known = {"id": "mine-1", "method": "POST", "path": "/invocations", "status": 200, "model": "digits", "images": 5}
    assert known.items() <= first.items()
    assert last["status"] == 400
    assert last["error"] == other.json()["error"]
    assert last["id"] == other.headers["x-request-id"] == other.json()["request_id"]


def test_an_accident_is_in_the_log_and_not_in_the_reply(
    client: Client, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(handlers_module.answers, "of_probabilities", fail)
    found = client.post("/invocations", npy(DIGITS), NPY)
    client.app.log.flush()
    assert found.status == 500
    assert b"secret" not in found.body
    [entry] = [one for one in map(json.loads, log.getvalue().splitlines()) if one["event"] == "error"]
    assert "ZeroDivisionError: secret" in entry["traceback"]
    assert entry["id"] == found.json()["request_id"]


def test_the_page_and_its_files(client: Client) -> None:
    page = client.get("/")
    text = page.body.decode()
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|https?://", text)
    for name, kind in (("page.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")):
        assert f'"/page/{name}"' in text
        found = client.get(f"/page/{name}")
        assert found.status == 200
        assert found.headers["content-type"].startswith(kind)
    assert client.get("/page/settings.py").status == client.get("/page/..").status == 404


def test_what_cannot_be_routed(client: Client) -> None:
    found = client.get("/invocation")
    assert (found.status, "did you mean '/invocations'" in found.json()["error"]) == (404, True)
    found = client.get("/invocations")
    assert (found.status, found.headers["allow"]) == (405, "POST")


def test_a_batch_transform_learns_the_limits(client: Client) -> None:
    assert client.get("/execution-parameters").json() == {
        "MaxConcurrentTransforms": 64, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6,
    }  # fmt: skip


def test_the_description_has_every_operation_and_every_schema(client: Client) -> None:
    found = client.get("/openapi.json").json()
    described = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    assert described == {(one.method, one.path) for one in OPERATIONS}
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(found)))
    assert used == set(found["components"]["schemas"])
    assert all(one["summary"] for methods in found["paths"].values() for one in methods.values())


def test_settings_of_a_container() -> None:
    found = Settings.from_environment(
        {"SAGEMAKER_BIND_TO_PORT": "9000", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "100", "SAGEMAKER_MODEL_SERVER_TIMEOUT": "30",
         "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv", "SAGEMAKER_PROGRAM": "inference.py"},
        host="0.0.0.0",
    )  # fmt: skip
    assert (found.host, found.port, found.timeout, found.default_accept) == ("0.0.0.0", 9000, 30.0, "text/csv")
    assert found.largest_body == 100 * 2**20 <= found.held
    assert Settings.from_environment({"SAGEMAKER_BIND_TO_PORT": " "}) == Settings()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SAGEMAKER_BIND_TO_PORT": "http"}, "SAGEMAKER_BIND_TO_PORT is a number, not 'http'"),
        ({"SAGEMAKER_BIND_TO_PORT": "70000"}, "port is at most 65535, not 70000 .*SAGEMAKER_BIND_TO_PORT"),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, "largest_body is a whole number from 1, not 0"),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "inf"}, "SAGEMAKER_MAX_PAYLOAD_IN_MB is a number"),
        ({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "nan"}, "timeout is a number of seconds"),
        ({"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/html"}, "default_accept is one of application/json"),
    ],
)
def test_wrong_settings_of_a_container(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Settings.from_environment(environment)


def test_models_need_names_of_their_own(served: Models) -> None:
    with pytest.raises(ConfigurationError, match="two models are called 'digits'"):
        Models([served["digits"], served["colours"], served["digits"]])
    with pytest.raises(ConfigurationError, match="there is no model to serve"):
        Models([])


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httptools", None)
    monkeypatch.delitem(sys.modules, "convlens.serve")
    with pytest.raises(ConfigurationError, match=r"serving needs httptools: pip install 'convlens\[serve\]'"):
        importlib.import_module("convlens.serve")
