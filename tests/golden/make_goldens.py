"""Computes the golden tensors with PyTorch, in float64, and writes them as float32.

Run by hand where PyTorch 2.13.0 and NumPy are installed; convlens is not used::

    python tests/golden/make_goldens.py
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.golden import cases
from tests.golden.cases import Array, ConvCase, OptimizerCase, noise


def leaf(array: Array) -> torch.Tensor:
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def to_nchw(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 1, 2)


def to_nhwc(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1)


def backward(y: torch.Tensor, name: str, **leaves: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return y and the derivatives of sum(noise * y)."""
    y.backward(torch.tensor(noise(f"{name}.dy", *y.shape), dtype=torch.float64))
    return {f"{name}.y": y} | {f"{name}.d{key}": tensor.grad for key, tensor in leaves.items()}


def convolution(case: ConvCase) -> dict[str, torch.Tensor]:
    x, w, b = map(leaf, case.inputs())
    images, kernels = to_nchw(x), w.permute(3, 2, 0, 1)
    top, bottom, left, right = case.pads
    if case.padding == "same" and case.stride == (1, 1) and case.mode == "zeros":
        with warnings.catch_warnings():  # that even kernels cost a copy
            warnings.simplefilter("ignore")
            y = F.conv2d(images, kernels, b, padding="same")  # PyTorch's own idea of "same"
    else:
        mode = "constant" if case.mode == "zeros" else case.mode
        y = F.conv2d(F.pad(images, (left, right, top, bottom), mode=mode), kernels, b, stride=case.stride)
    return backward(to_nhwc(y), f"conv.{case.name}", x=x, w=w, b=b)


def pools() -> dict[str, torch.Tensor]:
    found = {}
    for kind, pool in (("max", F.max_pool2d), ("average", F.avg_pool2d)):
        for name, (kernel, stride) in cases.POOLS.items():
            x = leaf(cases.pool_input())
            found |= backward(to_nhwc(pool(to_nchw(x), kernel, stride)), f"{kind}.{name}", x=x)
    return found


def dense() -> dict[str, torch.Tensor]:
    x, w, b = map(leaf, cases.dense_inputs())
    return backward(F.linear(x, w.T, b), "dense", x=x, w=w, b=b)


def batch_norm() -> dict[str, torch.Tensor]:
    x, gamma, beta, mean, variance = map(leaf, cases.norm_inputs())
    with torch.no_grad():
        before = F.batch_norm(to_nchw(x), mean, variance, gamma, beta, False, 0.0, cases.NORM_EPSILON)
    running = mean.detach().clone(), variance.detach().clone()
    y = F.batch_norm(to_nchw(x), *running, gamma, beta, True, 1 - cases.NORM_MOMENTUM, cases.NORM_EPSILON)
    found = backward(to_nhwc(y), "norm", x=x, gamma=gamma, beta=beta)
    return found | {"norm.predicted": to_nhwc(before), "norm.mean": running[0], "norm.variance": running[1]}


def local() -> dict[str, torch.Tensor]:
    x, w, b = map(leaf, cases.local_inputs())
    top, bottom, left, right = cases.LOCAL.pads
    padded = F.pad(to_nchw(x), (left, right, top, bottom))
    (kh, kw), (sh, sw) = cases.LOCAL.kernel, cases.LOCAL.stride
    patches = padded.unfold(2, kh, sh).unfold(3, kw, sw)  # N, C, H_out, W_out, KH, KW
    return backward(torch.einsum("ncijuv,ijuvco->nijo", patches, w) + b, "local", x=x, w=w, b=b)


def blur() -> dict[str, torch.Tensor]:
    x = leaf(noise("blur.x", *cases.BLUR.shape))
    top, bottom, left, right = cases.BLUR.pads
    padded = F.pad(to_nchw(x), (left, right, top, bottom), mode="reflect")
    row = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64) / 4
    kernel = torch.outer(row, row).expand(cases.BLUR.shape[3], 1, 3, 3)
    return backward(to_nhwc(F.conv2d(padded, kernel, stride=2, groups=cases.BLUR.shape[3])), "blur", x=x)


def tanh() -> dict[str, torch.Tensor]:
    x = leaf(np.float32(3) * noise("tanh.x", 4, 5))
    return backward(torch.tanh(x), "tanh", x=x)


