"""The model on one of SageMaker's ready-made images: one file of NumPy and the standard library, without convlens.

SageMaker unpacks ``model.tar.gz``, imports this file and calls four functions: `model_fn` loads the model once, and for
each request `input_fn` reads the images, `predict_fn` runs the network and `output_fn` writes the answer.

The file is read from top to bottom:

1. the network, from pixels to probabilities: the whole of it, on two screens;
2. the four functions;
3. whether an array is an image for this model, and what may make its answer wrong;
4. reading what strangers send: npy, JSON, CSV, PNG;
5. writing the answer.

A request is an npy file, JSON, CSV or a PNG. Whole numbers are pixels, 0 to 255; floats are the network's input as they
are. An image is (H, W, C), or (H, W) with one channel, or a flat row of that many numbers; a request holds one or
several. The answer is JSON, CSV or npy: CSV and npy hold the probabilities alone, a row for each image.

A request that cannot be answered gets a status of 400, 406 or 415 and a reason, as JSON.

It runs on Python 3.8 with NumPy 1.24, and later. The formulas are those of convlens's ``docs/format.md``.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import math
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

Node = dict  # one operation of the network, as docs/format.md describes it
Model = dict  # what `model_fn` returns
Answer = dict  # what `predict_fn` returns
Table = dict  # of functions, by the name of what they do

# ---------------------------------------------------------------- 1. the network, from pixels to probabilities


def probabilities(images: np.ndarray, model: Model) -> np.ndarray:
    """Return the probability of each class, (N, K), for images (N, H, W, C)."""
    return softmax(forward(network_input(images, model), model))


def network_input(images: np.ndarray, model: Model) -> np.ndarray:
    """Return (scale * x - mean) / deviation of pixels x, as in training; floats as they are. (N, H, W, C)."""
    x = images.astype(np.float32)
    if images.dtype == np.uint8:
        settings = model["preprocessing"]
        x *= np.float32(settings["scale"] / settings["deviation"])
        x -= np.float32(settings["mean"] / settings["deviation"])
    return x


def forward(x: np.ndarray, model: Model) -> np.ndarray:
    """Return the logits, (N, K): the network's nodes one after the other, each applied to what others have computed."""
    values = {"input": x}
    for node in model["program"]["nodes"]:
        inputs = [values[name] for name in node["inputs"]]
        learned = {**node["parameters"], **node["buffers"]}  # such as "w" and "b", each with the name of its array
        arrays = {key: model["arrays"][about["name"]] for key, about in learned.items()}
        values[node["name"]] = OPS[node["op"]](node, *inputs, **arrays)
    return values[node["name"]]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return exp(z_k) / sum_j exp(z_j) for each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def window(node: Node, x: np.ndarray) -> np.ndarray:
    """Return what each output pixel sees of images (N, H, W, C): (N, H_out, W_out, C, KH, KW)."""
    sight = node["sight"]
    widths = [(0, 0), sight["rows"], sight["columns"], (0, 0)]
    padded = np.pad(x, widths, mode="reflect") if sight["mode"] == "reflect" else np.pad(x, widths)
    seen = np.lib.stride_tricks.sliding_window_view(padded, tuple(sight["kernel"]), axis=(1, 2))
    return seen[:, :: sight["stride"][0], :: sight["stride"][1]]


