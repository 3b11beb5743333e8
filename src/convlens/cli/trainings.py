"""The trainings of ``convlens train``: their recipe and files, one seed after another, and what is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ..errors import ConfigurationError, OutputError, TrainingDiverged, TrainingInterrupted
from .options import check_outputs, duration, notes, out, percent, print_json, write_json

if TYPE_CHECKING:
    from ..data import Dataset
    from ..nn import Model
    from ..train import Recipe, Run, Saver

STDOUT = Path("-")
MOST_SEEDS = 1000


def changed_recipe(name: str, changes: dict[str, Any]) -> Recipe:
    """Return a recipe with the changes of the command line: those options that were given, by setting."""
    from ..train import recipe

    chosen = recipe(name)
    given = {key: value for key, value in changes.items() if value is not None}
    if set(given) - {"epochs", "patience"}:
        given["name"] = f"{chosen.name} (changed)"
    return chosen.changed(given)


def augmentation_settings(text: str | None) -> dict[str, float] | str | None:
    """Return the settings in ``"shift=2,rotation=12"``; the word none as it is."""
    if text is None or text.strip().casefold() == "none":
        return text
    settings: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (text.strip() for text in part.partition("="))
        if name in settings:
            raise ConfigurationError(f"--augment names {name} twice; name it once")
        try:
            settings[name] = float(value)
        except ValueError:
            raise ConfigurationError(
                f'--augment takes settings such as "shift=2,rotation=12", or none; {part.strip()!r} is no such setting'
            ) from None
    return settings


@dataclass(frozen=True)
class Places:
    """The files of one or several trainings.

    Attributes
    ----------
    model, checkpoint
        Where one training is saved; with several, each seed's name is put into it. `model` may be None.
    named
        Whether `checkpoint` was asked for; if not, it is a safety net, and removed in the end.
    json, curves
        Where the results, and the picture of the learning curves, are written; None for neither.
    seeds
        The seeds; empty for one training whose names are as given.
    """

    model: Path | None
    checkpoint: Path
    named: bool
    json: Path | None
    curves: Path | None
    seeds: tuple[int, ...] = ()

    def of(self, path: Path, seed: int) -> Path:
        """Return the file of a seed: ``cnn-seed0.safetensors``."""
        return path.with_stem(f"{path.stem}-seed{seed}") if self.seeds else path

    def check(self, inputs: Iterable[str], seed: int, recipe: Recipe) -> None:
        """Raise OutputError if a file cannot be written, is named twice, is one of the inputs, or would be empty."""
        outputs = [
            self.of(path, one) for one in self.seeds or (seed,) for path in (self.model, self.checkpoint) if path
        ]
        outputs += [path for path in (self.json, self.curves) if path is not None and path != STDOUT]
        check_outputs(*outputs, inputs=[Path(name) for name in inputs if Path(name).exists()])
        if self.curves is not None:
            check_curves(self.curves)
        if self.curves is not None and recipe.epochs == 1:
            raise OutputError("one epoch gives a point, not a curve; ask for more epochs (--epochs), or no --curves")

    def saver(self, seed: int) -> Saver:
        """Return what saves the training of a seed."""
        from ..train import Saver

        return Saver(self.of(self.checkpoint, seed), on_interrupt_only=not self.named)


def seeds_from(first: int, n: int | None) -> tuple[int, ...]:
    """Return n seeds from the first on; none if no number was asked for."""
    from ..randomness import LARGEST_SEED

    if n is not None and not 1 <= n <= MOST_SEEDS:
        raise ConfigurationError(f"--seeds is a whole number from 1 to {MOST_SEEDS:,}, not {n}")
    if n is not None and not 0 <= first <= LARGEST_SEED - n + 1:
        raise ConfigurationError(f"seeds are whole numbers from 0 to 2**63 - 1, and {n} from {first} on are not")
    return tuple(range(first, first + (n or 0)))


@dataclass
class Trainer:
    """Trains models on one data set, each with a seed of its own.

    Attributes
    ----------
    build
        Makes the model of a seed, with its engine.
    dataset, recipe, places, resume
        What it is trained on and how, where it is saved, and whether it goes on from checkpoints.
    name
        The model's, as the user gave it.
    remark
        What else to report before the first training.
    """

    build: Callable[[int], Model]
    dataset: Dataset
    recipe: Recipe
    places: Places
    resume: bool
    name: str
    remark: str

    def train(self, seed: int) -> None:
        """Train with every seed, or with this one; save and report.

        Raises
        ------
        TrainingInterrupted
            After Ctrl-C; finished trainings are kept.
        TrainingDiverged
            If the training diverged; with several seeds at the end, once the others are done.
        """
        many, seeds = bool(self.places.seeds), self.places.seeds or (seed,)
        runs: list[Run] = []
        diverged: dict[int, str] = {}
        savers = [self.places.saver(one) for one in seeds]
        for saver in savers:  # before the first training, not after it
            saver.check(resume=self.resume)
        self._note_checkpoints(savers)
        for position, (one, saver) in enumerate(zip(seeds, savers, strict=True), 1):
            if many:
                notes.print(f"seed {one} ({position} of {len(seeds)})")
            try:
                runs.append(self._train(one, saver))
            except TrainingDiverged as error:
                if not many:
                    raise
                diverged[one] = str(error)
                notes.print(f"seed {one} diverged: {error}", markup=False)
            except TrainingInterrupted as error:
                done = f" (finished, and kept: {len(runs)} of {len(seeds)} trainings)" if many else ""
                raise TrainingInterrupted(f"{error}{done}") from None
            self._write(runs, diverged, saver, last=position == len(seeds))
        for saver in () if self.places.named else savers:
            saver.remove()
        if many and runs:
            report_seeds(runs, self.say)
        if runs:
            report_files(self.places, runs, self.say)
        if diverged:
            raise TrainingDiverged(
                f"{len(diverged)} of {len(seeds)} trainings diverged (seed {', '.join(map(str, diverged))})"
                f"{', and the mean leaves them out' if runs else ''}; use a smaller learning rate (--learning-rate)"
            )

    @property
    def say(self) -> Console:
        """Where the result is printed: beside standard output, if that is JSON."""
        return notes if self.places.json == STDOUT else out

    def _train(self, seed: int, saver: Saver) -> Run:
        """Train with a seed, save the model, and print the result."""
        from ..train import TrainingProgress, fit

        model = self.build(seed)
        if seed == (self.places.seeds or (seed,))[0]:
            self._note_training(model)
        try:
            run = fit(
                model,
                self.dataset,
                self.recipe,
                seed=seed,
                checkpoint=saver,
                resume=self.resume,
                doubt=self.places.model is not None,  # of use for pictures alone, which need the saved model
                progress=False,
                hooks=[TrainingProgress(notes, every_epoch=True)],
            )
            if self.places.model is not None:
                model.save(self.places.of(self.places.model, seed))
        except TrainingInterrupted as error:
            raise TrainingInterrupted(f"{error}: repeat the command with --resume") from None
        except KeyboardInterrupt:  # the second Ctrl-C, or one while the model is written
            raise TrainingInterrupted(f"stopped at once; {self._how_to_go_on(saver)}") from None
        except OutputError as error:
            raise OutputError(f"{error}; {self._how_to_go_on(saver)}") from error
        finally:
            model.engine.close()
        self.say.print(seed_line(run) if self.places.seeds else result_line(run), markup=False)
        return run

    def _write(self, runs: list[Run], diverged: dict[int, str], saver: Saver, *, last: bool) -> None:
        """Write JSON and curves; with several seeds JSON after each, so that a stop loses nothing."""
        json, curves = self.places.json, self.places.curves
        try:
            if json is not None and (last or json != STDOUT):
                found = results(runs, diverged) if self.places.seeds else runs[0].to_dict()
                if json == STDOUT:
                    print_json(found)
                else:
                    write_json(json, found)
            if curves is not None and last and runs:
                write_curves(curves, {Path(self.name).stem: [run.to_dict() for run in runs]})
        except KeyboardInterrupt:
            raise TrainingInterrupted(f"stopped at once; {self._how_to_go_on(saver)}") from None
        except OutputError as error:
            raise OutputError(f"{error}; {self._how_to_go_on(saver)}") from error

    def _how_to_go_on(self, saver: Saver) -> str:
        """Say how to continue, for a user who may have to choose other paths."""
        if saver.written is None:
            return "nothing was saved before"
        path = self.places.checkpoint if self.places.seeds else saver.written
        return f"to go on from the last checkpoint, repeat the command with --checkpoint {path} --resume"

    def _note_training(self, model: Model) -> None:
        """Say what is trained, and how."""
        engine = model.engine
        notes.print(
            f"{self.name}: {model.program.parameter_count:,} parameters, {len(self.dataset.train):,} training images "
            f"of {self.dataset.name}, recipe {self.recipe.name}, engine {engine.name}, {engine.threads} threads",
            markup=False,
        )
        if model.training:
            same = "; all seeds begin with the same weights" if len(self.places.seeds) > 1 else ""
            notes.print(f"{self.name} is a saved model, and is trained further{same}", markup=False)
        notes.print(self.remark)

    def _note_checkpoints(self, savers: list[Saver]) -> None:
        """Say which files of earlier trainings are there, or that there are none to resume from."""
        found = [str(path) for saver in savers for path in saver.existing()]
        if self.resume and not found:
            notes.print(f"there is no checkpoint {savers[0].path}: training begins at the start", markup=False)
        elif found and not self.resume and not self.places.named:
            notes.print(
                f"{', '.join(found)}: of an earlier training, and stays; --resume goes on from there", markup=False
            )


def results(runs: list[Run], diverged: dict[int, str]) -> dict[str, Any]:
    """Return several trainings as plain data: all of them, and their means with 95 % intervals over seeds."""
    from ..studies.statistics.stats import mean_interval

    measured = {
        "test.accuracy": [run.test.accuracy for run in runs if run.test is not None],
        "validation.accuracy": [run.validation.accuracy for run in runs],
    }
    return {
        "seeds": [run.seed for run in runs],
        "diverged": [{"seed": seed, "error": error} for seed, error in diverged.items()],
        **{name: mean_interval(values).to_dict() for name, values in measured.items() if values},
        "runs": [run.to_dict() for run in runs],
    }


def result_line(run: Run) -> str:
    """Return the result of a training in a line."""
    assert run.test is not None
    return (
        f"test accuracy {percent(run.test.accuracy)} ({run.test.images:,} images), loss {run.test.loss:.4f}, "
        f"calibration error {run.test.calibration_error:.4f}; validation accuracy {percent(run.validation.accuracy)}"
    )


def seed_line(run: Run) -> str:
    """Return the result of one of several trainings in a short line."""
    assert run.test is not None
    return (
        f"seed {run.seed}: test accuracy {percent(run.test.accuracy)}, validation {percent(run.validation.accuracy)}, "
        f"{duration(run.seconds['train'])}"
    )


def report_seeds(runs: list[Run], say: Console) -> None:
    """Print mean, interval and range of several seeds."""
    from ..studies.statistics.stats import mean_interval
    from ..wording import seeds

    values = [run.test.accuracy for run in runs if run.test is not None]
    found = mean_interval(values)
    if found.n == 1:
        spread = "one seed decides nothing"
    elif not found.standard_deviation:  # a width of zero is no certainty
        spread = "all are equal, so there is no interval"
    else:
        spread = (
            f"95 % interval {percent(found.low)} to {percent(found.high)}; "
            f"range {percent(min(values))} to {percent(max(values))}"
        )
    say.print(f"test accuracy over {seeds(found.n)}: mean {percent(found.mean)}; {spread}")


def check_curves(path: Path) -> None:
    """Raise OutputError if the name of a picture is not that of a PNG file."""
    if path.suffix.lower() != ".png":
        raise OutputError(f"curves are drawn as PNG, not {path.name}; name a file such as curves.png")


def write_curves(path: Path, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Draw learning curves: a panel a result, with all its seeds; OutputError if there is nothing to draw."""
    from ..figures import learning
    from ..figures.style import Look, png
    from ..files import write_atomically

    drawn = learning.of_results(results)
    if drawn.draw is None:
        raise OutputError(f"{path} is not drawn: every training had one epoch, and a point is not a curve")
    look = Look()
    with look.applied():
        write_atomically(path, png(drawn.draw(look)))


def report_files(places: Places, runs: list[Run], say: Console) -> None:
    """Print how fast it was, and where everything is."""
    seconds = sum(run.seconds["train"] for run in runs)
    rate = sum(run.images_per_second * run.seconds["train"] for run in runs) / max(seconds, 1e-9)
    say.print(f"{duration(seconds)} of training, {rate:,.0f} images/s")
    models = [] if places.model is None else [places.of(places.model, run.seed) for run in runs]
    for what, path in (*(("model", path) for path in models), ("result", places.json), ("curves", places.curves)):
        if path is not None and path != STDOUT:
            say.print(f"{what}: {path}", markup=False)
    if places.model is None:
        notes.print("the model was not saved; name a file with --out to keep it")
