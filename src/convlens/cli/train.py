"""``convlens train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigurationError
from .intake import PrepareOption, with_chosen_intake
from .options import (
    DataOption,
    EngineOption,
    FiltersOption,
    KernelOption,
    ModelArgument,
    PaddingOption,
    PoolingOption,
    ResizeOption,
    SeedOption,
    SkipBrokenOption,
    ThreadsOption,
    architecture_options,
    check_outputs,
    image_size,
    note_reading,
    refuse_options,
)
from .trainings import Places, Trainer, augmentation_settings, changed_recipe, seeds_from

if TYPE_CHECKING:
    from ..nn import Model


def train(
    model: ModelArgument,
    kernel_size: KernelOption = None,
    filters: FiltersOption = None,
    padding: PaddingOption = None,
    pooling: PoolingOption = None,
    data: DataOption = "mnist",
    skip_broken: SkipBrokenOption = False,
    resize: ResizeOption = None,
    as_digits: PrepareOption = None,
    train_images: Annotated[
        int | None,
        typer.Option("--train-images", metavar="N", help="Train on a stratified subset of this number of images."),
    ] = None,
    validation_fraction: Annotated[
        float,
        typer.Option("--validation-fraction", metavar="X", help="Share of the training images kept for validation."),
    ] = 0.1,
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            metavar="NAME|FILE",
            help="plain, good, speedrun, best, best-dense, or a TOML file: see docs/training.md.",
        ),
    ] = "good",
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", help="Passes over the images; by default the recipe's.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", metavar="N", help="Images in a step.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", metavar="X", help="Learning rate; of a schedule, its peak.")
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            "--augment",
            metavar="SETTINGS",
            help='Warp the training images, such as "shift=2,rotation=12"; also scale, shear, elastic; or none.',
        ),
    ] = None,
    label_smoothing: Annotated[
        float | None,
        typer.Option(
            "--label-smoothing", metavar="X", help="Share of the target spread over all classes, such as 0.1."
        ),
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(
            "--average", metavar="X", help="Average the weights over the steps, with this decay, such as 0.998."
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience",
            metavar="N",
            help="Stop after this number of epochs without a better validation accuracy; keep the best.",
        ),
    ] = None,
    seed: SeedOption = 0,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds",
            metavar="N",
            help="Train this number of models, with seeds from --seed on: mean and 95 % interval.",
        ),
    ] = None,
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Save the trained model here; with --seeds, each seed's under its own name."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write the whole result here; - is standard output.")
    ] = None,
    curves: Annotated[Path | None, typer.Option("--curves", help="Draw the learning curves here, as PNG.")] = None,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="Save to this file during training.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the checkpoint, if there is one.")] = False,
) -> None:
    """Train a model and test it once, at the end.

    MODEL is a name, a TOML file with layers, or a saved model, which is trained further.

    Example: [bold]convlens train cnn --kernel-size 5 --epochs 3 --seed 0 --out cnn.safetensors --json run.json[/bold]
    """
    from .. import data as datasets
    from .. import models

    if model.casefold() not in models.ARCHITECTURES and Path(model).is_dir():
        raise ConfigurationError(f"{model} is a folder, not a model; name a model, such as cnn, and --data {model}")
    if Path(model).suffix == ".checkpoint":
        raise ConfigurationError(
            f"{model} is a checkpoint, not a model; to go on from it, repeat the command it was made with, and add "
            f"--checkpoint {model} --resume"
        )
    architecture = architecture_options(kernel_size, filters, padding, pooling)
    refuse_options(model, architecture)
    chosen = changed_recipe(
        recipe,
        {
            "epochs": epochs,
            "batch_size": batch_size,
            "schedule": None if learning_rate is None else {"rate": learning_rate},
            "augmentation": augmentation_settings(augment),
            "label_smoothing": label_smoothing,
            "ema_decay": average,
            "patience": patience,
        },
    )
    check_outputs(out)  # a name at all, of which that of the checkpoint is made
    safety_net = (out or Path(f"{Path(model).stem}.safetensors")).with_suffix(".checkpoint")
    places = Places(out, checkpoint or safety_net, checkpoint is not None, json, curves, seeds_from(seed, seeds))
    places.check([model, data, recipe], seed, chosen)
    dataset = datasets.load(
        data, skip_broken=skip_broken, resize=image_size(resize), validation_fraction=validation_fraction
    )
    note_reading(dataset)
    if train_images is not None:
        dataset = dataset.subset(train_images)
    dataset, remark = with_chosen_intake(dataset, as_digits=as_digits)

    def build(seed: int) -> Model:
        return models.build(
            model,
            input_shape=dataset.input_shape,
            classes=len(dataset.class_names),
            class_names=dataset.class_names,
            seed=seed,
            **architecture,
        ).use(engine, threads)

    Trainer(build, dataset, chosen, places, resume, model, remark).train(seed)