def conv2d(node: Node, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Add up each pixel of a window times its weight, for each of O filters: w is (KH, KW, C, O)."""
    return np.tensordot(window(node, x), w, axes=((4, 5, 3), (0, 1, 2))) + b


def local2d(node: Node, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Do the same with other weights at each place: w is (H_out, W_out, KH, KW, C, O)."""
    return np.einsum("nijcuv,ijuvco->nijo", window(node, x), w) + b


def dense(_: Node, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Add up all values times their weights: w is (D, O)."""
    return x @ w + b


def max_pool2d(node: Node, x: np.ndarray) -> np.ndarray:
    """Return the largest value of each window."""
    return window(node, x).max(axis=(4, 5))


def average_pool2d(node: Node, x: np.ndarray) -> np.ndarray:
    """Return the mean of each window."""
    return window(node, x).mean(axis=(4, 5))


def blur_pool2d(node: Node, x: np.ndarray) -> np.ndarray:
    """Return the mean of each window, weighted by binomial coefficients along both axes."""
    rows, columns = [
        np.array([math.comb(k - 1, i) / 2 ** (k - 1) for i in range(k)], x.dtype) for k in node["sight"]["kernel"]
    ]
    return np.einsum("nijcuv,u,v->nijc", window(node, x), rows, columns)


def batch_norm(
    node: Node, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    """Shift and scale each channel by the statistics of training."""
    return gamma * (x - mean) / np.sqrt(variance + x.dtype.type(node["attributes"]["epsilon"])) + beta


OPS: Table = {
    "add": lambda _, x, other: x + other,
    "average_pool2d": average_pool2d,
    "batch_norm": batch_norm,
    "blur_pool2d": blur_pool2d,
    "conv2d": conv2d,
    "dense": dense,
    "dropout": lambda _, x: x,  # nothing is dropped once the network is trained
    "local2d": local2d,
    "max_pool2d": max_pool2d,
    "relu": lambda _, x: np.maximum(x, 0),
    "reshape": lambda node, x: x.reshape(len(x), *node["output_shape"]),
    "tanh": lambda _, x: np.tanh(x),
}
"""How each op is computed: from its node, its inputs, and its parameters by name."""


# ---------------------------------------------------------------- 2. the four functions

BLOCK = 64  # images that run through the network together: memory does not depend on their number
FORMAT = 1  # the version of a model's format that this file reads


class RefusedError(Exception):
    """A request that cannot be answered: a status of HTTP, and the reason in words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status, self.reason = status, reason


def model_fn(model_dir: str) -> Model:
    """Load the model that was unpacked into a folder: its description and arrays, checked against the manifest.

    Returns
    -------
    dict
        ``program``, ``preprocessing``, ``class_names``, ``intake``, ``takes_pixels``, ``range`` as packed, and
        ``arrays`` by name.

    Raises
    ------
    ValueError
        If the file is damaged, or of a format that this file does not know.
    """
    content = Path(model_dir, "model.npz").read_bytes()
    manifest = json.loads(Path(model_dir, "manifest.json").read_text("utf-8"))
    if hashlib.sha256(content).hexdigest() != manifest["files"]["model.npz"]["sha256"]:
        raise ValueError("model.npz is damaged: it has not the checksum in manifest.json; pack the model again")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        model: Model = json.loads(stored["header"].tobytes().decode("utf-8"))
        model["arrays"] = {name: stored[name] for name in stored.files if name != "header"}
    unknown = sorted({node["op"] for node in model["program"]["nodes"]} - set(OPS))
    if model["format_version"] != FORMAT or unknown:
        raise ValueError(f"this file reads models of format {FORMAT}, and not {model['format_version']} {unknown}")
    return model


def input_fn(body: bytes | str, content_type: str | None) -> np.ndarray | RefusedError:
    """Read a request.

    Parameters
    ----------
    body
        Bytes, or text.
    content_type
        Its kind: ``application/x-npy``, ``application/json``, ``text/csv`` or ``image/png``.

    Returns
    -------
    array or RefusedError
        uint8 pixels or float32 values, of any shape; or why it cannot be read, which `output_fn` answers.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    try:
        if kind not in READERS:
            raise RefusedError(415, f"a request is {', '.join(sorted(READERS))}, not {kind[:100]!r}")
        return READERS[kind](body.encode("utf-8", "replace") if isinstance(body, str) else bytes(body))
    except RefusedError as refused:
        return refused


def predict_fn(images: np.ndarray | RefusedError, model: Model) -> Answer | RefusedError:
    """Run the network.

    Parameters
    ----------
    images
        What `input_fn` returned.
    model
        What `model_fn` returned.

    Returns
    -------
    dict or RefusedError
        ``probabilities`` (N, K) float32, ``class_names``, and ``warnings``, a list of sentences for each image.
    """
    if isinstance(images, RefusedError):
        return images
    try:
        batch = as_images(images, model)
        warnings = [doubts(one, model) for one in batch]
        blocks = [batch[start : start + BLOCK] for start in range(0, len(batch), BLOCK)]
        with np.errstate(all="ignore"):  # an overflow is answered in words
            found = [probabilities(block, model) for block in blocks]
        classes = model["class_names"]
        rows = np.concatenate(found) if found else np.zeros((0, len(classes)), np.float32)
        if not np.isfinite(rows).all():
            raise RefusedError(400, "the network's output is not finite; its input is far too large")
        return {"probabilities": rows, "class_names": classes, "warnings": warnings}
    except RefusedError as refused:
        return refused


def output_fn(prediction: Answer | RefusedError, accept: str | None, context: Any = None) -> Any:
    """Write the answer.

    Parameters
    ----------
    prediction
        What `predict_fn` returned.
    accept
        The kinds that the client takes, as in HTTP.
    context
        The toolkit's, where it gives one: it takes the status of an error.

    Returns
    -------
    body, content type
        Where a request was refused: ``{"error": reason}``, with its status.

    Raises
    ------
    Exception
        Where a request was refused, and there is no toolkit that would take its status.
    """
    try:
        if isinstance(prediction, RefusedError):
            raise prediction
        for kind in (accept or "*/*").lower().split(","):
            kind = kind.partition(";")[0].strip()
            kind = "application/json" if kind in ("", "*/*", "application/*") else kind
            if kind in WRITERS:
                return WRITERS[kind](prediction), kind
        raise RefusedError(406, f"an answer is {', '.join(sorted(WRITERS))}, not {(accept or '')[:100]!r}")
    except RefusedError as refused:
        body = json.dumps({"error": refused.reason})
        if context is None:
            return older_answer(refused.status, body)
        context.set_response_status(code=refused.status, phrase="the request was refused")
        return body, "application/json"


def older_answer(status: int, body: str) -> Any:
    """Answer an error where no context is given: the toolkit of the scikit-learn images takes a response of Flask's."""
    try:
        from sagemaker_containers.beta.framework import worker
    except ImportError:
        raise toolkit_error(status, body) from None
    return worker.Response(response=body, status=status, mimetype="application/json")


def toolkit_error(status: int, body: str) -> Exception:
    """Return the exception from which the newer toolkit learns a status; a ValueError where there is none."""
    try:
        from sagemaker_inference.errors import BaseInferenceToolkitError
    except ImportError:
        return ValueError(body)
    error: Exception = BaseInferenceToolkitError(status, body, body)
    return error


# ---------------------------------------------------------------- 3. is it an image for this model?


def as_images(values: np.ndarray, model: Model) -> np.ndarray:
    """Return values of any shape as images (N, H, W, C) of the model's size; RefusedError if they are none."""
    height, width, channels = shape = tuple(model["preprocessing"]["input_shape"])
    if values.dtype == np.uint8 and not model["takes_pixels"]:
        raise RefusedError(400, "the model was trained on floats, so pixels cannot be scaled for it; give floats")
    flat = values.ndim in (1, 2) and values.shape[-1] == height * width * channels
    plain = channels == 1 and values.ndim in (2, 3) and values.shape[-2:] == (height, width)
    if flat or plain:
        return values.reshape(-1, height, width, channels)
    if values.ndim == 3:  # one image
        values = values[np.newaxis]
    if values.ndim == 4 and values.dtype == np.uint8 and channels in (1, 3) and values.shape[3] in (1, 3, 4):
        values = recoloured(values, model)
    if values.shape[1:] != shape:
        found = " x ".join(map(str, values.shape))
        raise RefusedError(
            400, f"expected images of {height} x {width} x {channels}, found {found}; this file resizes none"
        )
    return values


def recoloured(pixels: np.ndarray, model: Model) -> np.ndarray:
    """Return pixels (N, H, W, 1, 3 or 4), the fourth being opacity, with the model's channels, 1 or 3."""
    wanted = model["preprocessing"]["input_shape"][2]
    if pixels.shape[3] == 4:
        pixels, opacity = pixels[..., :3], pixels[..., 3:].astype(np.int64)
        if opacity.min(initial=255) < 255:
            if model["intake"]["prepare"] == "digits":
                raise RefusedError(400, "the picture is transparent, and this file cannot lay a digit on paper")
            weighted = 128 * (pixels * opacity + 255 * (255 - opacity) + 128)  # on white, rounded as Pillow does
            pixels = ((((weighted >> 8) + weighted) >> 8) >> 7).astype(np.uint8)
    if pixels.shape[3] == 3 and wanted == 1:  # Rec. 601, as Pillow does
        luma = pixels.astype(np.int64) @ np.array([19595, 38470, 7471])
        return ((luma + 2**15) >> 16).astype(np.uint8)[..., np.newaxis]
    return np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 and wanted == 3 else pixels


def doubts(image: np.ndarray, model: Model) -> list[str]:
    """Return in words what may make the answer to one image (H, W, C) wrong, as far as this file can know it."""
    if image.dtype != np.uint8:
        low, high = model["range"] or (-math.inf, math.inf)
        least, most = float(image.min()), float(image.max())
        if max(most - high, low - least) > high - low:
            return [f"values go from {least:.3g} to {most:.3g}, and the model's from {low:.3g} to {high:.3g}"]
    elif model["intake"]["prepare"] == "digits" and not like_mnist(image, model["intake"]["box"]):
        return ["it is not centred and scaled like MNIST's digits, and this file cannot make it so: convlens serve can"]
    return []


def like_mnist(image: np.ndarray, box: float) -> bool:
    """Whether pixels (H, W, C) are as MNIST's digits are: light on black, of the right size and in the right place."""
    grey = image[..., 0].astype(np.float64)
    frame = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    if (image != image[..., :1]).any() or grey.max() < 128 or np.median(frame) > 0 or (grey > 0).mean() > 0.6:
        return False
    height, width = grey.shape
    rows, columns = np.flatnonzero((grey > 0).any(axis=1)), np.flatnonzero((grey > 0).any(axis=0))
    side, wanted = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1, box * min(height, width)
    row = grey.sum(axis=1) @ np.arange(height) / grey.sum()
    column = grey.sum(axis=0) @ np.arange(width) / grey.sum()
    fits = abs(side - wanted) <= 0.1 * wanted + 0.5
    return bool(fits and abs(row - height / 2) <= 0.501 and abs(column - width / 2) <= 0.501)


# ---------------------------------------------------------------- 4. reading what strangers send

# Nothing in a request is run or unpickled, and what a header claims is compared with the request's length before any
# memory is taken. Whatever cannot be read is a RefusedError.

OUTSIDE = "whole numbers are pixels, 0 to 255; the network's input is given as floats, such as 1.0"
LARGEST_HEADER = 10000  # bytes of an npy file's header
DTYPES = {frozenset([int]): np.uint8, frozenset([bool]): np.bool_}  # of JSON's numbers; others are floats


def checked(values: np.ndarray) -> np.ndarray:
    """Return numbers of any type as uint8 pixels or as float32; RefusedError if they can be neither."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind == "f":
        with np.errstate(all="ignore"):
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise RefusedError(400, "a number is not finite, or too large")
        return values
    if values.size and not 0 <= int(values.min()) <= int(values.max()) <= 255:
        raise RefusedError(400, OUTSIDE)
    return values.astype(np.uint8)


def read_npy(body: bytes) -> np.ndarray:
    """Read an npy file without pickle: the header's shape must be that of the bytes that follow."""
    try:
        major = body[6]
        if body[:6] != b"\x93NUMPY" or major not in (1, 2, 3):
            raise ValueError("it does not begin as one")
        start = 10 if major == 1 else 12
        (length,) = struct.unpack("<H" if major == 1 else "<I", body[8:start])
        if length > min(LARGEST_HEADER, len(body) - start):
            raise ValueError("its header is too long")
        header = ast.literal_eval(body[start : start + length].decode("latin1"))
        shape, dtype = tuple(header["shape"]), header["descr"]
        if not isinstance(dtype, str) or not re.match(r"[<>|=]?(b1|[iuf][1248])$", dtype) or dtype[-2:] == "f1":
            raise ValueError(f"it holds {str(dtype)[:40]!r}, not numbers")
        if len(shape) > 4 or not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"its shape is {str(shape)[:60]}")
        rest = memoryview(body)[start + length :]
        if math.prod(shape) * np.dtype(dtype).itemsize != len(rest):
            raise ValueError(f"an array of {str(shape)[:60]} is not of the {len(rest)} bytes that follow")
        values = np.frombuffer(rest, dtype)
        return checked(values.reshape(shape[::-1]).T if header["fortran_order"] else values.reshape(shape))
    except (IndexError, KeyError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError, struct.error) as why:
        raise RefusedError(400, f"the body is not an npy file of numbers ({str(why)[:200]})") from None


def read_json(body: bytes) -> np.ndarray:
    """Read nested lists of numbers, alone or as ``{"instances": ...}``."""
    if re.search(rb"[0-9]{300}", body):
        raise RefusedError(400, "a number has 300 digits or more")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=float)
    except (ValueError, RecursionError) as why:
        raise RefusedError(400, f"the body is not JSON ({str(why)[:200]})") from None
    if isinstance(value, dict):
        if set(value) != {"instances"}:
            raise RefusedError(400, 'a JSON object has one key, "instances", with a list of images')
        value = value["instances"]
    level: list[Any] = [value]
    shape: list[int] = []
    while level and isinstance(level[0], list):  # one level of the nesting after the other
        lengths = {len(one) if isinstance(one, list) else -1 for one in level}
        if len(lengths) != 1 or len(shape) == 4:
            raise RefusedError(400, "images are lists of numbers of one length, nested at most four deep")
        shape.append(lengths.pop())
        level = [item for one in level for item in one]
    kinds = set(map(type, level))
    if not shape or not (kinds <= {int, float} or kinds == {bool}):
        raise RefusedError(400, "images are nested lists of numbers")
    if kinds == {int} and not 0 <= min(level) <= max(level) <= 255:
        raise RefusedError(400, OUTSIDE)
    return checked(np.array(level, DTYPES.get(frozenset(kinds), np.float64)).reshape(shape))


