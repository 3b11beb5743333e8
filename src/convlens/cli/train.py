"""``convlens train``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import OutputError, TrainingInterrupted
from ..names import shown
from .options import (
    DataOption,
    EngineOption,
    FiltersOption,
    KernelOption,
    ModelArgument,
    PaddingOption,
    PoolingOption,
    SeedOption,
    SkipBrokenOption,
    ThreadsOption,
    architecture_options,
    check_outputs,
    duration,
    note_reading,
    notes,
    out,
    percent,
    write_json,
)


@dataclass(frozen=True)
class TrainSettings:
    """The options of ``convlens train``."""

    model: str
    architecture: dict[str, Any]
    data: str
    skip_broken: bool
    train_images: int | None
    recipe: str
    epochs: int | None
    patience: int | None
    seed: int
    engine: str | None
    threads: int | None
    out: Path | None
    json: Path | None
    checkpoint: Path | None
    resume: bool

    @property
    def safety_net(self) -> Path:
        """The file that Ctrl-C saves to if no checkpoint was named."""
        beside = self.out or Path(f"{Path(self.model).stem}.safetensors")
        return beside.with_suffix(".checkpoint")


def train(
    model: ModelArgument,
    kernel_size: KernelOption = None,
    filters: FiltersOption = None,
    padding: PaddingOption = None,
    pooling: PoolingOption = None,
    data: DataOption = "mnist",
    skip_broken: SkipBrokenOption = False,
    train_images: Annotated[
        int | None, typer.Option("--train-images", help="Train on a stratified subset of this number of images.")
    ] = None,
    recipe: Annotated[
        str,
        typer.Option("--recipe", help="plain, good, speedrun, best (for the CNN) or best-dense: see README."),
    ] = "good",
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Passes over the images; by default the recipe's.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience", help="Stop after this number of epochs without a better validation accuracy; keep the best."
        ),
    ] = None,
    seed: SeedOption = 0,
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Save the trained model here.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the whole result here.")] = None,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="Save to this file during training.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the checkpoint, if there is one.")] = False,
) -> None:
    """Train a model and test it once, at the end.

    Example: [bold]convlens train cnn --kernel-size 5 --epochs 3 --seed 0 --out cnn.safetensors --json run.json[/bold]
    """
    architecture = architecture_options(kernel_size, filters, padding, pooling)
    run(
        TrainSettings(
            model=model,
            architecture=architecture,
            data=data,
            skip_broken=skip_broken,
            train_images=train_images,
            recipe=recipe,
            epochs=epochs,
            patience=patience,
            seed=seed,
            engine=engine,
            threads=threads,
            out=out,
            json=json,
            checkpoint=checkpoint,
            resume=resume,
        )
    )


def run(settings: TrainSettings) -> None:
    """Train with the settings, and report."""
    from .. import data, models
    from ..train import TrainingProgress, fit
    from ..train import recipe as named_recipe

    checkpoint = settings.checkpoint or settings.safety_net
    check_outputs(settings.out, settings.json, checkpoint)
    recipe = replace(named_recipe(settings.recipe), patience=settings.patience)
    if settings.epochs is not None:
        recipe = replace(recipe, epochs=settings.epochs)
    dataset = data.load(settings.data, skip_broken=settings.skip_broken)
    note_reading(dataset)
    if settings.train_images is not None:
        dataset = dataset.subset(settings.train_images)
    model = models.build(
        settings.model,
        input_shape=dataset.input_shape,
        classes=len(dataset.class_names),
        class_names=dataset.class_names,
        seed=settings.seed,
        **settings.architecture,
    ).use(settings.engine, settings.threads)
    notes.print(
        f"{shown(settings.model)}: {model.program.parameter_count:,} parameters, {len(dataset.train):,} training "
        f"images of {shown(dataset.name)}, recipe {recipe.name}, engine {model.engine.name}, "
        f"{model.engine.threads} threads"
    )
    try:
        result = fit(
            model,
            dataset,
            recipe,
            checkpoint=checkpoint,
            resume=settings.resume,
            checkpoint_on_interrupt_only=settings.checkpoint is None,
            progress=False,
            hooks=[TrainingProgress(notes, every_epoch=True)],
        )
        if settings.out is not None:
            model.save(settings.out)
        if settings.json is not None:
            write_json(settings.json, result.to_dict())
    except TrainingInterrupted as error:
        raise TrainingInterrupted(f"{error}: repeat the command with --resume") from None
    except KeyboardInterrupt:  # the second Ctrl-C, or one while the result is written
        raise TrainingInterrupted(f"stopped at once; {_how_to_go_on(checkpoint)}") from None
    except OutputError as error:
        raise OutputError(f"{error}; {_how_to_go_on(checkpoint)}") from error
    if settings.checkpoint is None:
        settings.safety_net.unlink(missing_ok=True)
    _report(result, settings)


def _how_to_go_on(checkpoint: Path) -> str:
    """Say how to continue, for a user who may have to choose other paths."""
    if checkpoint.exists():
        return f"to go on from the last checkpoint, repeat the command with --checkpoint {checkpoint} --resume"
    return "nothing was saved before"


def _report(result: Any, settings: TrainSettings) -> None:
    """Print the result."""
    out.print(
        f"test accuracy {percent(result.test.accuracy)} ({result.test.images:,} images), "
        f"loss {result.test.loss:.4f}, calibration error {result.test.calibration_error:.4f}; "
        f"validation accuracy {percent(result.validation.accuracy)}"
    )
    out.print(f"{duration(result.seconds['train'])} of training, {result.images_per_second:,.0f} images/s")
    for what, path in (("model", settings.out), ("result", settings.json)):
        if path is not None:
            out.print(shown(f"{what}: {path}"))
    if settings.out is None:
        notes.print("the model was not saved; name a file with --out to keep it")
