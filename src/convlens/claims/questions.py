"""The sub-claims that studies measure: for each, the estimand of the catalogue that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CLAIMS: Mapping[int, str] = {
    1: "The dense baseline 784-128-64-10 has about 109K parameters.",
    2: "The CNN has about 210K parameters.",
    3: "The CNN reaches 96 to 98 %, the baseline 92 to 94 %.",
    4: "Both have similar parameter counts.",
    5: "3x3 has about 210K, 5x5 about 690K, 7x7 about 1.5M parameters: they grow with the square of the kernel size.",
    6: "3x3 is optimal for MNIST; 5x5 costs more; 7x7 overfits.",
    7: "Stacked layers of 3x3 reach a large receptive field with fewer parameters and more non-linearity.",
    8: "Convolution has locality, translation equivariance and hierarchy; dense layers lose them.",
    9: "Max-pooling gives translation invariance.",
    10: "Tables, irregular time series and graphs are not for convolution.",
}
"""The ten claims, by number."""


@dataclass(frozen=True)
class Question:
    """A sub-claim that an estimand decides.

    Attributes
    ----------
    name, number, claim, beside
        As of a `convlens.claims.row.ClaimRow`.
    study, estimand
        Names of both.
    """

    name: str
    number: int
    claim: str
    study: str
    estimand: str
    beside: bool = False


def questions() -> list[Question]:
    """Return them, claim by claim."""
    return [
        *_accuracies(),
        *_same_size(),
        *_kernels(),
        *_stacks(),
        *_locality(),
        *_equivariance(),
        *_hierarchy(),
        *_pooling(),
        *_elsewhere(),
    ]


def _accuracies() -> list[Question]:
    study, models = (
        "baseline-vs-cnn",
        {"cnn": "the CNN reaches 96 to 98 %", "baseline": "the baseline reaches 92 to 94 %"},
    )
    ranges = [
        Question(f"{model}-accuracy-{recipe}", 3, f"{words} (recipe “{recipe}”)", study, f"{model}, {recipe}: accuracy")
        for model, words in models.items()
        for recipe in ("plain", "good")
    ]
    gaps = [
        Question(
            f"gap-{recipe}",
            3,
            f"the CNN leads the baseline by 2 to 6 points, as these ranges imply (recipe “{recipe}”)",
            study,
            f"claimed gap, {recipe}",
        )
        for recipe in ("plain", "good")
    ]
    return [*ranges, *gaps]


def _same_size() -> list[Question]:
    others = {
        "baseline": "the CNN is better than the baseline",
        "baseline-wide": "the CNN is better than a dense network with as many parameters",
        "baseline-flops": "the CNN is better than a dense network with as many FLOPs",
    }
    return [
        Question(f"cnn-over-{other}", 4, words, "baseline-vs-cnn", f"cnn over {other}", beside=True)
        for other, words in others.items()
    ]


def _kernels() -> list[Question]:
    study = "kernel-size"
    better = [
        Question(
            f"3x3-over-{k}x{k}{how.replace(', ', '-').replace(' ', '-')}",
            6,
            f"3x3 is better than {k}x{k}{how.replace(', ', ' at ')}",
            study,
            f"3x3 over {k}x{k}{how}",
            beside=bool(how),
        )
        for how in ("", ", equal FLOPs", ", equal parameters", ", equal receptive fields")
        for k in (5, 7)
    ]
    return [
        *better,
        Question(
            "7x7-gap", 6, "7x7 overfits: its train-minus-validation gap is larger", study, "gap of 7x7 over 3x3, long"
        ),
        Question(
            "7x7-rise",
            6,
            "7x7 overfits: its validation loss rises more above its lowest",
            study,
            "rise of 7x7 over 3x3, long",
        ),
        Question("7x7-worse", 6, "7x7 overfits: it tests worse", study, "7x7 loses to 3x3, long"),
    ]


def _stacks() -> list[Question]:
    found = []
    for k, words in ((5, "two layers of 3x3 are"), (7, "three layers of 3x3 are")):
        found += [
            Question(
                f"stacked-over-{k}x{k}",
                7,
                f"{words} more accurate than one of {k}x{k}",
                "stacking",
                f"stacked over {k}x{k}, as is",
            ),
            Question(
                f"stacked-over-{k}x{k}-equal-depth",
                7,
                f"{words} more accurate than {k}x{k} followed by 1x1, which is as deep",
                "stacking",
                f"stacked over {k}x{k}, equal depth",
                beside=True,
            ),
        ]
    return found


def _locality() -> list[Question]:
    study = "pixel-permutation"
    return [
        Question(
            "locality", 8, "locality: shuffling all pixels costs the CNN accuracy", study, "shuffling costs the CNN"
        ),
        Question(
            "locality-dense",
            8,
            "dense layers lose locality: shuffling costs a dense network nothing",
            study,
            "shuffling costs the dense network nothing",
        ),
        Question(
            "shuffled-cnn-over-dense",
            8,
            "on shuffled pixels the CNN is no better than a dense network of its size",
            study,
            "shuffled, the CNN is no better than dense",
            beside=True,
        ),
        Question(
            "shuffled-weights",
            8,
            "control: a dense network whose weights are shuffled like the pixels gives the same outputs",
            study,
            "shuffled weights undo it",
            beside=True,
        ),
    ]


def _equivariance() -> list[Question]:
    study = "equivariance"
    return [
        Question(
            "equivariance",
            8,
            "translation equivariance: a convolution's map moves with the image",
            study,
            "the first convolution keeps it",
        ),
        Question(
            "equivariance-dense",
            8,
            "dense layers lose equivariance: their values change as the image moves",
            study,
            "dense changes",
        ),
        Question(
            "equivariance-pooled",
            8,
            "but max-pooling breaks it: its map does not move with a shift of one pixel",
            study,
            "the first pooling breaks it",
            beside=True,
        ),
        Question(
            "equivariance-unpooled",
            8,
            "control: without pooling, the last map still moves with the image",
            study,
            "without pooling all keep it",
            beside=True,
        ),
    ]


def _hierarchy() -> list[Question]:
    study = "hierarchy"
    return [
        Question(
            "hierarchy",
            8,
            "hierarchy: deeper layers of the CNN tell the classes better apart",
            study,
            "depth helps the trained CNN",
        ),
        Question(
            "hierarchy-learnt", 8, "hierarchy: training adds to what random weights give", study, "what training adds"
        ),
        Question(
            "hierarchy-units",
            8,
            "hierarchy: units become more selective with depth",
            study,
            "units become selective with depth",
        ),
        Question(
            "hierarchy-dense",
            8,
            "dense layers lose hierarchy: the CNN gains more with depth",
            study,
            "the CNN gains more than dense",
        ),
    ]


def _pooling() -> list[Question]:
    study, shifted = "translation", "under a shift of 2 pixels"
    return [
        Question(
            "invariance",
            9,
            f"max-pooling gives invariance: {shifted}, the CNN says the same of almost every digit",
            study,
            "max is invariant to 2 pixels",
        ),
        Question(
            "invariance-strided",
            9,
            f"it is max-pooling that gives it: {shifted}, more stays the same than with a stride",
            study,
            "max over strided",
        ),
        Question(
            "invariance-average",
            9,
            f"and the maximum: {shifted}, more stays the same than with average pooling",
            study,
            "max over average",
        ),
        Question(
            "invariance-none",
            9,
            f"{shifted}, more stays the same than without pooling",
            study,
            "max over none",
            beside=True,
        ),
        Question(
            "invariance-accuracy",
            9,
            f"accuracy is another question: {shifted}, it is higher with max-pooling than with a stride",
            study,
            "max over strided, accuracy",
            beside=True,
        ),
        Question(
            "invariance-dense",
            9,
            f"{shifted}, more stays the same than with a dense network",
            study,
            "max over dense",
            beside=True,
        ),
    ]


def _elsewhere() -> list[Question]:
    """Return where convolution should lose or draw, and two controls in which it should not lose."""
    tasks = {
        "breast cancer": "tables (breast cancer)",
        "wine": "tables (wine)",
        "digits": "tables (digits, columns permuted)",
        "series": "irregular time series",
        "graphs": "graphs",
    }
    loses = [
        Question(
            f"{task.replace(' ', '-')}-{rival.replace(' ', '-')}",
            10,
            f"{words}: convolution loses to {rival}, or draws",
            "not-for-convolution",
            f"{task}: convolution over {rival}",
            beside=task == "digits",  # images, of which the permutation makes a table
        )
        for task, words in tasks.items()
        for rival in ("logistic regression", "gradient boosting")
    ]
    controls = {
        "regular-series": ("on regular series", "regular series: convolution over logistic regression"),
        "graphs-in-order": ("on graphs in order", "graphs: convolution, nodes in order over logistic regression"),
    }
    return [
        *loses,
        *(
            Question(name, 10, f"control: {where}, convolution does not lose", "not-for-convolution", of, beside=True)
            for name, (where, of) in controls.items()
        ),
    ]
