"""Named models, matched models, TOML files."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlens import models, nn
from convlens.errors import ConfigurationError, ShapeError
from convlens.models import CNN


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


def test_locally_connected_differs_from_the_cnn_in_sharing_alone() -> None:
    local, cnn = models.build("local").program, models.build("cnn").program
    assert local.flops == cnn.flops
    assert [node.output_shape for node in local.nodes] == [node.output_shape for node in cnn.nodes]
    kernels = 28 * 28 * 16 * (3 * 3 + 1) + 14 * 14 * 32 * (3 * 3 * 16 + 1)  # of every position, each with its bias
    assert local.parameter_count == kernels + 7 * 7 * 32 * 128 + 128 + 128 * 10 + 10


@pytest.mark.parametrize("pooling", ["max", "average", "blur", "strided"])
@pytest.mark.parametrize("size", [8, 28])
def test_every_pooling_but_none_gives_images_of_one_size(pooling: str, size: int) -> None:
    one, other = (models.build("cnn", pooling=kind, input_shape=(size, size, 1)).program for kind in ("max", pooling))
    assert one.parameter_count == other.parameter_count
    found = next(node for node in other.nodes if node.op == "reshape")
    assert found.input_shapes == ((size // 4, size // 4, 32),)


def test_blur_pooling_loses_nothing_between_the_maxima_that_it_keeps() -> None:
    assert CNN(pooling="blur").layers(10)[2:4] == (nn.MaxPool2D(2, strides=1), nn.BlurPool2D(3, strides=2))


def test_stacked_convolutions_by_hand() -> None:
    stated = [models.build("cnn", further=(3,) * n).program.parameter_count for n in (0, 1, 2)]
    assert stated[0] == 206_922
    assert stated[1] - stated[0] == 16 * (9 * 16 + 1) + 32 * (9 * 32 + 1)
    assert stated[2] - stated[1] == stated[1] - stated[0]
    deep = models.build("cnn", kernel_size=5, further=(1,)).program
    assert deep.parameter_count == 215_370 + 16 * (16 + 1) + 32 * (32 + 1)
    kernels = [node.window.kernel for node in deep.nodes if node.op == "conv2d"]
    assert kernels == [(5, 5), (1, 1)] * 2


def test_strides_are_those_of_a_blocks_last_convolution() -> None:
    program = models.build("cnn", pooling="strided", further=(3,), filters=(4,)).program
    assert [node.window.stride for node in program.nodes if node.op == "conv2d"] == [(1, 1), (2, 2)]


def test_global_average_pooling_frees_the_dense_layer_of_positions() -> None:
    pooled = models.build("cnn", global_average=True).program.parameter_count
    assert 206_922 - pooled == (7 * 7 - 1) * 32 * 128


@pytest.mark.parametrize("pooling", ["max", "average", "blur", "strided", "none"])
@pytest.mark.parametrize("padding", ["same", "valid", "full"])
def test_every_option_builds(pooling: str, padding: str) -> None:
    for options in ({}, {"shared": False}, {"global_average": True, "padding_mode": "reflect"}):
        model = models.build("cnn", pooling=pooling, padding=padding, filters=(3,), further=(3,), hidden=5, **options)
        assert model.program.output_shape == (10,)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cmn", {}, "did you mean 'cnn'"),
        ("cnn", {"kernal_size": 3}, "did you mean 'kernel_size'"),
        ("baseline-wide", {"hidden": (3,)}, "it has none"),
        ("cnn", {"pooling": "maximum"}, "unknown pooling"),
        ("cnn", {"filters": ()}, "at least one block"),
        ("cnn", {"filters": 16}, "a number for each block, such as"),
        ("cnn", {"further": 3}, r"further of a CNN: .*such as \(3,\)"),
        ("cnn", {"further": (0,)}, "whole number above 0"),
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
