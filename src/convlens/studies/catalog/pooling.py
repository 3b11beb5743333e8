"""Pooling: the maximum, the mean, a blur, a stride or nothing between the blocks of a CNN; accuracy alone.

What pooling does for shifted images is the study *translation*, which measures the networks trained here. The
predictions were written when a check of the programs (one seed, one epoch, 6,000 images) had run, and no declared
seed had.
"""

from __future__ import annotations

from ...models import CNN, match
from ...models.architectures import Pooling
from ..executors.training import METRICS
from ..regime import SECONDS, profiles, training
from ..spec import Arm, Estimand, Study
from ..statistics.verdict import greater_than

NAME = "pooling"
SMALLEST_EFFECT = 0.001  # a tenth of a point: ten of the 10,000 test images
LARGER_EFFECT = 0.005  # of interest with 1,000 training images, where accuracies vary more

WORDS: dict[Pooling, str] = {
    "max": "2x2 max-pooling",
    "average": "2x2 average pooling",
    "strided": "convolutions with stride 2, no pooling",
    "blur": "maximum, blurred before every second pixel is kept",
    "none": "no pooling and no stride: larger maps, 15 times the parameters",
}
LARGER = "max over strided by half a point"

PROFILES = profiles(("max", "average", "strided"), LARGER, measured=False, trained=True)


def study() -> Study:
    """Return the study."""
    wide, matched = match(lambda filters: CNN(pooling="strided", filters=(filters, 32)), CNN(), "flops", to="max")
    arms = [
        Arm(
            kind,
            training(CNN(pooling=kind), name=kind),
            SECONDS[kind],
            5 if kind == "none" else None,
            WORDS[kind],
        )
        for kind in WORDS
    ]
    arms.append(
        Arm(
            "strided, equal FLOPs",
            training(wide, name="strided, equal FLOPs"),
            11,
            description="stride 2, with more filters in the first block",
            matched=matched,
        )
    )
    return Study(
        name=NAME,
        question="Is it the maximum that makes max-pooling good, or only that the image becomes smaller?",
        prediction="Max-pooling beats a stride by 0.2 to 0.6 points, about half of it left at equal FLOPs; it beats "
        "averages by 0.1 to 0.3; blurring changes it by less than 0.1; without any pooling, accuracy is 0.1 to 0.4 "
        "lower.",
        why="A stride throws three of four responses away unseen; a maximum looks at all four and keeps the strongest. "
        "A pattern then counts wherever in the window it is. An average dilutes it among its neighbours.",
        factor="pooling",
        levels=tuple(WORDS),
        controls=(
            "same shapes and parameters for max, average, blur and stride",
            "a stride with as many FLOPs, the input of its dense layer unchanged",
            "rates tuned for every network",
            "same images, order and steps",
        ),
        data=("mnist",),
        arms=tuple(arms),
        metrics=METRICS,
        primary=_gain("max over strided", "max", "strided"),
        secondary=(
            _gain("max over strided, equal FLOPs", "max", "strided, equal FLOPs"),
            _gain("max over average", "max", "average"),
            _gain("blur over max", "blur", "max"),
            _gain("max over none", "max", "none"),
            _gain(LARGER, "max", "strided", LARGER_EFFECT),
        ),
        max_minutes=10,
        sources=(
            "Scherer, Müller & Behnke, Evaluation of pooling operations in convolutional architectures for object "
            "recognition, ICANN 2010",
            "Springenberg et al., Striving for simplicity: the all convolutional net, 2015",
            "Zhang, Making convolutional networks shift-invariant again, ICML 2019",
        ),
    )


def _gain(name: str, arm: str, reference: str, effect: float = SMALLEST_EFFECT) -> Estimand:
    return Estimand(
        name,
        "test.accuracy",
        arm,
        greater_than(effect),
        reference=reference,
        description=f"accuracy of “{arm}” minus “{reference}”",
    )
