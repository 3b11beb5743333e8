"""Translation: what becomes of predictions when digits are shifted; with every kind of pooling, and with training.

The predictions were written when a check of the programs (one seed, one epoch, 6,000 images) had run, and no declared
seed had.
"""

from __future__ import annotations

from typing import Any

from ...models import CNN, Architecture
from ..executors.measurement import measurement
from ..measures import measure
from ..profile import for_claims
from ..regime import SECONDS, profiles, training, with_parent
from ..spec import Arm, Estimand, Study
from ..statistics.verdict import Region, greater_than

NAME = "translation"
SMALLEST_EFFECT = 0.01  # a point: ten of the 1,000 images
INVARIANT = 0.99  # the claim of invariance: at most one prediction in a hundred changes
SHIFT = 8  # pixels, the largest that is measured and trained with
SETTINGS: dict[str, Any] = {"step": 2, "reach": SHIFT, "images": 1000}

NETWORKS: dict[str, str | Architecture] = {
    "max": CNN(),
    "average": CNN(pooling="average"),
    "strided": CNN(pooling="strided"),
    "blur": CNN(pooling="blur"),
    "dense": "baseline-wide",
}
MEASURING = {"max": 1.5, "average": 1.5, "strided": 1.0, "blur": 2.0, "none": 20.0, "dense": 0.4}  # seconds, one thread
FASHION = "fashion-mnist"

PROFILES = profiles(("max", "strided", "dense"), "max over strided")
PROFILES["claims"] = for_claims(PROFILES["standard"], ("max", "strided", "average", "dense"))


def study() -> Study:
    """Return the study."""
    arms = _arms()
    shifts = measure({"name": "shift-map", **SETTINGS})
    return Study(
        name=NAME,
        question="Move a digit by two pixels. Does the network still say the same, and is that thanks to max-pooling?",
        prediction="At 2 pixels, max-pooling keeps 3 to 12 points more predictions than a stride, yet changes more "
        "than one prediction in a hundred, so it is not invariant; at 8 pixels all networks trained on centred digits "
        "are near chance. Training with shifted digits does far more than any pooling, for dense networks too.",
        why="A convolution moves its map with the image, but the dense layer behind it has learnt where things are. "
        "Pooling hides moves smaller than its window, no larger ones. Seeing shifted digits in training is the direct "
        "way to learn that place does not matter.",
        factor="pooling, and training images",
        levels=(*NETWORKS, "none", "shifted"),
        controls=(
            "accuracy and consistency apart: to say the same may be to be wrong twice",
            "same shapes and parameters for max, average, blur and stride",
            "a dense network with as many parameters, centred and shifted",
            "rates tuned for every network and way of training",
            "same images, order and steps",
        ),
        data=("mnist", FASHION),
        arms=arms,
        metrics=shifts.metrics(),
        curves=shifts.curves(),
        primary=_consistency("max over strided", "max", "strided"),
        secondary=_secondary(),
        max_minutes=14,
        sources=(
            "Azulay & Weiss, Why do deep convolutional networks generalize so poorly to small image transformations?, "
            "JMLR 2019",
            "Zhang, Making convolutional networks shift-invariant again, ICML 2019",
            "Mouton, Myburgh & Davel, Stride and translation invariance in CNNs, 2020",
        ),
    )


def _arms() -> tuple[Arm, ...]:
    centred = [_arm(kind, network) for kind, network in NETWORKS.items()]
    none = _arm("none", CNN(pooling="none"), most_seeds=5)
    shifted = [
        _arm(f"{kind}, trained shifted", network, augmentation={"shift": SHIFT}) for kind, network in NETWORKS.items()
    ]
    fashion = [_arm(f"{kind}, {FASHION}", NETWORKS[kind], most_seeds=5, dataset=FASHION) for kind in ("max", "strided")]
    return (*centred, none, *shifted, *fashion)


def _arm(
    name: str,
    network: str | Architecture,
    *,
    most_seeds: int | None = None,
    **training_settings: Any,
) -> Arm:
    kind = name.split(",")[0]
    parent = training(network, name="" if isinstance(network, str) else kind, **training_settings)
    return Arm(
        name, measurement(parent, "shift-map", **SETTINGS), with_parent(SECONDS[kind], MEASURING[kind]), most_seeds
    )


def _secondary() -> tuple[Estimand, ...]:
    shifted = ", trained shifted"
    of_max = "shift.consistency_at_2", "max"
    return (
        Estimand("max is invariant to 2 pixels", *of_max, greater_than(INVARIANT), description="consistency, 2 pixels"),
        _consistency("max over strided, accuracy", "max", "strided", kind="accuracy"),
        _consistency("max over average", "max", "average"),
        _consistency("blur over max", "blur", "max"),
        _consistency("max over none", "max", "none"),
        _consistency("max over dense", "max", "dense"),
        _consistency("training over pooling, 4 pixels", f"max{shifted}", "max", 4),
        _consistency("dense trained shifted over CNN trained centred, 4 pixels", f"dense{shifted}", "max", 4),
        _consistency("max over strided, both trained shifted", f"max{shifted}", f"strided{shifted}"),
        _consistency("blur over max, both trained shifted", f"blur{shifted}", f"max{shifted}"),
        _consistency("max over dense, both trained shifted, 4 pixels", f"max{shifted}", f"dense{shifted}", 4),
        _consistency(f"max over strided, {FASHION}", f"max, {FASHION}", f"strided, {FASHION}"),
    )


def _consistency(name: str, arm: str, reference: str, distance: int = 2, kind: str = "consistency") -> Estimand:
    region: Region = greater_than(SMALLEST_EFFECT)
    words = f"{kind} under shifts of {distance} pixels, “{arm}” minus “{reference}”"
    return Estimand(name, f"shift.{kind}_at_{distance}", arm, region, reference, words)
