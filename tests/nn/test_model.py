"""The Model: counts that can be worked out by hand, seeds, summary, and what it does with images."""

from __future__ import annotations

import copy
import io
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from convlens import engine, memory, nn
from convlens.engine import ENGINES, interpreter
from convlens.errors import ArtifactError, ConfigurationError, DataError, ShapeError
from convlens.preprocessing import Preprocessing
from convlens.program import ReceptiveField


def cnn(kernel_size: int = 3, seed: int = 0) -> nn.Model:
    blocks = [layer for filters in (16, 32) for layer in (nn.Conv2D(filters, kernel_size), nn.ReLU(), nn.MaxPool2D())]
    return nn.Model([*blocks, nn.Flatten(), nn.Dense(128), nn.ReLU(), nn.Dense(10)], (28, 28, 1), seed)


@pytest.mark.parametrize(
    ("kernel_size", "parameters", "megaflops"), [(3, 206_922, 2.44), (5, 215_370, 6.05), (7, 228_042, 11.47)]
)
def test_sizes_of_the_convolutional_network(kernel_size: int, parameters: int, megaflops: float) -> None:
    program = cnn(kernel_size).program
    assert program.parameter_count == parameters
    assert round(program.flops / 1e6, 2) == megaflops


def test_size_of_the_dense_network() -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(128), nn.ReLU(), nn.Dense(64), nn.ReLU(), nn.Dense(10)], (28, 28, 1))
    assert model.program.parameter_count == 109_386
    assert model.program.flops == 2 * (784 * 128 + 128 * 64 + 64 * 10)
    assert sum(view.size for view in model.parameters.values()) == 109_386


def test_the_summary() -> None:
    assert str(cnn().summary()).splitlines() == [
        "layer     kind        output shape  parameters      FLOPs  receptive field  stride",
        "-" * 82,
        "input                 28x28x1                              1x1              1x1",
        "conv1     conv2d      28x28x16             160    225,792  3x3              1x1",
        "relu1     relu        28x28x16                             3x3              1x1",
        "pool1     max_pool2d  14x14x16                             4x4              2x2",
        "conv2     conv2d      14x14x32           4,640  1,806,336  8x8              2x2",
        "relu2     relu        14x14x32                             8x8              2x2",
        "pool2     max_pool2d  7x7x32                               10x10            4x4",
        "flatten1  reshape     1568                                 10x10            4x4",
        "dense1    dense       128              200,832    401,408  all",
        "relu3     relu        128                                  all",
        "dense2    dense       10                 1,290      2,560  all",
        "-" * 82,
        "total                                  206,922  2,436,096",
    ]


SIGHTS = {
    "kernel 3": ([nn.Conv2D(2, 3), nn.AveragePool2D(), nn.Conv2D(2, 3), nn.AveragePool2D()], (10, 10), (4, 4)),
    "kernel 5": ([nn.Conv2D(2, 5), nn.AveragePool2D(), nn.Conv2D(2, 5), nn.AveragePool2D()], (16, 16), (4, 4)),
    "kernel 7": ([nn.Conv2D(2, 7), nn.AveragePool2D(), nn.Conv2D(2, 7), nn.AveragePool2D()], (22, 22), (4, 4)),
    "oblong": ([nn.Conv2D(2, (1, 4), (2, 1)), nn.Conv2D(2, (3, 2), (1, 3))], (5, 5), (2, 3)),
    "overlap": ([nn.AveragePool2D(3, 2), nn.Conv2D(2, 2)], (5, 5), (2, 2)),
}


