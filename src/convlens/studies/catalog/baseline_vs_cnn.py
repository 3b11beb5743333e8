"""The CNN against dense networks: as they are, at equal parameters, and at equal FLOPs."""

from __future__ import annotations

from ..executors.training import METRICS, configuration
from ..spec import Arm, Estimand, Profile, Study
from ..verdict import between, greater_than

NAME = "baseline-vs-cnn"
SMALLEST_EFFECT = 0.005  # half a point: enough to prefer the other network

PROFILES = {
    "quick": Profile("quick", (0,), {"recipe.epochs": 1, "data.train_images": 18_000}),
    "standard": Profile("standard", (0, 1, 2)),
    "full": Profile("full", tuple(range(10))),
}


def study() -> Study:
    """Return the study."""
    words = {
        "baseline": "dense baseline",
        "baseline-wide": "dense, same size",
        "baseline-flops": "dense, same cost",
        "cnn": "CNN",
    }
    arms = tuple(
        Arm(
            f"{model}, {recipe}",
            configuration(model, recipe_name=recipe),
            cost=cost,
            description=f"{words[model]}; recipe “{recipe}”",
        )
        for model, recipe, cost in (  # approximate seconds on one thread
            ("baseline", "plain", 4),
            ("baseline", "good", 3),
            ("baseline-wide", "good", 4),
            ("baseline-flops", "good", 23),
            ("cnn", "plain", 21),
            ("cnn", "good", 17),
        )
    )
    against = {
        "baseline": "the dense baseline",
        "baseline-wide": "a dense network of the same size",
        "baseline-flops": "a dense network of the same cost",
    }
    contrasts = {
        name: Estimand(
            f"cnn over {name}",
            "test.accuracy",
            "cnn, good",
            greater_than(SMALLEST_EFFECT),
            reference=f"{name}, good",
            description=f"the CNN minus {what}",
        )
        for name, what in against.items()
    }
    claimed = tuple(
        Estimand(f"{model}, {recipe}: accuracy", "test.accuracy", f"{model}, {recipe}", between(low, high))
        for model, low, high in (("cnn", 0.96, 0.98), ("baseline", 0.92, 0.94))
        for recipe in ("plain", "good")
    )
    return Study(
        name=NAME,
        question="Is the CNN more accurate than dense networks, also at equal parameters and at equal FLOPs?",
        prediction="Yes: by one to two points, and matching closes little of the gap.",
        why="A convolution knows that neighbours belong together and patterns recur; a dense layer must learn it.",
        factor="network",
        levels=("baseline", "baseline-wide", "baseline-flops", "cnn"),
        controls=(
            "same images, order and number of steps",
            "same recipe",
            "baselines matched in parameters and in FLOPs",
        ),
        data=("mnist",),
        arms=arms,
        metrics=METRICS,
        primary=contrasts["baseline-wide"],
        secondary=(contrasts["baseline"], contrasts["baseline-flops"], *claimed),
        max_minutes=6,
        sources=("LeCun et al., Gradient-based learning applied to document recognition, 1998",),
    )
