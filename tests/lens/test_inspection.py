"""One image in one network: each part is what the lens of that name gives."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import lens
from convlens.errors import ConfigurationError, ShapeError
from convlens.lens.shift import shifted
from convlens.nn import Conv2D, Dense, Flatten, GlobalAveragePool2D, Model, ReLU
from tests.lens.networks import pixels, small


def test_each_part_is_what_its_lens_gives() -> None:
    model, image = small(), pixels(1)
    other = int(model.predict_proba(image)[0].argmin())  # a class that is not the predicted one
    found = lens.inspect(model, image[0], other, shift=(1, -2), reach=2)
    assert (found.target, found.class_names) == (other, ("0", "1", "2"))
    np.testing.assert_allclose(found.probabilities, model.predict_proba(image)[0], rtol=1e-5)
    names = ["input", *(node.name for node in model.program.nodes)]
    assert list(found.values) == list(found.moved) == names
    for values, one in ((found.values, image), (found.moved, shifted(image, 1, -2))):
        for name, wanted in lens.activations(model, one, names).items():
            np.testing.assert_array_equal(values[name], wanted[0])
    assert [one.method for one in found.attributions] == ["occlusion", "gradient", "integrated-gradients", "grad-cam"]
    for one in found.attributions:
        np.testing.assert_array_equal(one.maps, lens.attribution(model, image, one.method, other).maps)
    assert found.equivariance == lens.equivariance(model, image, (1, -2))
    np.testing.assert_array_equal(found.shifts.probabilities, lens.over_shifts(model, image, 2).probabilities)
    strongest = found.strongest
    assert strongest is not None
    assert strongest.node == "conv2"
    assert strongest.value == found.values["conv2"].max() == found.values["conv2"][strongest.place]


def test_the_class_is_the_most_probable_one_and_the_reach_what_the_image_allows() -> None:
    model, image = small(), pixels(1, seed=4)
    found = lens.inspect(model, image)
    assert found.target == model.predict(image)[0]
    assert found.shifts.reach == 8
    tiny: Model = small(Conv2D(2), ReLU(), GlobalAveragePool2D(), Dense(3), shape=(5, 6, 1))
    assert lens.inspect(tiny, pixels(1, (5, 6, 1))).shifts.reach == 4


def test_a_network_without_maps() -> None:
    model, image = small(Flatten(), Dense(4), ReLU(), Dense(3)), pixels(1)
    found = lens.inspect(model, image, reach=1)
    assert found.left_out == {"grad-cam": "it needs the maps of a convolution"}
    assert found.strongest is not None
    assert found.strongest.node == "dense1"


def test_values_are_written_with_six_digits() -> None:
    model, image = small(), pixels(1)
    found = lens.inspect(model, image, reach=1)
    written = found.to_dict()
    np.testing.assert_allclose(written["values"]["conv1"], found.values["conv1"], rtol=1e-5)
    assert len(str(written["values"]["conv1"][3][3][0])) <= 12
    assert written["strongest"]["total"] == pytest.approx(found.values["conv2"].max(), rel=1e-5)
    assert np.sum(written["strongest"]["products"]) + written["strongest"]["bias"] == written["strongest"]["total"]


def test_wrong_requests() -> None:
    model = small()
    with pytest.raises(ShapeError, match="one image is looked at, not 2"):
        lens.inspect(model, pixels(2))
    for target in (3, -1, True):
        with pytest.raises(ConfigurationError, match="a class is a number from 0 to 2"):
            lens.inspect(model, pixels(1), target, reach=1)
    with pytest.raises(ConfigurationError, match="within the image"):
        lens.inspect(model, pixels(1), shift=(0, 12))


def test_of_a_large_image_occlusion_takes_as_long_as_of_a_small_one() -> None:
    model, image = small(shape=(60, 110, 1)), pixels(1, (60, 110, 1))
    found = lens.inspect(model, image, reach=1).attributions[0]
    assert found.settings == {"stride": 2, "size": 5}
    np.testing.assert_array_equal(found.maps, lens.occlusion(model, image, found.targets, stride=2))
    assert lens.inspect(small(), pixels(1), reach=1).attributions[0].settings == {}
