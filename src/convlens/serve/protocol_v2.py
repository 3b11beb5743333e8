"""The Open Inference Protocol, version 2, over HTTP: KServe's and Triton's, without its binary extension.

Source: https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DataError
from ..plain import check_keys
from ..typing import Array, FloatArray
from ..version import __version__
from .codecs import array_of, finite
from .exchange import Exchange, Reply, json_reply
from .handlers import require_ready
from .json_numbers import parsed
from .served import Served

DATATYPES = {
    "BOOL": "b", "UINT8": "iu", "UINT16": "iu", "UINT32": "iu", "UINT64": "iu", "INT8": "iu", "INT16": "iu",
    "INT32": "iu", "INT64": "iu", "FP16": "fiu", "FP32": "fiu", "FP64": "fiu",
}  # fmt: skip
"""NumPy's kinds of the values in JSON, by the protocol's name of a type; whole numbers may stand for floats."""

INPUT, PROBABILITIES, CLASS = "image", "probabilities", "class"

_REQUEST_KEYS = ("id", "parameters", "inputs", "outputs")
_TENSOR_KEYS = ("name", "shape", "datatype", "parameters", "data")


async def server(exchange: Exchange) -> Reply:
    """Describe the server."""
    del exchange
    return json_reply({"name": "convlens", "version": __version__, "extensions": []})


async def live(exchange: Exchange) -> Reply:
    """Say that the process runs."""
    del exchange
    return json_reply({"live": True})


async def ready(exchange: Exchange) -> Reply:
    """Say whether requests are answered: 200, or 503."""
    require_ready(exchange)
    return json_reply({"ready": True})


async def model_ready(exchange: Exchange) -> Reply:
    """Say whether a model answers: 200, or 503."""
    served = exchange.app.models.named(exchange.parameters["name"])
    require_ready(exchange)
    return json_reply({"name": served.name, "ready": True})


async def model(exchange: Exchange) -> Reply:
    """Describe a model's input and outputs."""
    served = exchange.app.models.named(exchange.parameters["name"])
    shape, classes = list(served.model.input_shape), served.model.classes
    return json_reply(
        {
            "name": served.name,
            "platform": "convlens",
            "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, *shape]}],
            "outputs": [
                {"name": PROBABILITIES, "datatype": "FP32", "shape": [-1, classes]},
                {"name": CLASS, "datatype": "INT64", "shape": [-1]},
            ],
            "properties": {"classes": list(served.model.class_names), "prepare": served.predictor.intake.prepare},
        }
    )


async def infer(exchange: Exchange) -> Reply:
    """Predict the images in the one input tensor."""
    served = exchange.app.models.named(exchange.parameters["name"])
    exchange.note["model"] = served.name
    body = await exchange.body()
    with exchange.app.inference.admitted() as work:
        given, images = await work.aside(lambda: read_request(served, body), len(body))
        exchange.note["images"] = len(images)
        found = await work.probabilities(served, images)
        return await work.aside(lambda: json_reply(inferred(served, given, found)), 256 * len(found))


def read_request(served: Served, body: bytes) -> tuple[Mapping[str, Any], Array]:
    """Return a request as plain data, and the images in it; DataError or ConfigurationError if it is none."""
    given = parsed(body, "the body")
    check_keys(_REQUEST_KEYS, given, "the request")
    if not isinstance(given.get("id", ""), str):
        raise DataError(f"the request's id is a text, not {given['id']!r}")
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1:
        raise DataError(f"inputs is a list of one tensor, {INPUT!r}; see /v2/models/{served.name}")
    _require_outputs(given.get("outputs"))
    return given, served.images(_tensor(inputs[0]))


def _tensor(tensor: Any) -> Array:
    """Return the array in an input tensor, whose data may be flat or nested."""
    check_keys(_TENSOR_KEYS, tensor, "inputs[0]")
    if tensor.get("name") != INPUT:
        raise DataError(f"inputs[0]: the name is {INPUT!r}, not {tensor.get('name')!r}")
    kind = tensor.get("datatype")
    if not isinstance(kind, str) or kind not in DATATYPES:
        raise DataError(f"inputs[0]: the datatype is one of {', '.join(DATATYPES)}, not {kind!r}")
    shape = tensor.get("shape")
    if not isinstance(shape, list) or len(shape) > 4 or not all(type(one) is int and one >= 0 for one in shape):
        raise DataError(f"inputs[0]: the shape is a list of up to four whole numbers, not {shape!r}")
    array = array_of(tensor.get("data"), "inputs[0].data")
    if array.size and array.dtype.kind not in DATATYPES[kind]:
        raise DataError(f"inputs[0].data: holds {array.dtype}, which is not {kind}")
    if array.size != math.prod(shape):
        raise DataError(f"inputs[0]: the data has {array.size:,} values, and the shape {shape} {math.prod(shape):,}")
    if kind.startswith("FP"):
        array = array.astype(np.float64)
    return finite(array.reshape(shape))


def _require_outputs(wanted: Any) -> None:
    names = (PROBABILITIES, CLASS)
    if wanted is None:
        return
    if not isinstance(wanted, list) or not all(isinstance(one, Mapping) and one.get("name") in names for one in wanted):
        raise DataError(f"outputs is a list of tensors with the names {' and '.join(map(repr, names))}")


def inferred(served: Served, given: Mapping[str, Any], probabilities: FloatArray) -> dict[str, Any]:
    """Return the protocol's answer, as plain data, with the outputs that were asked for."""
    number, classes = probabilities.shape
    wanted = dict.fromkeys(one["name"] for one in given.get("outputs") or ({"name": PROBABILITIES}, {"name": CLASS}))
    outputs: list[dict[str, Any]] = []
    for name in wanted:
        if name == PROBABILITIES:
            values = {"datatype": "FP32", "shape": [number, classes], "data": probabilities.ravel().tolist()}
        else:
            values = {"datatype": "INT64", "shape": [number], "data": probabilities.argmax(axis=1).tolist()}
        outputs.append({"name": name, **values})
    told = {"id": given["id"]} if "id" in given else {}
    return {"model_name": served.name, **told, "outputs": outputs}
