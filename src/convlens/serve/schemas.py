"""JSON schemas of what goes in and out, by name, for the description of the API."""

from __future__ import annotations

from typing import Any

from .protocol_v2 import CLASS, DATATYPES, INPUT, PROBABILITIES

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """Return a reference to the schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: dict[str, Any], **optional: Any) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


_TEXT, _NUMBER, _WHOLE, _YES = {"type": "string"}, {"type": "number"}, {"type": "integer"}, {"type": "boolean"}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}

_NESTED = _list({"anyOf": [_NUMBER, _list({"anyOf": [_NUMBER, _list({"anyOf": [_NUMBER, _list(_NUMBER)]})]})]})

IMAGES: Schema = {
    "description": "One image (H, W) or (H, W, C), or several: whole numbers 0 to 255 are pixels, others the network's "
    "input.",
    "anyOf": [_NESTED, _object({"instances": _NESTED})],
}

_TENSOR = _object({"name": _TEXT, "datatype": {"enum": list(DATATYPES)}, "shape": _list(_WHOLE)})

SCHEMAS: dict[str, Schema] = {
    "Refused": _object({"error": _TEXT, "request_id": _TEXT}),
    "Prediction": _object(
        {"class": _TEXT, "index": _WHOLE, "probability": _SHARE,
         "probabilities": {"type": "object", "additionalProperties": _SHARE}},
        done=_list(_TEXT), warnings=_list(_TEXT), doubts=_list(_TEXT), unsure=_YES,
    ),
    "Predictions": _object({"model": _TEXT, "predictions": _list(ref("Prediction"))}),
    "Execution": _object(
        {"MaxConcurrentTransforms": _WHOLE, "BatchStrategy": {"const": "MULTI_RECORD"}, "MaxPayloadInMB": _WHOLE}
    ),
    "Models": _object({"models": _list(_object({"modelName": _TEXT, "modelUrl": _TEXT}))}),
    "Model": _object(
        {"name": _TEXT, "platform": _TEXT, "inputs": _list(_TENSOR), "outputs": _list(_TENSOR),
         "properties": _object({"classes": _list(_TEXT), "prepare": {"enum": ["digits", "as-is"]}})}
    ),
    "Server": _object({"name": _TEXT, "version": _TEXT, "extensions": _list(_TEXT)}),
    "Live": _object({"live": _YES}),
    "Ready": _object({"ready": _YES}, name=_TEXT),
    "Infer": _object(
        {"inputs": _list(
            _object(
                {"name": {"const": INPUT}, "datatype": {"enum": list(DATATYPES)},
                 "shape": _list({"type": "integer", "minimum": 0}, maxItems=4), "data": _NESTED},
                parameters={"type": "object"},
            ),
            minItems=1, maxItems=1,
        )},
        id=_TEXT, parameters={"type": "object"},
        outputs=_list(_object({"name": {"enum": [PROBABILITIES, CLASS]}}, parameters={"type": "object"})),
    ),
    "Inferred": _object(
        {"model_name": _TEXT,
         "outputs": _list(_object({"name": _TEXT, "datatype": _TEXT, "shape": _list(_WHOLE), "data": _list(_NUMBER)}))},
        id=_TEXT,
    ),
}  # fmt: skip
"""Every schema that a reference names."""
