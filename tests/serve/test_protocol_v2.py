"""The Open Inference Protocol: what is described is what is answered."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from convlens.serve.protocol_v2 import DATATYPES
from convlens.serve.served import Models

from .client import Client, Response

IMAGES = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
TENSOR = {"name": "image", "shape": [3, 8, 8, 3], "datatype": "UINT8", "data": IMAGES.ravel().tolist()}


def infer(client: Client, name: str = "colours", **request: Any) -> Response:
    return client.post(f"/v2/models/{name}/infer", json.dumps(request).encode(), "application/json")


def outputs(response: Response) -> dict[str, np.ndarray]:
    assert response.status == 200, response
    return {one["name"]: np.array(one["data"]).reshape(one["shape"]) for one in response.json()["outputs"]}


def test_server_and_models_describe_themselves(client: Client) -> None:
    assert client.get("/v2").json()["name"] == "convlens"
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/colours/ready").json() == {"name": "colours", "ready": True}
    found = client.get("/v2/models/colours").json()
    assert found["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, 8, 8, 3]}]
    assert [(one["name"], one["shape"]) for one in found["outputs"]] == [("probabilities", [-1, 3]), ("class", [-1])]
    assert found["properties"] == {"classes": ["ant", "bee", "cat"], "prepare": "as-is"}
    assert client.get("/v2/models/colour").status == client.get("/v2/models/colour/ready").status == 404


def test_a_tensor_is_answered_flat_or_nested(client: Client, served: Models) -> None:
    expected = served["colours"].model.predict_proba(IMAGES)
    for data in (TENSOR["data"], IMAGES.tolist()):
        response = infer(client, inputs=[{**TENSOR, "data": data}], id="mine")
        found = outputs(response)
        np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-5)
        assert found["class"].tolist() == expected.argmax(axis=1).tolist()
        assert response.json()["model_name"] == "colours"
        assert response.json()["id"] == "mine"


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_type_of_number(client: Client, served: Models, datatype: str) -> None:
    images: np.ndarray = IMAGES // 2  # an INT8 has no more
    if datatype == "BOOL":
        images = IMAGES > 100
    given: np.ndarray = images
    if datatype.startswith("FP"):
        given = served["colours"].model.preprocessing(images)
    found = outputs(infer(client, inputs=[{**TENSOR, "datatype": datatype, "data": given.tolist()}]))
    expected = served["colours"].model.predict_proba(images)
    np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-4)


def test_whole_numbers_of_a_float_type_are_the_networks_input(client: Client, served: Models) -> None:
    found = outputs(infer(client, inputs=[{**TENSOR, "datatype": "FP32", "data": [1] * IMAGES.size}]))
    expected = served["colours"].model.predict_proba(np.ones(IMAGES.shape, np.float32))
    np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-5)


def test_only_the_outputs_that_are_asked_for(client: Client) -> None:
    assert list(outputs(infer(client, inputs=[TENSOR], outputs=[{"name": "class"}]))) == ["class"]
    assert list(outputs(infer(client, inputs=[TENSOR], outputs=[]))) == ["probabilities", "class"]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({}, "inputs is a list of one tensor"),
        ({"inputs": [TENSOR, TENSOR]}, "inputs is a list of one tensor"),
        ({"inputs": [TENSOR], "output": []}, "unknown key 'output'; did you mean 'outputs'"),
        ({"inputs": [{**TENSOR, "name": "x"}]}, "the name is 'image', not 'x'"),
        ({"inputs": [{**TENSOR, "datatype": "BYTES"}]}, "the datatype is one of BOOL"),
        ({"inputs": [{**TENSOR, "datatype": ["UINT8"]}]}, "the datatype is one of BOOL"),
        ({"inputs": [{**TENSOR, "shape": [3, 8, 8, 4]}]}, "the data has 576 values, and the shape"),
        ({"inputs": [{**TENSOR, "shape": [1] * 99}]}, "up to four whole numbers"),
        ({"inputs": [{**TENSOR, "shape": [-3, -8, 8, 3]}]}, "up to four whole numbers"),
        ({"inputs": [{**TENSOR, "shape": [24, 24]}]}, "expected images of shape (8, 8, 3)"),
        ({"inputs": [{**TENSOR, "data": [0.5] * 576}]}, "holds float64, which is not UINT8"),
        ({"inputs": [{**TENSOR, "data": ["0"] * 576}]}, "holds a text"),
        ({"inputs": [{**TENSOR, "data": [300] * 576}]}, "pixels are 0 to 255"),
        ({"inputs": [{**TENSOR, "data": None}]}, "nested lists of numbers, not null"),
        ({"inputs": [{**TENSOR, "shape": [0, 8, 8, 3], "data": []}]}, "there are no images"),
        ({"inputs": [{**TENSOR, "datatype": "FP32", "data": [1e300] * 576}]}, "not finite"),
        ({"inputs": [TENSOR], "id": 7}, "the request's id is a text"),
        ({"inputs": [TENSOR], "outputs": [{"name": "logits"}]}, "outputs is a list of tensors with the names"),
    ],
)
def test_refusals(client: Client, request_: dict[str, Any], told: str) -> None:
    found = infer(client, **request_)
    assert found.status == 400
    assert told in found.json()["error"]