@pytest.mark.parametrize(("layers", "size", "stride"), SIGHTS.values(), ids=SIGHTS)
def test_receptive_fields_are_what_gradients_reach(
    layers: list[nn.Layer], size: tuple[int, int], stride: tuple[int, int]
) -> None:
    """Average pools stand for maximum pools, and all weights are positive: every pixel in sight has a derivative."""
    model = nn.Model([*layers, nn.Flatten()], (60, 60, 1), dtype=np.float64)
    np.abs(model.flat, out=model.flat)
    last = model.program.nodes[-2]
    field = model.program.receptive_fields()[last.name]
    assert ((field.height, field.width), field.stride) == (size, stride)
    tape = interpreter.forward(model.program, model.flat, np.ones((1, 60, 60, 1)))
    height, width, _ = last.output_shape
    boxes = []
    for row, column in ((height // 2, width // 2), (height // 2 + 1, width // 2 + 1)):  # neighbours, far from the edge
        dy = np.zeros((1, *last.output_shape))
        dy[0, row, column] = 1
        dx = interpreter.backward(model.program, tape, dy.reshape(1, -1), np.zeros_like(model.flat))
        rows, columns = (np.flatnonzero(dx[0, :, :, 0].any(axis=axis)) for axis in (1, 0))
        boxes.append((rows[0], columns[0]))
        assert (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) == size
    assert (boxes[1][0] - boxes[0][0], boxes[1][1] - boxes[0][1]) == stride


@pytest.mark.parametrize(
    ("layers", "sights"),
    [
        ([nn.Conv2D(2), nn.Reshape((2, 8, 2)), nn.Conv2D(3), nn.Flatten()], ["3x3", *["scattered"] * 3]),
        ([nn.Reshape((2, 2, 4)), nn.MaxPool2D(), nn.Flatten(), nn.Dense(2)], [*["scattered"] * 3, "all"]),
        ([nn.Flatten(), nn.Reshape((16, 1, 1)), nn.Conv2D(1, (3, 1)), nn.Flatten()], ["1x1", *["scattered"] * 3]),
        ([nn.Flatten(), nn.ReLU(), nn.Reshape((4, 4, 1)), nn.Conv2D(1), nn.Flatten()], ["1x1"] * 3 + ["3x3"] * 2),
        ([nn.Flatten(), nn.Dense(4), nn.Reshape((2, 2, 1)), nn.Conv2D(1), nn.Flatten()], ["1x1", *["all"] * 4]),
        ([nn.Residual([nn.Flatten(), nn.Reshape((4, 4, 1))]), nn.Conv2D(1), nn.Flatten()], ["1x1"] * 3 + ["3x3"] * 2),
    ],
)  # fmt: skip
def test_behind_a_reshape_that_rearranges_nothing_is_seen_through_one_window(
    layers: list[nn.Layer], sights: list[str]
) -> None:
    assert [row.receptive_field for row in nn.Model(layers, (4, 4, 1)).summary().rows] == sights


def test_dense_layers_and_global_pools_see_everything() -> None:
    fields = cnn().program.receptive_fields()
    assert [name for name, field in fields.items() if field.everything] == ["dense1", "relu3", "dense2"]
    pooled = nn.Model([nn.Conv2D(2), nn.GlobalAveragePool2D(), nn.Dense(2)], (8, 9, 1)).program.receptive_fields()
    assert pooled["global_pool1"] == ReceptiveField(3 + 7, 3 + 8, (8, 9))


SHAPE = (8, 8, 2)
RESHAPES = {  # layers behind a 3x3 convolution of 8 x 8 x 2, and what the summary says of the last of them
    "a vector": ([nn.Flatten()], "3x3"),
    "the same image again": ([nn.Flatten(), nn.ReLU(), nn.Reshape(SHAPE), nn.Conv2D(2, 5)], "7x7"),
    "another image": ([nn.Reshape((4, 16, 2)), nn.ReLU()], "scattered"),
    "a window over another image": ([nn.Reshape((4, 16, 2)), nn.Conv2D(2, 5), nn.Reshape(SHAPE)], "scattered"),
    "another image of the same numbers": ([nn.Flatten(), nn.Reshape((8, 2, 8)), nn.MaxPool2D()], "scattered"),
    "one pixel of all values": ([nn.Reshape((1, 1, 128)), nn.Conv2D(4, 1)], "all"),
    "dense": ([nn.Reshape((4, 16, 2)), nn.Flatten(), nn.Dense(4)], "all"),
    "a branch": ([nn.Residual([nn.Reshape((4, 16, 2)), nn.Conv2D(2), nn.Reshape(SHAPE)])], "scattered"),
}


@pytest.mark.parametrize("case", RESHAPES)
def test_a_reshape_keeps_the_receptive_field_or_says_that_it_has_none(case: str) -> None:
    layers, sight = RESHAPES[case]
    row = nn.Model([nn.Conv2D(2), *layers, nn.Flatten(), nn.Dense(3)], SHAPE).summary().rows[-3]
    assert row.receptive_field == sight


def test_a_summary_counts_layers_and_not_their_nodes() -> None:
    model = nn.Model([nn.Residual([nn.Conv2D(1), nn.ReLU()]), nn.Flatten(), nn.Dense(3)], (4, 4, 1))
    assert "3 layers" in repr(model)
    assert "3 layers" in repr(model.summary())


def test_what_does_not_fit_into_memory_is_refused_before_it_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1 << 27)
    layers = [nn.Flatten(), nn.Dense(4000), nn.Dense(3)]
    assert nn.Model(layers, (8, 8, 4)).program.parameter_count == 1_040_003
    with pytest.raises(
        ConfigurationError, match=r"a network of 16,014,975 parameters needs \d+ MiB of memory, and 128"
    ):
        nn.Model([*layers[:2], nn.Dense(3743), nn.Dense(3)], (8, 8, 4))
    model = nn.Model(layers, (8, 8, 4)).use("numpy", 1)
    batch = np.zeros((64, 8, 8, 4), np.float32), np.zeros(64, np.int64)
    monkeypatch.setattr(memory, "LARGE", 1 << 20)
    monkeypatch.setattr(memory, "available", lambda: 1 << 22)
    with pytest.raises(ConfigurationError, match="training a network of 1,040,003 parameters needs"):
        model.engine.gradient(*batch, np.zeros_like(model.flat))


def test_one_seed_gives_the_same_bits_and_another_gives_others() -> None:
    np.testing.assert_array_equal(cnn(seed=3).flat, cnn(seed=3).flat)
    one, other = cnn(seed=3).parameters, cnn(seed=4).parameters
    for name in one:
        assert np.array_equal(one[name], other[name]) == name.endswith(".b"), name


def test_another_layer_leaves_the_weights_before_it_unchanged() -> None:
    front = [nn.Conv2D(4), nn.ReLU()]
    short = nn.Model([*front, nn.Flatten(), nn.Dense(3)], (6, 6, 1), seed=1)
    long = nn.Model([*front, nn.Conv2D(4), nn.Flatten(), nn.Dense(3)], (6, 6, 1), seed=1)
    for name in short.parameters:
        np.testing.assert_array_equal(short.parameters[name], long.parameters[name])


def test_one_layer_object_twice_is_two_sets_of_parameters() -> None:
    layer = nn.Conv2D(3)
    model = nn.Model([layer, layer, nn.Flatten(), nn.Dense(2)], (5, 5, 3))
    assert [*model.parameters] == ["conv1.w", "conv1.b", "conv2.w", "conv2.b", "dense1.w", "dense1.b"]
    assert not np.array_equal(model.parameters["conv1.w"], model.parameters["conv2.w"])


def test_a_float64_model_begins_at_the_same_weights() -> None:
    layers = [nn.Conv2D(3), nn.Flatten(), nn.Dense(2)]
    single, double = (nn.Model(layers, (5, 5, 1), dtype=dtype) for dtype in (np.float32, np.float64))
    assert double.flat.dtype == np.float64
    np.testing.assert_array_equal(double.flat.astype(np.float32), single.flat)


def test_writing_into_parameters_changes_the_model() -> None:
    model, x = nn.Model([nn.Flatten(), nn.Dense(2)], (2, 2, 1)), np.ones((1, 2, 2, 1), np.float32)
    model.parameters["dense1.w"][...] = 0
    model.parameters["dense1.b"][...] = [1, 2]
    assert model.logits(x).tolist() == [[1, 2]]
    assert model.predict(x).tolist() == [1]


def test_uint8_images_are_preprocessed_and_floating_ones_are_not() -> None:
    scaled = Preprocessing((28, 28, 1), mean=0.1, deviation=0.3)
    model = nn.Model([nn.Flatten(), nn.Dense(10)], (28, 28, 1), preprocessing=scaled)
    images = np.random.default_rng(0).integers(0, 256, (2100, 28, 28, 1), dtype=np.uint8)  # more than are taken at once
    by_hand = ((images.astype(np.float64) / 255 - 0.1) / 0.3).astype(np.float32)
    np.testing.assert_allclose(model.logits(images), model.logits(by_hand), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(model.predict(images), model.logits(images).argmax(axis=1))
    np.testing.assert_allclose(model.predict_proba(images[:5]).sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_no_images_give_no_logits(dtype: type) -> None:
    for name in ("interpreter", "numpy"):
        assert cnn().use(name).logits(np.zeros((0, 28, 28, 1), dtype)).shape == (0, 10)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_of_another_shape_are_refused(dtype: type) -> None:
    with pytest.raises(ShapeError, match=r"28, 28, 1.*27, 28, 1"):
        cnn().logits(np.zeros((2, 27, 28, 1), dtype))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (28, 28)}, "not (28, 28)"),
        ({"input_shape": (28, 0, 1)}, "not (28, 0, 1)"),
        ({"input_shape": (28, 2.5, 1)}, "not (28, 2.5, 1)"),
        ({"class_names": ["a", "b"]}, "2 class names for 3 outputs; give one for each"),
        ({"class_names": [1, 2, 3]}, "class names are strings, not (1, 2, 3)"),
        ({"preprocessing": Preprocessing((5, 4, 1))}, "for images of shape (5, 4, 1), and the model takes (4, 4, 1)"),
        ({"input_shape": 28}, "an input shape is (height, width, channels), each above 0, such as (28, 28, 1), not 28"),
        ({"input_shape": None}, "not None"),
        ({"input_shape": {4, 5, 1}}, "not {"),
        ({"input_shape": (True, 4, 1)}, "not (True, 4, 1)"),
        ({"class_names": "abc"}, "class names are a list of strings, one for each output, not 'abc'"),
        ({"class_names": {"a": 0, "b": 1, "c": 2}}, "not {'a'"),
        ({"class_names": 3}, "not 3"),
        ({"class_names": ["a", None, "c"]}, "class names are strings"),
        ({"preprocessing": {}}, "preprocessing is a Preprocessing or None, not {}"),
        ({"dtype": np.float16}, "a model's dtype is np.float32 or np.float64, not <class 'numpy.float16'>"),
        ({"dtype": None}, "not None"),
        ({"layers": None}, "a model's layers are a list such as [Flatten(), Dense(10)], not None"),
        ({"layers": "cnn"}, "not 'cnn'"),
        ({"layers": nn.Dense(3)}, "not Dense(units=3"),
        ({"layers": [nn.Flatten, nn.Dense(3)]}, "layers: number 1 is the class Flatten; call it: Flatten()"),
        ({"layers": [nn.Flatten(), "ReLU"]}, "layers: number 2 is 'ReLU', and not a layer such as ReLU()"),
        ({"layers": [[nn.Flatten()]]}, "number 1 is [Flatten()], and not a layer"),
        ({"seed": 1.5}, "not 1.5"),
        ({"seed": True}, "not True"),
        ({"seed": 2**63}, "not 9223372036854775808"),
        ({"seed": -1}, "a seed is a whole number from 0 to 2**63 - 1, not -1"),
    ],
)
def test_a_model_that_cannot_be(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        nn.Model(**{"layers": [nn.Flatten(), nn.Dense(3)], "input_shape": (4, 4, 1), **arguments})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    sizes = np.array([8, 8, 1, 4, 3])
    layers = [
        nn.Conv2D(sizes[3], sizes[4], (sizes[2], 2)),
        nn.BatchNorm(np.float32(0.5)),
        nn.Flatten(),
        nn.Dense(sizes[4]),
    ]
    model = nn.Model(layers, sizes[:3], np.int64(7), class_names=np.array(["a", "b", "c"]))
    model.save(tmp_path / "m")
    again = nn.load(tmp_path / "m")
    assert (again.layers, again.input_shape, again.seed) == (model.layers, (8, 8, 1), 7)
    assert repr(again.class_names) == repr(model.class_names) == "('a', 'b', 'c')"


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16, object])
def test_pixels_of_another_type_give_the_same(dtype: type) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(2)], (3, 3, 1))
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 3, 1), dtype=np.uint8)
    np.testing.assert_array_equal(model.logits(images.astype(dtype)), model.logits(images))
    assert model.evaluate((images.astype(dtype), [0, 1, 1, 0])).loss == model.evaluate((images, [0, 1, 1, 0])).loss


