"""Pixel permutation: one fixed shuffle of all pixels, which only a network that knows about neighbours can mind.

The predictions were written before any network was trained on shuffled images.
"""

from __future__ import annotations

from ...models import CNN
from ..executors.measurement import measurement
from ..executors.training import METRICS
from ..measures import measure
from ..metric import joined, of_arms
from ..profile import for_claims
from ..regime import SECONDS, profiles, training, with_parent
from ..spec import Arm, Estimand, Study
from ..statistics.verdict import between, greater_than, less_than

NAME = "pixel-permutation"
SMALLEST_EFFECT = 0.005  # half a point
SAME = 0.003  # a dense network's loss up to this is none
SHUFFLES = (1, 2)  # seeds of the shuffle; the second shows whether the result is one shuffle's
ROUNDING = 1e-5

PROFILES = profiles(
    ("CNN", "CNN, shuffled", "dense", "dense, shuffled"), "shuffling costs the CNN", measured=False, trained=True
)
PROFILES["claims"] = for_claims(PROFILES["standard"], ("CNN", "CNN, shuffled", "dense", "dense, shuffled", "control"))


def study() -> Study:
    """Return the study."""
    first, second = SHUFFLES
    pooled = CNN(global_average=True)
    trained = (
        Arm("CNN", training("cnn"), SECONDS["max"]),
        Arm("CNN, shuffled", training("cnn", permute=first), SECONDS["max"]),
        Arm("CNN, shuffled otherwise", training("cnn", permute=second), SECONDS["max"]),
        Arm("dense", training("baseline-wide"), SECONDS["dense"], description="dense, as many parameters as the CNN"),
        Arm("dense, shuffled", training("baseline-wide", permute=first), SECONDS["dense"]),
        Arm("global average", training(pooled), 5, description="CNN whose dense layer sees channel means only"),
        Arm("global average, shuffled", training(pooled, permute=first), 5),
    )
    control = Arm(
        "control",
        measurement(training("baseline-wide"), "permuted-dense"),
        with_parent(SECONDS["dense"], 0.1),
        description="trained dense network, pixels and first-layer weights shuffled alike",
    )
    return Study(
        name=NAME,
        question="Shuffle the pixels of all images, always in the same way: who can still read the digits?",
        prediction="Shuffling costs the CNN 1 to 3 points and the dense network nothing; the CNN falls to within half "
        "a point of the dense network of its size, and the CNN with global average pooling loses 10 points or more.",
        why="A dense layer has no notion of which pixels are neighbours, so shuffled images are the same problem to "
        "it. A convolution looks at neighbours only, and in a shuffled image these are strangers. "
        "What the CNN keeps, it owes to its dense layer.",
        factor="order of the pixels",
        levels=("in place", "shuffled"),
        controls=(
            "the same shuffle for all images, of all sets; a second shuffle for the CNN",
            "a dense network with as many parameters; its outputs stay the same if its weights are shuffled too",
            "rates tuned for every network and shuffle",
            "same images, order and steps",
        ),
        data=("mnist",),
        arms=(*trained, control),
        metrics=joined(
            of_arms(METRICS, [arm.name for arm in trained]), measure({"name": "permuted-dense"}).metrics([control.name])
        ),
        primary=_loss("shuffling costs the CNN", "CNN"),
        secondary=(
            Estimand(
                "shuffling costs the dense network nothing",
                "test.accuracy",
                "dense",
                between(-SAME, SAME),
                reference="dense, shuffled",
                description="the dense network minus the same on shuffled pixels",
            ),
            Estimand(
                "shuffled, the CNN is no better than dense",
                "test.accuracy",
                "CNN, shuffled",
                less_than(SMALLEST_EFFECT),
                reference="dense, shuffled",
                description="the CNN minus the dense network, both on shuffled pixels",
            ),
            _loss("shuffling costs global averages", "global average"),
            Estimand(
                "one shuffle is like another",
                "test.accuracy",
                "CNN, shuffled",
                between(-SAME, SAME),
                reference="CNN, shuffled otherwise",
                description="the CNN on pixels shuffled in one way minus another",
            ),
            Estimand(
                "shuffled weights undo it",
                "permutation.difference",
                control.name,
                less_than(ROUNDING),
                description="change of a dense network's outputs, its weights shuffled like the pixels",
            ),
        ),
        max_minutes=8,
        sources=(
            "Goodfellow et al., An empirical investigation of catastrophic forgetting in gradient-based neural "
            "networks, 2013",
            "Greydanus, Scaling down deep learning, 2020",
        ),
        varies="Initial weights and order of the training images; split, images and shuffle are the same.",
    )


def _loss(name: str, arm: str) -> Estimand:
    return Estimand(
        name,
        "test.accuracy",
        arm,
        greater_than(SMALLEST_EFFECT),
        reference=f"{arm}, shuffled",
        description=f"“{arm}” minus the same on shuffled pixels",
    )
