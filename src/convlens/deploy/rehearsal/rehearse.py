"""The rehearsal: a model's whole life in SageMaker, on this machine and without an account.

The account is emulated; the archive, the server that unpacks it, the calls and the answers are real. The doctor is
asked, the model is packed, deployed, asked for predictions, updated and destroyed, and then nothing may be left.
"""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...errors import ConvlensError
from ...files import checked_path, make_folder
from ...nn import Model, load
from ...nn.scale import takes_pixels
from ...typing import Array, FloatArray
from ...wording import duration
from ..sagemaker.clients import Clients
from ..sagemaker.clients import Clock as Waiting
from ..sagemaker.deploy import deploy
from ..sagemaker.destroy import destroy
from ..sagemaker.doctor import Diagnosis, doctor
from ..sagemaker.findings import Answer, Verdict
from ..sagemaker.invoke import invoke
from ..sagemaker.plan import Archive, Settings
from ..sagemaker.source import read_archive
from ..sagemaker.waiting import Patience
from .emulator import Call, Emulator
from .page import write_page
from .profiles import Profile, profile_named

NAME = "rehearsal"
TOLERANCE = 1e-5  # of a probability, between the endpoint's answer and the model's own
_IMAGES = 12


@dataclass(frozen=True)
class Stage:
    """One stage of a rehearsal.

    Attributes
    ----------
    name
        ``doctor``, ``deploy``, ``predict``, ``update`` or ``destroy``.
    right
        Whether it went as it must: a refusal that the doctor foresaw is right, and one that it did not is wrong.
    words
        What happened, in a sentence.
    seconds
        How long it took, in real time.
    """

    name: str
    right: bool
    words: str
    seconds: float


@dataclass(frozen=True)
class Rehearsal:
    """What came of a rehearsal.

    Attributes
    ----------
    profile
        The kind of account.
    stages
        In order.
    findings
        What the doctor found, as plain data.
    calls
        Every call that was made.
    deployed
        Whether the endpoint came into service.
    files
        The page, and the pictures of the life cycle in light and dark.
    """

    profile: Profile
    stages: tuple[Stage, ...]
    findings: tuple[dict[str, Any], ...]
    calls: tuple[Call, ...]
    deployed: bool
    files: tuple[Path, ...] = ()

    @property
    def right(self) -> bool:
        """Whether every stage went as it must."""
        return all(one.right for one in self.stages)

    @property
    def exit_code(self) -> int:
        """Of the command line: 0 if every stage went as it must, whether or not the account allows a deployment."""
        return 0 if self.right else 1

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            "profile": self.profile.name,
            "right": self.right,
            "deployed": self.deployed,
            "stages": [dataclasses.asdict(one) for one in self.stages],
            "findings": list(self.findings),
            "calls": len(self.calls),
            "files": [str(one) for one in self.files],
        }


def rehearse(
    model: str | Path,
    out: str | Path,
    profile: str | Profile = "open",
    *,
    progress: Callable[[str], None] | None = None,
) -> Rehearsal:
    """Rehearse a deployment, and write a page and pictures of its life cycle.

    Parameters
    ----------
    model
        A model's file.
    out
        A folder, made if it is not there: ``rehearsal.html``, ``life-cycle.png`` and ``life-cycle-dark.png``.
    profile
        The kind of account, or its name: see `PROFILES`.
    progress
        Called with a line after each stage.

    Raises
    ------
    ArtifactError
        If the file is not a model.
    ConfigurationError
        If there is no such profile.
    OutputError
        If the page cannot be written.
    """
    kind = profile if isinstance(profile, Profile) else profile_named(profile)
    path, folder = checked_path(model, "a model"), checked_path(out, "a folder")
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix="convlens-rehearsal-") as place, Emulator(kind) as emulator:
        run = _Run(emulator, load(path), read_archive(path), Path(place), progress or (lambda _line: None))
        run.all()
        found = Rehearsal(kind, tuple(run.stages), run.findings, tuple(emulator.calls), run.deployed)
        files = write_page(found, emulator, folder, path.name)
    return dataclasses.replace(found, files=tuple(files))