@pytest.mark.parametrize("name", ENGINES)
def test_without_finite_logits_there_is_no_class(name: str) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(20), nn.ReLU(), nn.Dense(2)], (3, 3, 1)).use(name)
    images = np.ones((3, 3, 3, 1), np.float32)
    images[1, 0, 0], images[2, 0, 0] = np.nan, np.inf
    for ask in (model.predict, model.predict_proba, lambda x: model.evaluate((x, [0, 1, 1]))):
        with pytest.raises(DataError, match="output is not finite for 2 of 3 images, first for number 1; its weights"):
            ask(images)
    pixels = np.ones((3, 3, 3, 1), np.uint8)
    for ask in (model.predict, model.predict_proba):
        model.parameters["dense2.b"][:] = 0, -np.inf
        with pytest.raises(DataError, match="not finite for 3 of 3 images, first for number 0"):
            ask(pixels)
        model.parameters["dense2.b"][:] = 3.4e38, 0
        with pytest.raises(DataError, match="not finite for 3 of 3 images, first for number 0"):
            ask(pixels)
    model.flat[:] = 3e38
    for ask in (model.predict, model.predict_proba):
        with pytest.raises(DataError, match="not finite for 3 of 3 images, first for number 0"):
            ask(pixels)


def test_an_evaluation_needs_an_image_and_takes_one() -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(2)], (3, 3, 1))
    images = np.ones((2, 3, 3, 1), np.uint8)
    assert model.evaluate((images[0], [1])).images == 1
    for given in ((images[:0], []), (images, [1]), (images, np.eye(2)), (images[0], 1)):
        with pytest.raises(DataError, match="expected at least one image, one class number each"):
            model.evaluate(given)