def read_csv(body: bytes) -> np.ndarray:
    """Read an image in each line: its numbers, row after row, separated by commas. Without a dot they are pixels."""
    try:
        text = body.decode("utf-8")
        if not text.strip():
            raise ValueError("it is empty")
        values = np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, comments=None)
    except ValueError as why:
        raise RefusedError(400, f"the body is not CSV of numbers, an image in each line ({str(why)[:200]})") from None
    whole = not re.search(r"[.eEnN]", text)
    if whole and not 0 <= values.min() <= values.max() <= 255:
        raise RefusedError(400, OUTSIDE)
    return checked(values.astype(np.uint8) if whole else values)


# PNG, which the standard library cannot read, but unpack

LARGEST_PICTURE = 2**18  # pixels of a PNG, whose filters are undone one byte after the other
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the type of colour: grey, RGB, palette, grey and RGB with opacity
DEPTHS = {0: (1, 2, 4, 8), 2: (8,), 3: (1, 2, 4, 8), 4: (8,), 6: (8,)}  # bits of a channel


def read_png(body: bytes) -> np.ndarray:
    """Decode a PNG of up to eight bits a channel, not interlaced: (1, H, W, 1, 3 or 4), the fourth being opacity."""
    parts = chunks(body)
    try:
        width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", parts.get(b"IHDR", b""))
    except struct.error:
        raise RefusedError(400, "the PNG is damaged: it has no header") from None
    if depth not in DEPTHS.get(colour, ()) or interlaced:
        raise RefusedError(415, "a PNG has at most eight bits a channel and is not interlaced; save it so")
    if not 0 < width * height <= LARGEST_PICTURE:
        raise RefusedError(400, f"the PNG claims {width} x {height} pixels; at most {LARGEST_PICTURE} are read")
    channels = CHANNELS[colour]
    row = (width * channels * depth + 7) // 8  # bytes
    try:
        data = zlib.decompressobj().decompress(parts.get(b"IDAT", b""), height * (1 + row))  # never more than it claims
    except zlib.error:
        data = b""
    if len(data) != height * (1 + row):
        raise RefusedError(400, f"the PNG is damaged: its pixels do not fill {width} x {height}")
    pixels = unfiltered(np.frombuffer(data, np.uint8).reshape(height, 1 + row), (channels * depth + 7) // 8)
    if depth < 8:
        bits = np.unpackbits(pixels, axis=1).reshape(height, -1, depth)
        pixels = (bits @ (1 << np.arange(depth)[::-1])).astype(np.uint8)[:, :width]
    return coloured(pixels.reshape(height, width, channels), colour, depth, parts)[np.newaxis]


def chunks(body: bytes) -> dict[bytes, bytes]:
    """Return the chunks of a PNG by name, those of one name joined; RefusedError if it is none, or damaged."""
    if body[:2] == b"\xff\xd8":
        raise RefusedError(415, "this is a JPEG, which Python's standard library cannot read; save it as PNG")
    if body[:8] != b"\x89PNG\r\n\x1a\n":
        raise RefusedError(400, "the body is not a PNG")
    parts: dict[bytes, list[bytes]] = {}
    place = 8
    while place + 12 <= len(body) and b"IEND" not in parts:
        (length,) = struct.unpack(">I", body[place : place + 4])
        end = place + 8 + length
        if body[end : end + 4] != struct.pack(">I", zlib.crc32(body[place + 4 : end])):
            raise RefusedError(400, "the PNG is damaged: a checksum is wrong, or it is cut off")
        parts.setdefault(body[place + 4 : place + 8], []).append(body[place + 8 : end])
        place = end + 4
    if b"IEND" not in parts:
        raise RefusedError(400, "the PNG is cut off")
    return {name: b"".join(found) for name, found in parts.items()}


def unfiltered(rows: np.ndarray, step: int) -> np.ndarray:
    """Undo the filter that the first byte of each row names: its bytes are differences to those before and above."""
    above = np.zeros(rows.shape[1] - 1, np.uint8)
    done = []
    for kind, row in zip(rows[:, 0].tolist(), rows[:, 1:]):
        if kind == 1:
            row = np.cumsum(row.reshape(-1, step), axis=0, dtype=np.uint8).ravel()
        elif kind == 2:
            row = row + above
        elif kind in (3, 4):
            row = np.array(predicted(row.tolist(), above.tolist(), step, kind), np.uint8)
        elif kind:
            raise RefusedError(400, f"the PNG is damaged: it names the filter {kind}")
        done.append(row)
        above = row
    return np.stack(done)


def predicted(row: list[int], above: list[int], step: int, kind: int) -> list[int]:
    """Undo the filters that need each byte before the next: the mean of left and above, or Paeth's choice."""
    for i, b in enumerate(above):
        a, c = (row[i - step], above[i - step]) if i >= step else (0, 0)
        # whichever of left (a), above (b) and both (c) is nearest to a + b - c
        paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        row[i] = (row[i] + ((a + b) // 2 if kind == 3 else paeth)) % 256
    return row


def coloured(pixels: np.ndarray, colour: int, depth: int, parts: dict[bytes, bytes]) -> np.ndarray:
    """Return pixels with their palette looked up, and their opacity, if they have one, as a fourth channel."""
    marks, opacity = parts.get(b"tRNS"), None
    if colour == 3:
        table = np.frombuffer(parts.get(b"PLTE", b"")[:768], np.uint8)
        if len(table) % 3 or len(table) // 3 <= pixels.max():
            raise RefusedError(400, "the PNG is damaged: its palette lacks a colour")
        if marks is not None:
            opacity = np.frombuffer((marks + 256 * b"\xff")[:256], np.uint8)[pixels]
        pixels = table.reshape(-1, 3)[pixels[..., 0]]
    elif colour in (4, 6):
        pixels, opacity = pixels[..., :-1], pixels[..., -1:]
    elif marks is not None and len(marks) == 2 * pixels.shape[2]:  # one colour that is transparent
        opacity = np.where((pixels == np.frombuffer(marks, ">u2")).all(axis=2, keepdims=True), 0, 255).astype(np.uint8)
    if colour == 0:
        pixels = pixels * np.uint8(255 // (2**depth - 1))
    if opacity is None:
        return pixels
    return np.concatenate((np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels, opacity), axis=2)


READERS: Table = {
    "application/x-npy": read_npy, "application/json": read_json, "text/csv": read_csv, "image/png": read_png,
    "image/jpeg": read_png,
}  # fmt: skip


# ---------------------------------------------------------------- 5. writing the answer


def write_json(found: Answer) -> str:
    """Return an entry for each image: its class, every probability, and what may make that wrong."""
    names, entries = found["class_names"], []
    for row, warnings in zip(found["probabilities"], found["warnings"]):
        index = int(row.argmax())
        entry = {"class": names[index], "index": index, "probability": float(row[index]), "warnings": warnings}
        entry["probabilities"] = {name: float(one) for name, one in zip(names, row)}
        entries.append(entry)
    return json.dumps({"predictions": entries})


def write_csv(found: Answer) -> str:
    """Return a line of probabilities for each image, in the order of the classes, with every digit of a float32."""
    return "".join(",".join(f"{one:.9g}" for one in row) + "\n" for row in found["probabilities"])


def write_npy(found: Answer) -> bytes:
    """Return the probabilities, (N, K) float32, as an npy file."""
    stream = io.BytesIO()
    np.save(stream, found["probabilities"], allow_pickle=False)
    return stream.getvalue()


WRITERS: Table = {"application/json": write_json, "text/csv": write_csv, "application/x-npy": write_npy}