class _Run:
    """One rehearsal under way."""

    def __init__(
        self, emulator: Emulator, model: Model, archive: Archive, folder: Path, progress: Callable[[str], None]
    ) -> None:
        self.emulator, self.model, self.archive, self.folder, self.progress = emulator, model, archive, folder, progress
        clock = emulator.clock
        waiting = Waiting(lambda: clock.now.timestamp(), clock.advance)  # whoever waits moves the emulated time
        self.patience = Patience(clock=waiting)
        self.clients = Clients(session=emulator.session())
        self.settings = Settings(name=NAME)
        self.stages: list[Stage] = []
        self.findings: tuple[dict[str, Any], ...] = ()
        self.deployed = False

    def all(self) -> None:
        """Go through the stages; without an endpoint, only to see that nothing is left."""
        self._stage("doctor", self._doctor)
        self._stage("deploy", self._deploy)
        if self.deployed:
            self._stage("predict", self._predict)
            self._stage("update", self._update)
        self._stage("destroy", self._destroy)

    def _stage(self, name: str, do: Callable[[], tuple[bool, str]]) -> None:
        """Do one stage and note what came of it; an error of convlens's is wrong, in its own words."""
        began = time.monotonic()
        try:
            right, words = do()
        except ConvlensError as error:
            right, words = False, str(error)
        self.stages.append(Stage(name, right, words, time.monotonic() - began))
        self.progress(f"{name} ({duration(self.stages[-1].seconds)}): {words}")

    @property
    def _left(self) -> list[str]:
        return [*self.emulator.left, *(f"the bucket {one}" for one in self.emulator.account.buckets)]

    def _doctor(self) -> tuple[bool, str]:
        self.diagnosis: Diagnosis = doctor(self.clients, self.settings, self.archive)
        self.findings = tuple(one.to_dict() for one in self.diagnosis.findings)
        denied = self.diagnosis.having(Answer.DENIED)
        words = "; ".join(str(one) for one in denied) or f"{len(self.findings)} questions, none denied"
        passing = next((one.passing for one in denied if one.passing), ())
        if passing:  # what the doctor says would pass is what is deployed
            self.settings = dataclasses.replace(self.settings, instance_types=(passing[0],))
            self.diagnosis = doctor(self.clients, self.settings, self.archive)
            words += f"; with {passing[0]}: {self.diagnosis.verdict}"
        made = self._left
        return not made, f"{self.diagnosis.verdict}: {words}" + (f"; but it made {made}" if made else "")

    def _deploy(self) -> tuple[bool, str]:
        """Deploy even where the doctor says no-go: then AWS must refuse, and nothing may be left."""
        try:
            done = deploy(
                self.clients, self.archive, self.settings, folder=self.folder, patience=self.patience, check=False
            )
        except ConvlensError as error:
            left = self._left
            foreseen = self.diagnosis.verdict is not Verdict.GO or self.emulator.profile.damaged
            return foreseen and not left, f"{error}" + (f"; left: {left}" if left else "; nothing is left")
        self.deployed = True
        right = self.diagnosis.verdict is not Verdict.NO_GO
        return right, f"{done.action} as {done.plan.endpoint} on {done.plan.instance_type}, role {done.plan.role}"

    def _predict(self) -> tuple[bool, str]:
        images = _images(self.model)
        wanted = self.model.predict_proba(images)
        found = {
            kind: self._answer(kind, images) for kind in _BODIES if kind != "image/png" or images.dtype == np.uint8
        }
        far = {kind: float(np.abs(one - wanted[: len(one)]).max()) for kind, one in found.items()}
        listed = ", ".join(f"{kind} {value:.1g}" for kind, value in far.items())
        return all(one <= TOLERANCE for one in far.values()), (
            f"{len(images)} images; largest difference from the model's own probabilities: {listed}"
        )

    def _answer(self, kind: str, images: Array) -> FloatArray:
        """Return the probabilities that the endpoint gives, (N, K)."""
        accept = "application/x-npy" if kind == "application/x-npy" else "application/json"
        reply = invoke(self.clients, NAME, _BODIES[kind](images), kind, accept)
        if accept == "application/x-npy":
            return np.asarray(np.load(io.BytesIO(reply.body), allow_pickle=False))
        rows = [list(one["probabilities"].values()) for one in json.loads(reply.body)["predictions"]]
        return np.asarray(rows)

    def _update(self) -> tuple[bool, str]:
        settings = dataclasses.replace(self.settings, instances=2)
        done = deploy(self.clients, self.archive, settings, folder=self.folder, patience=self.patience, check=False)
        states = [one.status for one in self.emulator.changes]
        right, words = self._predict()
        return right and "Updating" in states and done.action == "updated", f"{done.action} to two machines; {words}"

    def _destroy(self) -> tuple[bool, str]:
        removal = destroy(self.clients, NAME, folder=self.folder, patience=self.patience)
        left = [*self._left, *self.emulator.faults]
        return not left, f"removed {len(removal.removed)} resources; " + (
            f"left: {left}" if left else "nothing is left"
        )


def _images(model: Model) -> Array:
    """Return images for a model: digits if it takes their size, else noise."""
    if model.input_shape == (28, 28, 1) and takes_pixels(model.training, model.preprocessing):
        from ...data import load as load_data

        return load_data("mnist").test.images[:_IMAGES]
    draw = np.random.default_rng(0)
    shape = (_IMAGES, *model.input_shape)
    if takes_pixels(model.training, model.preprocessing):
        return draw.integers(0, 256, shape, dtype=np.uint8)
    return draw.random(shape, dtype=np.float32)


def _npy(images: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, images, allow_pickle=False)
    return stream.getvalue()


def _png(images: Array) -> bytes:
    stream = io.BytesIO()
    first = images[0]
    Image.fromarray(first[..., 0] if first.shape[2] == 1 else first).save(stream, "PNG")
    return stream.getvalue()


_BODIES: dict[str, Callable[[Array], bytes]] = {
    "application/x-npy": _npy,
    "application/json": lambda images: json.dumps({"instances": images.tolist()}).encode(),
    "image/png": _png,
}