def loss() -> dict[str, torch.Tensor]:
    logits, labels = cases.loss_inputs()
    z = leaf(logits)
    mean = F.cross_entropy(z, torch.tensor(labels))
    mean.backward()
    each = F.cross_entropy(z, torch.tensor(labels), reduction="none")
    found = {"loss.each": each, "loss.mean": mean, "loss.dz": z.grad}
    for name, smoothing in cases.SMOOTHINGS.items():
        smoothed = leaf(logits)
        F.cross_entropy(smoothed, torch.tensor(labels), label_smoothing=smoothing).backward()
        each = F.cross_entropy(smoothed, torch.tensor(labels), reduction="none", label_smoothing=smoothing)
        found |= {f"loss.{name}.each": each, f"loss.{name}.dz": smoothed.grad}
    return found


def optimizer(case: OptimizerCase) -> dict[str, torch.Tensor]:
    (w0, b0), gradients = cases.optimizer_inputs()
    w, b = leaf(w0), leaf(b0)
    groups = [{"params": [w], "weight_decay": case.weight_decay}, {"params": [b], "weight_decay": 0.0}]
    settings = dict(case.settings)
    if "epsilon" in settings:  # PyTorch's names
        settings = {"betas": (settings["beta1"], settings["beta2"]), "eps": settings["epsilon"]}
    steps = getattr(torch.optim, case.kind)(groups, lr=case.rate, **settings)
    for dw, db in gradients:
        w.grad, b.grad = (torch.tensor(g, dtype=torch.float64) for g in (dw, db))
        steps.step()
    return {f"{case.name}.w": w, f"{case.name}.b": b}


def cnn() -> dict[str, torch.Tensor]:
    parameters = {name: leaf(value) for name, value in cases.cnn_parameters().items()}
    images, labels = cases.cnn_batch()
    p, h = parameters, to_nchw(torch.tensor(images, dtype=torch.float64))
    for name in ("conv1", "conv2"):
        h = F.max_pool2d(F.relu(F.conv2d(h, p[f"{name}.w"].permute(3, 2, 0, 1), p[f"{name}.b"], padding=1)), 2)
    # PyTorch flattens channels first; the weights are put in that order, and their gradients come back in ours
    weights = p["dense1.w"].reshape(7, 7, 32, 128).permute(2, 0, 1, 3).reshape(1568, 128)
    h = F.relu(h.flatten(1) @ weights + p["dense1.b"])
    logits = h @ p["dense2.w"] + p["dense2.b"]
    mean = F.cross_entropy(logits, torch.tensor(labels))
    mean.backward()
    gradients = cases.condensed({name: tensor.grad.numpy() for name, tensor in parameters.items()})
    return {"cnn.logits": logits, "cnn.loss": mean} | {f"cnn.d {k}": torch.tensor(v) for k, v in gradients.items()}


def branched() -> dict[str, torch.Tensor]:
    p = {name: leaf(value) for name, value in cases.branched_parameters().items()}
    images, labels, mask = cases.branched_batch()
    x = leaf(images)
    y = F.relu(F.conv2d(to_nchw(x), p["conv1.w"].permute(3, 2, 0, 1), p["conv1.b"], padding=1))
    h = to_nhwc(y + to_nchw(x)) * torch.tensor(mask, dtype=torch.float64)
    h = to_nchw(h.reshape(-1, 2, 4, 5))
    h = F.conv2d(h, p["conv2.w"].permute(3, 2, 0, 1), p["conv2.b"])
    logits = to_nhwc(h).flatten(1) @ p["dense1.w"] + p["dense1.b"]
    mean = F.cross_entropy(logits, torch.tensor(labels))
    mean.backward()
    found = {"branched.loss": mean, "branched.logits": logits, "branched.dx": x.grad}
    return found | {f"branched.d {name}": tensor.grad for name, tensor in p.items()}


def compute() -> dict[str, Array]:
    """Return every golden tensor by name."""
    found = pools() | dense() | batch_norm() | local() | blur() | tanh() | loss() | branched() | cnn()
    for case in cases.CONVOLUTIONS:
        found |= convolution(case)
    for case in cases.OPTIMIZERS:
        found |= optimizer(case)
    return {name: tensor.detach().numpy().astype(np.float32) for name, tensor in found.items()}


if __name__ == "__main__":
    np.savez_compressed(cases.GOLDENS, **compute())
    print(f"{cases.GOLDENS}: {cases.GOLDENS.stat().st_size:,} bytes")
