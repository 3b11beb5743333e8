"""Named models, matched models, TOML files."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlens import models, nn
from convlens.errors import ConfigurationError, ShapeError
from convlens.models import CNN, DenseNet, matched_cnn, matched_dense, measure

MNIST = ((28, 28, 1), 10)


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("baseline", {}, 109_386),
        ("cnn", {}, 206_922),
        ("cnn", {"kernel_size": 5}, 215_370),
        ("cnn", {"kernel_size": 7}, 228_042),
    ],
)
def test_parameter_counts(name: str, options: dict[str, int], parameters: int) -> None:
    assert models.build(name, **options).program.parameter_count == parameters


def test_baselines_match_the_cnn() -> None:
    cnn = models.build("cnn").program
    wide, flops = models.build("baseline-wide").program, models.build("baseline-flops").program
    assert wide.parameter_count == pytest.approx(cnn.parameter_count, rel=0.005)
    assert flops.flops == pytest.approx(cnn.flops, rel=0.005)


@pytest.mark.parametrize("kernel_size", [5, 7])
def test_cnns_match(kernel_size: int) -> None:
    stock = CNN()
    for what, tolerance in (("flops", 0.05), ("parameters", 0.005)):
        found = matched_cnn(CNN(kernel_size=kernel_size), stock, what, *MNIST)
        assert found.kernel_size == kernel_size
        assert measure(found, what, *MNIST) == pytest.approx(measure(stock, what, *MNIST), rel=tolerance)


def test_matched_dense_is_the_nearest() -> None:
    goal = measure(CNN(), "parameters", *MNIST)
    width = matched_dense(CNN(), "parameters", *MNIST).hidden[0]
    others = [DenseNet((w, w // 2)) for w in range(width - 3, width + 4)]
    nearest = min(others, key=lambda net: abs(measure(net, "parameters", *MNIST) - goal))
    assert nearest.hidden[0] == width


@pytest.mark.parametrize("pooling", ["max", "average", "strided", "none"])
@pytest.mark.parametrize("padding", ["same", "valid", "full"])
def test_every_option_builds(pooling: str, padding: str) -> None:
    model = models.build("cnn", pooling=pooling, padding=padding, filters=(3,), convolutions=2, hidden=5)
    assert model.program.output_shape == (10,)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cmn", {}, "did you mean 'cnn'"),
        ("cnn", {"kernal_size": 3}, "did you mean 'kernel_size'"),
        ("baseline-wide", {"hidden": (3,)}, "it has none"),
        ("cnn", {"pooling": "maximum"}, "unknown pooling"),
        ("cnn", {"filters": ()}, "at least one block"),
        ("cnn", {"kernel_size": 0}, "whole number above 0"),
        ("cnn", {"padding": "sane"}, "did you mean 'same'"),
    ],
)
def test_wrong_requests_say_what_is_right(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        models.build(name, **options)


TOML = """
[[layers]]
layer = "Conv2D"
filters = 4
kernel_size = [3, 5]

[[layers]]
layer = "GlobalAveragePool2D"

[[layers]]
layer = "Dense"
units = 10
"""


def test_a_toml_file_is_a_model(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TOML)
    model = models.build(path)
    assert model.layers == (nn.Conv2D(4, (3, 5)), nn.GlobalAveragePool2D(), nn.Dense(10))


def test_a_toml_file_can_hold_a_branch(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    branch = '[[layers]]\nlayer = "Residual"\n[[layers.layers]]\nlayer = "Conv2D"\nfilters = 4\n'
    head, _, tail = TOML.partition('[[layers]]\nlayer = "Global')
    path.write_text(f'{head}{branch}[[layers]]\nlayer = "Global{tail}')
    assert models.build(path).layers[1] == nn.Residual((nn.Conv2D(4),))
    path.write_text(path.read_text().replace("filters = 4\n[[layers]]", "filters = 5\n[[layers]]"))
    with pytest.raises(ShapeError, match=r"layer 2, Residual.*turns \(28, 28, 4\) into \(28, 28, 5\)"):
        models.build(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOML.replace("filters", "filter"), "layer 1: Conv2D: unknown key 'filter'; did you mean 'filters'"),
        (TOML.replace("Dense", "Dens"), "layer 3: unknown layer 'Dens'; did you mean 'Dense'"),
        (TOML.replace("units = 10", "units = 3"), "ends in 3 outputs, and the data has 10 classes"),
        (TOML.replace('"GlobalAveragePool2D"', '"ReLU"'), "layer 3, Dense.*needs a flat input.*28, 28, 4"),
        ("layers = 3", r"no \[\[layers\]\]"),
        ("[[layers]", "is not TOML"),
        (TOML.replace("filters = 4", ""), "layer 1: Conv2D.*filters"),
        ("size = 3\n" + TOML, "unknown key 'size'"),
        ("input_shape = [8, 8, 1]\n" + TOML, "is for images of shape"),
    ],
)
def test_a_wrong_toml_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises((ConfigurationError, ShapeError), match=message):
        models.build(path)


def test_a_missing_toml_file() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read nowhere\.toml"):
        models.build("nowhere.toml")
