"""Where convolution should not help: tables, labels that are places, irregular series, graphs.

The prediction was written before a declared seed was run. Seen by then: one repeat, with seed 9001, of earlier networks
and of the rivals on the bundled tables, to measure costs; and one each on tasks made from another seed, 99, on which
the noise, the grids and the convolution for the series were chosen. That one, which averages over time, was the better
of two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models import CNN, DenseNet
from ...models.architectures import head
from ...nn import Conv2D, GlobalAveragePool2D, Layer, ReLU
from ...nn.serialize import layer_to_dict
from ...optim import AdamW, OneCycle
from ...train import Recipe
from ..executors.table import configuration, metrics
from ..profile import for_claims
from ..spec import Arm, Estimand, Profile, Study
from ..statistics.verdict import Region, between, greater_than, less_than

NAME = "not-for-convolution"
MARGIN = 0.01  # a point: within it, two models draw
SEEDS = tuple(range(700, 710))
SMALLEST_TABLE = 178  # rows of wine

PROFILES = {
    "quick": Profile(
        "quick",
        tuple(range(790, 795)),
        {"resampling.folds": 2},
        arms=tuple(f"breast cancer: {model}" for model in ("convolution", "dense network", "logistic regression")),
    ),
    "standard": Profile("standard", SEEDS),
    "full": Profile("full", tuple(range(720, 740))),
}
PROFILES["claims"] = for_claims(
    PROFILES["standard"],
    (
        *(
            f"{task}: {model}"
            for task in ("breast cancer", "wine", "series", "graphs")
            for model in ("convolution", "logistic regression", "gradient boosting")
        ),
        "regular series: convolution",
        "regular series: logistic regression",
        "graphs: convolution, nodes in order",
    ),
)

# four candidates each
RATES = [{"recipe.schedule.rate": rate} for rate in (0.002, 0.007, 0.025, 0.08)]
PENALTIES = [{"C": C} for C in (0.03, 0.3, 3.0, 30.0)]
TREES = [{"learning_rate": rate, "max_leaf_nodes": leaves} for rate in (0.05, 0.15) for leaves in (4, 15)]
LOGISTIC = {"kind": "logistic-regression", "C": 1.0, "max_iter": 1000}
BOOSTING = {
    "kind": "gradient-boosting",
    "learning_rate": 0.1,
    "max_iter": 100,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 10,
}

OVER_COLUMNS = CNN(kernel_size=(1, 3), pooling="none", hidden=32)
OVER_PIXELS = CNN(filters=(8, 16), pooling="none", hidden=32)
OVER_NODES = CNN(filters=(8, 16), hidden=32)

# dense networks with as many parameters as these convolutions have there (tests/studies/test_not_for_convolution.py)
AS_LARGE = {
    "breast cancer": DenseNet((225, 112)),
    "wine": DenseNet((159, 79)),
    "digits": DenseNet((304, 152)),
    "position": DenseNet((294, 147)),
    "graphs": DenseNet((35, 17)),
}
BUNDLED = {"breast cancer": (2, 40), "wine": (3, 40), "digits": (10, 20)}  # classes, epochs


def study() -> Study:
    """Return the study."""
    return Study(
        name=NAME,
        question="Does convolution lose, or only draw, where neighbours mean nothing: on tables, on labels that are "
        "places, on irregular series, on graphs?",
        prediction="On tables it draws with logistic regression, gradient boosting and a dense network, within a "
        "point, and digits lose more than a point when their pixels are permuted. Averaged over places it loses to a "
        "dense network where the label is a place, though padding lets it do better than chance; with a dense layer "
        "behind it, it does not lose. On irregular series it loses to logistic regression on a periodogram, most "
        "without the gaps, and on regular ones it draws. On graphs in random order it is near chance and loses to "
        "logistic regression on degrees and closed walks; with the nodes in order it does not lose.",
        why="A convolution assumes that neighbours belong together and that a pattern means the same everywhere. Where "
        "that is false, its dense layers must undo it, and can as long as places are kept; a rival that is given the "
        "right features need not.",
        factor="model",
        levels=("convolution", "dense network", "logistic regression", "gradient boosting"),
        controls=(
            "same folds, order of columns and number of candidates; each chosen inside its fold, on validation",
            "on tables, places and graphs, dense networks with as many parameters as the convolution",
            "the same columns in natural order, the same series at regular times, the same graphs with nodes in order",
        ),
        data=(*BUNDLED, "position", "series", "graphs"),
        arms=(*_tables(), *_position(), *_series(), *_graphs()),
        metrics=metrics(SMALLEST_TABLE),
        primary=_contrast("breast cancer", "convolution", "logistic regression"),
        secondary=_secondary(),
        max_minutes=20,
        varies="Folds, order of the columns, initial weights and order of the rows; the rows are the same.",
        sources=(
            "Nadeau & Bengio, Inference for the generalization error, Machine Learning 52, 2003",
            "Grinsztajn, Oyallon & Varoquaux, Why do tree-based models still outperform deep learning on tabular "
            "data?, NeurIPS 2022",
            "Liu et al., An intriguing failing of convolutional neural networks and the CoordConv solution, NeurIPS "
            "2018",
        ),
    )


def _tables() -> list[Arm]:
    """Return the arms of the bundled tables; their columns are permuted, each repeat in another way."""
    arms = []
    costs = {"breast cancer": (4.5, 2.4, 2.3), "wine": (1.3, 1.0, 2.1), "digits": (10, 5.5, 23)}
    for name, (classes, epochs) in BUNDLED.items():
        table, (convolved, dense, boosted) = name.replace(" ", "-"), costs[name]
        convolution = network(OVER_COLUMNS.layers(classes), epochs)
        as_large = network(AS_LARGE[name].layers(classes), epochs)
        arms += [
            _arm(name, "convolution", convolved, table, convolution, RATES, permuted=True),
            _arm(name, "convolution, natural order", convolved, table, convolution, RATES),
            _arm(name, "dense network", dense, table, as_large, RATES, permuted=True),
            _arm(name, "logistic regression", 0.3, table, LOGISTIC, PENALTIES, permuted=True),
            _arm(name, "gradient boosting", boosted, table, BOOSTING, TREES, permuted=True),
        ]
    return arms


def _position() -> list[Arm]:
    classes = 4
    averaged = network(averaging(8, 16, 3, classes))
    dense = network(AS_LARGE["position"].layers(classes))
    return [
        _arm("position", "convolution, averaged", 8, "position", averaged, RATES),
        _arm("position", "convolution, averaged, far from the edge", 8, "position", averaged, RATES, {"margin": 3}),
        _arm("position", "convolution", 11, "position", network(OVER_PIXELS.layers(classes)), RATES),
        _arm("position", "dense network", 5, "position", dense, RATES),
        _arm("position", "logistic regression", 0.3, "position", LOGISTIC, PENALTIES),
    ]


def _series() -> list[Arm]:
    classes = 2
    convolved = network(averaging(16, 32, (1, 7), classes))
    dense = network(DenseNet().layers(classes))
    regular = {"irregular": False}
    return [
        _arm("series", "convolution", 5, "series", convolved, RATES),
        _arm("series", "convolution, values alone", 5, "series", convolved, RATES, {"gaps": False}),
        _arm("series", "dense network", 2.8, "series", dense, RATES),
        _arm("series", "logistic regression", 0.3, "series", LOGISTIC, PENALTIES, view="features"),
        _arm("series", "gradient boosting", 1.9, "series", BOOSTING, TREES, view="features"),
        _arm("regular series", "convolution", 5, "series", convolved, RATES, regular),
        _arm("regular series", "logistic regression", 0.3, "series", LOGISTIC, PENALTIES, regular, view="features"),
    ]


def _graphs() -> list[Arm]:
    classes = 2
    convolved = network(OVER_NODES.layers(classes))
    dense = network(AS_LARGE["graphs"].layers(classes))
    return [
        _arm("graphs", "convolution", 4.5, "graphs", convolved, RATES),
        _arm("graphs", "convolution, nodes in order", 4.5, "graphs", convolved, RATES, {"ordered": True}),
        _arm("graphs", "dense network", 1.6, "graphs", dense, RATES),
        _arm("graphs", "logistic regression", 0.3, "graphs", LOGISTIC, PENALTIES, view="features"),
        _arm("graphs", "gradient boosting", 1.4, "graphs", BOOSTING, TREES, view="features"),
    ]


def _secondary() -> tuple[Estimand, ...]:
    """Return the claim for every task and rival, then what the controls should show."""
    claims = [
        ("breast cancer", "convolution", ("gradient boosting", "dense network")),
        ("wine", "convolution", ("logistic regression", "gradient boosting", "dense network")),
        ("digits", "convolution", ("logistic regression", "gradient boosting", "dense network")),
        ("position", "convolution, averaged", ("logistic regression", "dense network")),
        ("series", "convolution", ("logistic regression", "gradient boosting", "dense network")),
        ("series", "convolution, values alone", ("logistic regression",)),
        ("graphs", "convolution", ("logistic regression", "gradient boosting", "dense network")),
    ]
    not_worse = greater_than(-MARGIN)
    return (
        *(_contrast(task, arm, rival) for task, arm, rivals in claims for rival in rivals),
        *(
            _contrast(name, "convolution, natural order", "convolution", region)
            for name, region in (
                ("breast cancer", between(-MARGIN, MARGIN)),
                ("wine", between(-MARGIN, MARGIN)),
                ("digits", greater_than(MARGIN)),
            )
        ),
        _contrast("position", "convolution", "dense network", not_worse),
        Estimand(
            "position: averaged, far from the edge",
            "test.accuracy",
            "position: convolution, averaged, far from the edge",
            between(0.22, 0.28),
            description="four quadrants, where padding can tell nothing: chance is 25 %",
        ),
        _contrast("regular series", "convolution", "logistic regression", not_worse),
        _contrast("graphs", "convolution, nodes in order", "logistic regression", not_worse),
    )


def _contrast(task: str, arm: str, rival: str, region: Region | None = None) -> Estimand:
    """Return arm minus rival; by default, the claim is that convolution loses or draws."""
    return Estimand(
        f"{task}: {arm} over {rival}",
        "test.accuracy",
        f"{task}: {arm}",
        less_than(MARGIN) if region is None else region,
        f"{task}: {rival}",
    )


def _arm(
    task: str,
    model: str,
    cost: float,
    table: str,
    settings: Mapping[str, Any],
    candidates: list[dict[str, float]] | list[Any],
    of_table: Mapping[str, Any] | None = None,
    *,
    view: str = "rows",
    permuted: bool = False,
) -> Arm:
    """Return an arm; its cost is in seconds on one thread, approximately."""
    found = configuration(table, settings, candidates, settings=of_table, view=view, permuted=permuted, name=model)
    return Arm(f"{task}: {model}", found, cost)


def network(layers: tuple[Layer, ...], epochs: int = 40) -> dict[str, Any]:
    """Return the configuration of a network; its peak rate is a candidate's."""
    recipe = Recipe("table", AdamW(), OneCycle(0.01), epochs=epochs, batch_size=32).to_dict()
    return {
        "kind": "network",
        "layers": [layer_to_dict(layer, defaults=True) for layer in layers],
        "recipe": {key: value for key, value in recipe.items() if key != "name"},
    }


def averaging(first: int, second: int, kernel_size: int | tuple[int, int], classes: int) -> tuple[Layer, ...]:
    """Return two convolutions and the mean over all places."""
    convolutions = (Conv2D(first, kernel_size), ReLU(), Conv2D(second, kernel_size), ReLU())
    return (*convolutions, GlobalAveragePool2D(), head(classes))
