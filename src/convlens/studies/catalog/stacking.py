"""Stacked layers of 3x3 against one layer of 5x5 or 7x7: as stated, from C to C channels, at equal depth.

Two layers of 3x3 differ from one of 5x5 in two things: the view is put together from smaller ones, and there is one
more ReLU. So there is a third arm: 5x5 followed by 1x1, which has the depth and the view, but is not put together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...models import CNN, match
from ..executors.training import METRICS, configuration
from ..profile import for_claims
from ..regime import SEEDS, epochs_for, few_images
from ..spec import Arm, Estimand, Profile, Study
from ..statistics.verdict import greater_than, less_than
from ..tuned import tuned

NAME = "stacking"
SMALLEST_EFFECT = 0.002  # a fifth of a point, at 6,000 training images
TRAIN_IMAGES = 6_000

WIDE = (5, 7)  # the kernels that stacks stand for
COST = {  # seconds on one thread, as stated
    "3x3 twice": 6.0,
    "5x5": 4.5,
    "5x5 and 1x1": 5.0,
    "3x3 thrice": 9.5,
    "7x7": 8.5,
    "7x7 and two 1x1": 9.0,
}

PROFILES = {
    "quick": Profile("quick", tuple(SEEDS["quick"]), few_images(), arms=("3x3 twice", "5x5", "5x5 and 1x1")),
    "standard": Profile("standard", tuple(SEEDS["standard"])),
    "full": Profile("full", tuple(SEEDS["full"]), looks=(5, 10, 20)),
}
PROFILES["claims"] = for_claims(PROFILES["standard"], ("3x3 twice", "5x5", "5x5 and 1x1", "3x3 thrice", "7x7"))


@dataclass(frozen=True)
class _Blocks:
    """How a network is made of the kernel sizes that are compared; both its blocks have them."""

    suffix: str
    words: str
    network: Callable[[tuple[int, ...]], CNN]
    relative_cost: float


# as stated: the first layer of what is compared also changes the number of channels, from 1 to 16 and from 16 to 32
_STATED = _Blocks("", "", lambda sizes: CNN(sizes[0], further=sizes[1:]), 1.0)
# C to C: a layer of 3x3 changes it, to 8 and to 16, and what is compared comes after it; half as wide, to be cheap
_SAME = _Blocks(", C to C", "C to C channels", lambda sizes: CNN(3, (8, 16), further=sizes), 0.75)


def study() -> Study:
    """Return the study."""
    primary, *secondary = (*_accuracy(_STATED), *_accuracy(_SAME), *_parameters(_STATED), *_parameters(_SAME))
    return Study(
        name=NAME,
        question="Do two small kernels see better than one large one, or are they better only because they are two?",
        prediction="Two layers of 3x3 are more accurate than one of 5x5 by 0 to 0.3 points, and three than one of 7x7 "
        "by 0.1 to 0.5. Against 5x5 and 1x1, which are as deep, the lead is at most 0.15: most of it is depth. In the "
        "stated network stacks have more parameters, not fewer; from C to C channels they have fewer.",
        why="Two layers of 3x3, one after the other, see 5x5 pixels, with 18 weights for each pair of channels instead "
        "of 25, and one more ReLU. That sum holds only where the number of channels stays the same. Where the "
        "first layer also widens the network, the second one is the expensive one.",
        factor="how a view of 5x5 or 7x7 is made",
        levels=("one layer", "one layer and 1x1", "layers of 3x3"),
        controls=(
            "same images, order and steps; the learning rate tuned for each network on validation, at this size",
            "equal receptive fields and widths",
            "depth: one large kernel followed by 1x1, with as many layers and ReLUs as the stack",
            "as stated (1 to 16 and 16 to 32 channels), and with layers that keep 8 and 16 channels, after one of 3x3",
        ),
        data=("mnist",),
        arms=(*_arms(_STATED), *_arms(_SAME)),
        metrics=METRICS,
        primary=primary,
        secondary=tuple(secondary),
        max_minutes=8,
        sources=(
            "Simonyan & Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR 2015",
            "Lin, Chen & Yan, Network in network, ICLR 2014",
        ),
    )


def _names(k: int) -> tuple[str, str, str]:
    """Return the arms that see k x k: the stack, the single kernel, and that one as deep as the stack."""
    return {
        5: ("3x3 twice", "5x5", "5x5 and 1x1"),
        7: ("3x3 thrice", "7x7", "7x7 and two 1x1"),
    }[k]


def _arms(blocks: _Blocks) -> tuple[Arm, ...]:
    found = []
    for k in WIDE:
        one = blocks.network((k,))
        stack, matched = match(
            lambda layers: blocks.network((3,) * layers), one, "receptive field", to=f"{k}x{k}", free=(range(1, 6),)
        )
        more = len(stack.further) - len(one.further)
        networks = (stack, one, blocks.network((k, *(1,) * more)))
        for name, network in zip(_names(k), networks, strict=True):
            described = configuration(
                network, train_images=TRAIN_IMAGES, epochs=epochs_for(TRAIN_IMAGES), name=f"{name}{blocks.suffix}"
            )
            found.append(
                Arm(
                    f"{name}{blocks.suffix}",
                    tuned(described),
                    COST[name] * blocks.relative_cost,
                    description=f"{name}, {blocks.words}" if blocks.words else name,
                    matched=matched if network is stack else None,
                )
            )
    return tuple(found)


def _accuracy(blocks: _Blocks) -> list[Estimand]:
    """Return what stacks gain over one large kernel, and over one as deep as they are."""
    found = []
    for k in WIDE:
        stack, one, deep = (f"{name}{blocks.suffix}" for name in _names(k))
        for other, how in ((one, "as is"), (deep, "equal depth")):
            found.append(
                Estimand(
                    f"stacked over {k}x{k}, {how}{blocks.suffix}",
                    "test.accuracy",
                    stack,
                    greater_than(SMALLEST_EFFECT),
                    reference=other,
                    description=f"{stack} minus {other}",
                )
            )
    return found


def _parameters(blocks: _Blocks) -> list[Estimand]:
    """Return whether stacks have fewer parameters: the same with every seed, so decided by arithmetic."""
    found = []
    for k in WIDE:
        stack, one, _ = (f"{name}{blocks.suffix}" for name in _names(k))
        found.append(
            Estimand(
                f"stack smaller than {k}x{k}{blocks.suffix}",
                "parameters",
                stack,
                less_than(0),
                reference=one,
                description=f"{stack} minus {one}",
            )
        )
    return found