def copies(model: nn.Model) -> dict[str, nn.Model]:
    return {"copy": copy.copy(model), "deepcopy": copy.deepcopy(model), "pickle": pickle.loads(pickle.dumps(model))}


@pytest.mark.parametrize("how", ["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_copy_has_the_same_bits_and_shares_nothing(how: str, dtype: type) -> None:
    layers = [nn.Conv2D(3), nn.BatchNorm(), nn.Residual([nn.ReLU()]), nn.Flatten(), nn.Dense(3)]
    names = ["a", "b", "c"]
    model = nn.Model(layers, (4, 4, 1), 3, class_names=names, dtype=dtype).use("interpreter", 1)
    model.training, model.flat_buffers[0] = {"epochs": [1]}, 0.5
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 1), dtype=np.uint8)
    wanted = model.logits(images)
    again = copies(model)[how]
    assert again.engine.name == "interpreter"
    assert again.engine is not model.engine
    for name in ("layers", "input_shape", "seed", "preprocessing", "class_names", "program", "training"):
        assert getattr(again, name) == getattr(model, name), name
    assert again.flat.ctypes.data % 64 == 0
    again.parameters["dense1.b"][:] += 1
    again.buffers["norm1.mean"][:] += 1
    np.testing.assert_array_equal(model.logits(images), wanted)
    assert not np.allclose(again.logits(images), wanted)
    again.parameters["dense1.b"][:] = model.parameters["dense1.b"]
    again.buffers["norm1.mean"][:] = model.buffers["norm1.mean"]
    np.testing.assert_array_equal(again.logits(images), wanted)


