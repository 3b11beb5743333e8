"""Boundary: what lies beyond the image's edge, for accuracy, for shifted digits, and as a hint of position.

The predictions were written when a check of the programs (one seed, one epoch, 6,000 images, zero padding only) had
run, and no declared seed had.
"""

from __future__ import annotations

from typing import Any

from ...models import CNN
from ..executors.measurement import measurement
from ..executors.training import METRICS
from ..measures import measure
from ..metric import joined, of_arms
from ..regime import profiles, training, with_parent
from ..spec import Arm, Estimand, Study
from ..statistics.verdict import between, greater_than

NAME = "boundary"
SAME = 0.002  # accuracies within two tenths of a point: twenty of the 10,000 test images
SAME_SHIFTED = 0.01  # likewise on shifted images, of which there are 1,000
POSITION_EFFECT = 0.1  # of R²
SHIFT = 8  # pixels; digits then reach the image's edge, or beyond

NETWORKS = {
    "zeros": CNN(),
    "reflect": CNN(padding_mode="reflect"),
    "valid": CNN(padding="valid"),
    "full": CNN(padding="full"),
}
TRAINING = {"zeros": 7.0, "reflect": 7.0, "valid": 5.0, "full": 8.0}  # seconds, one thread
WORDS = {
    "zeros": "zeros beyond the edge, maps of the image's size",
    "reflect": "the image mirrored at its edge",
    "valid": "kernels inside the image only: smaller maps, half the parameters",
    "full": "every overlap of kernel and image: larger maps, more parameters",
}
SHIFTS: dict[str, Any] = {"step": 4, "reach": SHIFT, "images": 1000}
MAPS: dict[str, Any] = {"nodes": [("block 1", "pool1"), ("block 2", "pool2")], "images": 64}
BEFORE = "position, zeros, before training"

PROFILES = profiles(
    ("zeros", "reflect", "valid", "position, zeros", "position, reflect", BEFORE),
    "zeros tell position",
    trained=True,
)


def study() -> Study:
    """Return the study."""
    trainings = {name: training(network, name=name) for name, network in NETWORKS.items()}
    trained = tuple(Arm(name, of, TRAINING[name], description=WORDS[name]) for name, of in trainings.items())
    moved = tuple(
        Arm(
            f"{name}, trained shifted",
            measurement(training(network, name=name, augmentation={"shift": SHIFT}), "shift-map", **SHIFTS),
            with_parent(TRAINING[name], 0.5),
        )
        for name, network in NETWORKS.items()
        if name != "full"
    )
    position = (
        *(Arm(f"position, {name}", measurement(of, "position", **MAPS), 0.2) for name, of in trainings.items()),
        Arm(BEFORE, measurement(trainings["zeros"], "position", weights="initial", **MAPS), 0.2),
    )
    read = measure({"name": "position", **MAPS})
    shifts = measure({"name": "shift-map", **SHIFTS})
    of_moved, of_position = [arm.name for arm in moved], [arm.name for arm in position]
    return Study(
        name=NAME,
        question="What should a convolution see beyond the edge of the image, and what does the edge give away?",
        prediction="On centred digits it does not matter: all four are within 0.2 points of zeros, valid perhaps 0.1 "
        "worse. Zeros tell the network where it is (R² of position on a blank image above 0.2 after block 2, after "
        "training more than before), reflection tells nothing (0). With digits that leave the image, zeros and "
        "reflection are within a point.",
        why="The edge of these images is blank, and so is what padding adds. But a map beside the padding differs from "
        "one further inside, and a network can read from that where it is: convolution with zeros does not treat "
        "all places alike.",
        factor="what is beyond the edge",
        levels=tuple(NETWORKS),
        controls=(
            "same shapes and parameters for zeros and reflection; for valid fewer, for full more, in the dense layer",
            "position also read off before training, and with padding that cannot tell it",
            "digits shifted until they touch the edge, in training and in the test",
            "rates tuned for every network",
            "same images, order and steps",
        ),
        data=("mnist",),
        arms=(*trained, *moved, *position),
        metrics=joined(
            of_arms(METRICS, [arm.name for arm in trained]), shifts.metrics(of_moved), read.metrics(of_position)
        ),
        curves=(*shifts.curves(of_moved), *read.curves(of_position)),
        primary=_same("zeros as good as reflect", "zeros", "reflect"),
        secondary=(
            _same("zeros as good as valid", "zeros", "valid"),
            _same("zeros as good as full", "zeros", "full"),
            _position("zeros tell position", "position, zeros", "position, reflect"),
            _position("training makes zeros tell more", "position, zeros", BEFORE),
            _position("valid tells less than zeros", "position, zeros", "position, valid"),
            Estimand(
                "zeros as good as reflect, shifted digits",
                "shift.accuracy",
                "zeros, trained shifted",
                between(-SAME_SHIFTED, SAME_SHIFTED),
                reference="reflect, trained shifted",
                description="accuracy on shifted digits, zeros minus reflection",
            ),
        ),
        max_minutes=10,
        sources=(
            "Islam, Jia & Bruce, How much position information do convolutional neural networks encode?, ICLR 2020",
            "Kayhan & van Gemert, On translation invariance in CNNs: convolutional layers can exploit absolute spatial "
            "location, CVPR 2020",
        ),
    )


def _same(name: str, arm: str, reference: str) -> Estimand:
    words = f"accuracy with “{arm}” minus “{reference}”"
    return Estimand(name, "test.accuracy", arm, between(-SAME, SAME), reference, words)


def _position(name: str, arm: str, reference: str) -> Estimand:
    return Estimand(
        name,
        "position.blank_block 2",
        arm,
        greater_than(POSITION_EFFECT),
        reference,
        f"R² of position on a blank image, “{arm}” minus “{reference}”",
    )
