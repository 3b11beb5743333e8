"""A whole training by a convlens recipe in PyTorch: same initial weights, batches, order, learning rates and loss."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import nn

from ... import data, models
from ...errors import ConfigurationError
from ...optim import SGD, Adam, AdamW, Optimizer
from ...train import Recipe
from ...train.batches import Batches
from .pytorch import images, network


def train(recipe: Recipe, seed: int, threads: int) -> dict[str, Any]:
    """Train the CNN and return the seconds of training and the test accuracy.

    The seconds cover what convlens's cover: assembly and augmentation of batches (by the same code, convlens's fastest)
    and steps, but no evaluation. convlens also evaluates on validation after each epoch, which is not done here.
    """
    torch.set_num_threads(threads)
    if recipe.patience is not None:
        raise ConfigurationError("early stopping is not supported here; choose a recipe without patience")
    digits = data.load("mnist")
    start = models.build("cnn", seed=seed).use(None, threads)
    model = network(start).to(memory_format=torch.channels_last)
    optimizer = _optimizer(recipe.optimizer, model)
    average = None if recipe.ema_decay is None else [p.detach().clone() for p in model.parameters()]
    batches = Batches(digits.train, digits.preprocessing, recipe.batch_size, seed, recipe.augmentation, start.engine)
    steps, step, begun = recipe.epochs * batches.steps_per_epoch, 0, time.perf_counter()
    for epoch in range(recipe.epochs):
        for pixels, classes in batches.epoch(epoch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.schedule.at(step / steps)
            x, labels = images(pixels, torch.channels_last), torch.from_numpy(classes)
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(x), labels, label_smoothing=recipe.label_smoothing).backward()
            if recipe.clip_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
            optimizer.step()
            step += 1
            if average is not None and recipe.ema_decay is not None:
                _follow(average, model, (1 - recipe.ema_decay) / (1 - recipe.ema_decay**step))
    seconds = time.perf_counter() - begun
    if average is not None:
        _follow(list(model.parameters()), average, 1.0)
    return {"seconds": seconds, "accuracy": _accuracy(model, digits.test, digits.preprocessing)}


def _follow(mean: list[Any], source: Any, share: float) -> None:
    """Move every tensor of `mean` by a share towards that of `source`."""
    tensors = source if isinstance(source, list) else list(source.parameters())
    with torch.no_grad():
        torch._foreach_lerp_(mean, [tensor.detach() for tensor in tensors], share)


def _optimizer(optimizer: Optimizer, model: Any) -> Any:
    """Return PyTorch's optimiser with the same settings; biases do not decay."""
    weights = [p for p in model.parameters() if p.ndim > 1]
    biases = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": optimizer.weight_decay}, {"params": biases, "weight_decay": 0.0}]
    if isinstance(optimizer, Adam):
        make = torch.optim.AdamW if isinstance(optimizer, AdamW) else torch.optim.Adam
        return make(groups, betas=(optimizer.beta1, optimizer.beta2), eps=optimizer.epsilon, fused=True)
    if isinstance(optimizer, SGD):
        return torch.optim.SGD(groups, momentum=optimizer.momentum, nesterov=optimizer.nesterov, fused=True)
    raise ConfigurationError(f"{type(optimizer).__name__} has no counterpart here")


def _accuracy(model: Any, examples: Any, preprocessing: Any) -> float:
    model.eval()
    right = 0
    with torch.inference_mode():
        for start in range(0, len(examples), 2000):
            part = slice(start, start + 2000)
            x = images(preprocessing(examples.images[part]), torch.channels_last)
            right += int((model(x).argmax(dim=1).numpy() == examples.labels[part]).sum())
    return right / len(examples)