def test_a_program_can_be_copied() -> None:
    program = cnn().program
    assert copy.deepcopy(program) == program == pickle.loads(pickle.dumps(program))


def test_threads_that_use_a_model_first_at_the_same_time_share_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    started, start = [], engine.start

    def slow(*arguments: object) -> engine.Engine:
        time.sleep(0.05)
        started.append(start(*arguments))  # type: ignore[arg-type]
        return started[-1]

    monkeypatch.setattr(engine, "start", slow)
    model, images = cnn(), np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(model.predict_proba, [images] * 12))
    assert len(started) == 1
    for answer in answers:
        np.testing.assert_array_equal(answer, answers[0])


@pytest.mark.parametrize("path", [None, 5, b"m", "", "a\0b", [], io.BytesIO(b"m")])
def test_what_is_no_path(path: object) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(2)], (3, 3, 1))
    for call in (nn.load, model.save):
        with pytest.raises(ConfigurationError, match=r"a model's file is named by a string or a pathlib\.Path, not"):
            call(path)  # type: ignore[arg-type]
    with pytest.raises(ArtifactError, match="there is no file xxx"):
        nn.load("x" * 5000)


def test_one_image_has_one_answer() -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(2)], (3, 3, 1))
    for dtype in (np.uint8, np.float32):
        assert model.predict(np.ones((3, 3, 1), dtype)).shape == (1,)


def test_names_of_classes_differ() -> None:
    with pytest.raises(ConfigurationError, match="must differ"):
        nn.Model([nn.Flatten(), nn.Dense(3)], (3, 3, 1), class_names=["a", "a", "b"])


def test_what_could_not_be_read_again_is_not_saved(tmp_path: Path) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(2)], (3, 3, 1), dtype=np.float64)
    with pytest.raises(ConfigurationError, match="saved in float32"):
        model.save(tmp_path / "m")
    model = nn.Model([nn.Flatten(), nn.Dense(2)], (3, 3, 1))
    model.parameters["dense1.b"][0] = np.nan
    with pytest.raises(ConfigurationError, match=r"dense1\.b holds non-finite"):
        model.save(tmp_path / "m")
    assert not (tmp_path / "m").exists()
