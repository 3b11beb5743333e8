"""A reader of saved models that knows nothing but docs/format.md: struct, json and NumPy, in float64.

It shares no code with convlens, on purpose: it proves that the page is enough to write one.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray
DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}


class Reader:
    """A model read from a file: ``Reader(path).logits(images)``."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        table, data = json.loads(raw[8 : 8 + length]), raw[8 + length :]
        self.header = json.loads(table.pop("__metadata__")["convlens"])
        self.arrays = {name: array(data, **entry) for name, entry in table.items()}
        assert (self.header["kind"], self.header["format_version"]) == ("model", 1)
        assert self.header["arrays_sha256"] == checksum(self.arrays)
        digits = self.header["file_sha256"].encode()
        assert self.header["file_sha256"] == hashlib.sha256(raw.replace(digits, b"0" * 64)).hexdigest()
        self.program = self.header["program"]

    def prepare(self, images: Array) -> Array:
        """Return the network's input for uint8 images (N, H, W, C)."""
        settings = self.header["preprocessing"]
        return (settings["scale"] * images.astype(np.float64) - settings["mean"]) / settings["deviation"]

    def run(self, x: Array) -> dict[str, Array]:
        """Return every value of the network for its input (N, H, W, C)."""
        values = {"input": x.astype(np.float64)}
        for node in self.program["nodes"]:
            slots = {**node["parameters"], **node["buffers"]}
            arrays = {key: self.arrays[slot["name"]].astype(np.float64) for key, slot in slots.items()}
            value = OPS[node["op"]](node, *(values[name] for name in node["inputs"]), **arrays)
            assert value.shape == (len(x), *node["output_shape"])
            values[node["name"]] = value
        return values

    def logits(self, images: Array) -> Array:
        """Return the scores (N, K) of uint8 images (N, H, W, C)."""
        return self.run(self.prepare(images))[self.program["nodes"][-1]["name"]]

    def predict(self, images: Array) -> list[str]:
        """Return the name of each image's most probable class."""
        return [self.header["class_names"][k] for k in self.logits(images).argmax(axis=1)]


def array(data: bytes, dtype: str, shape: list[int], data_offsets: list[int]) -> Array:
    start, stop = data_offsets
    return np.frombuffer(data[start:stop], DTYPES[dtype]).reshape(shape)


def checksum(arrays: dict[str, Array]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(json.dumps([name, arrays[name].dtype.str, arrays[name].shape]).encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def patches(node: dict[str, Any], x: Array) -> Array:
    """Return what each output pixel sees, (N, H_out, W_out, KH, KW, C)."""
    window = node["sight"]
    (kh, kw), (sh, sw) = window["kernel"], window["stride"]
    mode = {"zeros": "constant", "reflect": "reflect"}[window["mode"]]
    padded = np.pad(x, ((0, 0), window["rows"], window["columns"], (0, 0)), mode=mode)
    h_out, w_out = node["output_shape"][:2]
    seen = np.empty((len(x), h_out, w_out, kh, kw, x.shape[3]))
    for i in range(h_out):
        for j in range(w_out):
            seen[:, i, j] = padded[:, i * sh : i * sh + kh, j * sw : j * sw + kw]
    return seen


def conv2d(node: dict[str, Any], x: Array, w: Array, b: Array) -> Array:
    return np.einsum("nijuvc,uvco->nijo", patches(node, x), w, optimize=True) + b


def local2d(node: dict[str, Any], x: Array, w: Array, b: Array) -> Array:
    return np.einsum("nijuvc,ijuvco->nijo", patches(node, x), w, optimize=True) + b


def blur_pool2d(node: dict[str, Any], x: Array) -> Array:
    rows, columns = ([math.comb(k - 1, i) / 2 ** (k - 1) for i in range(k)] for k in node["sight"]["kernel"])
    return np.einsum("nijuvc,u,v->nijc", patches(node, x), rows, columns)


def batch_norm(node: dict[str, Any], x: Array, gamma: Array, beta: Array, mean: Array, variance: Array) -> Array:
    return gamma * (x - mean) / np.sqrt(variance + node["attributes"]["epsilon"]) + beta


OPS: dict[str, Callable[..., Array]] = {
    "add": lambda _node, x, other: x + other,
    "average_pool2d": lambda node, x: patches(node, x).mean(axis=(3, 4)),
    "batch_norm": batch_norm,
    "blur_pool2d": blur_pool2d,
    "conv2d": conv2d,
    "dense": lambda _node, x, w, b: x @ w + b,
    "dropout": lambda _node, x: x,
    "local2d": local2d,
    "max_pool2d": lambda node, x: patches(node, x).max(axis=(3, 4)),
    "relu": lambda _node, x: np.maximum(x, 0),
    "reshape": lambda node, x: x.reshape(len(x), *node["output_shape"]),
    "tanh": lambda _node, x: np.tanh(x),
}
