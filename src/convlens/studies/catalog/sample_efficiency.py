"""Accuracy over the number of training images, 1 to 5,400 of each class: a CNN, and what it is compared with.

Split and subset are drawn anew by every seed, and shared by the arms of a seed, so that the intervals include which
images one happens to have. At few images that varies more than anything else.
"""

from __future__ import annotations

from ...models import CNN, Architecture, DenseNet, Matched, match
from ..executors.seeds import SeedChoice
from ..executors.training import METRICS, configuration
from ..regime import SEEDS, epochs_for
from ..spec import Arm, Estimand, Profile, Study
from ..statistics.verdict import greater_than
from ..tuned import tuned

NAME = "sample-efficiency"
CLASSES = 10
PER_CLASS = (1, 10, 30, 100, 300, 1_000, 5_400)
PER_CLASS_LOCAL = (10, 100, 1_000)
MOST_EPOCHS = 50  # below 400 images fewer steps than elsewhere: 50 on 10 images, 100 on 100
FASHION = "fashion-mnist"
DECISIVE = 100  # images of each class at which the primary estimand is measured
SMALLEST_EFFECT = 0.01  # a point, at 1,000 images
SMALLEST_EFFECT_ELSEWHERE = 0.005

# approximate seconds on one thread: of a pass over an image, and of evaluating the 6,000 images of validation
COST = {"cnn": (0.000_093, 0.14), "dense": (0.000_022, 0.02), "local": (0.000_35, 0.25)}

ALL_DRAWN: dict[str, SeedChoice] = {"split": "trial", "subset": "trial"}


def _arm_name(model: str, per_class: int) -> str:
    return f"{model}, {per_class:,} a class"


PROFILES = {
    "quick": Profile(
        "quick",
        tuple(SEEDS["quick"]),
        arms=tuple(_arm_name(model, n) for n in (10, DECISIVE) for model in ("cnn", "dense")),
    ),
    "standard": Profile("standard", tuple(SEEDS["standard"])),
    "full": Profile("full", tuple(SEEDS["full"]), looks=(5, 10, 20)),
}


def study() -> Study:
    """Return the study."""
    contrasts = {n: _contrast("cnn", "dense", n) for n in PER_CLASS}
    primary = contrasts.pop(DECISIVE)
    local = tuple(_contrast("cnn", "local", n) for n in PER_CLASS_LOCAL)
    return Study(
        name=NAME,
        question="How many examples is it worth to know that images have neighbours?",
        prediction="At 1,000 images the CNN leads the dense network of its size by 4 to 8 points; with a tenth to a "
        "third of the images it is as good. Its lead is largest between 300 and 1,000 images and at most 1.5 points "
        "at 54,000. At 10 images, one of each class, it is between -3 and +6 points. Of the lead at 1,000 images, "
        "sharing weights accounts for 1 to 4 points.",
        why="What a network knows beforehand it need not learn from examples. So the fewer there are, the more should "
        "the CNN lead; with very many, a dense network should catch up. With one image of each class, nobody knows how "
        "the next will differ, and the CNN may have nothing to gain.",
        factor="number of training images of each class",
        levels=PER_CLASS,
        controls=(
            "split, subset and order are the same for all arms of a seed; subsets of a seed are nested",
            "the learning rate tuned for each network on validation, at 6,000 images, and used at all sizes",
            f"3 epochs, and 300 steps at least, by one rule for all arms; but {MOST_EPOCHS} epochs at most",
            "a dense network with as many parameters as the CNN; and the CNN without weight sharing, which has six "
            "times as many",
        ),
        data=("mnist", FASHION),
        arms=_arms(),
        metrics=METRICS,
        primary=primary,
        secondary=(*contrasts.values(), *local, _contrast("cnn", "dense", DECISIVE, f", {FASHION}")),
        max_minutes=10,
        sources=("Bruna & Mallat, Invariant scattering convolution networks, IEEE PAMI 2013",),
        varies="Split, training images, initial weights and order of the images; the test images are the same.",
    )


def _networks() -> dict[str, tuple[Architecture, Matched | None, str]]:
    dense, matched = match(lambda units: DenseNet((units, max(1, units // 2))), CNN(), "parameters", to="cnn")
    return {
        "cnn": (CNN(), None, "CNN"),
        "dense": (dense, matched, "dense, same size"),
        "local": (CNN(shared=False), None, "CNN without weight sharing"),
    }


def _arms() -> tuple[Arm, ...]:
    networks = _networks()
    wanted = [(model, n) for n in PER_CLASS for model in networks if model != "local" or n in PER_CLASS_LOCAL]
    clothes = [_arm(model, *networks[model], DECISIVE, FASHION) for model in ("cnn", "dense")]
    return (*(_arm(model, *networks[model], n) for model, n in wanted), *clothes)


def _arm(
    model: str, network: Architecture, matched: Matched | None, words: str, per_class: int, dataset: str = "mnist"
) -> Arm:
    images = per_class * CLASSES
    epochs, elsewhere = min(MOST_EPOCHS, epochs_for(images)), dataset != "mnist"
    described = configuration(network, dataset=dataset, train_images=images, epochs=epochs, seeds=ALL_DRAWN, name=model)
    a_pass, an_evaluation = COST[model]
    return Arm(
        _arm_name(model, per_class) + (f", {dataset}" if elsewhere else ""),
        tuned(described),
        round(epochs * (images * a_pass + an_evaluation) + 0.3, 1),
        most_seeds=5 if elsewhere or model == "local" else None,
        description=f"{words}; {images:,} images" + ("; Fashion-MNIST" if elsewhere else ""),
        series=f"{words}, Fashion-MNIST" if elsewhere else words,
        level=float(per_class),
        matched=matched,
    )


def _contrast(arm: str, reference: str, per_class: int, suffix: str = "") -> Estimand:
    return Estimand(
        f"{arm} over {reference}, {per_class:,} a class{suffix}",
        "test.accuracy",
        _arm_name(arm, per_class) + suffix,
        greater_than(SMALLEST_EFFECT if per_class == DECISIVE else SMALLEST_EFFECT_ELSEWHERE),
        reference=_arm_name(reference, per_class) + suffix,
        description=f"{arm} minus {reference} at {per_class * CLASSES:,} images{suffix}",
    )
