"""Data sets from arrays: integers and floats, all the way to predictions."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from tests.toys import toy_images

from convlens import models, train
from convlens.data import Dataset, dataset
from convlens.errors import ConfigurationError, DataError

IMAGES, LABELS = toy_images(60, seed=1)
FLOATS = (IMAGES / 255).astype(np.float32)


def test_it_splits_like_any_other_source() -> None:
    made = Dataset.from_arrays(IMAGES, LABELS, validation_fraction=0.2, seed=3, name="bars")
    assert [len(part) for part in (made.train, made.validation, made.test)] == [43, 11, 6]
    assert (made.input_shape, made.class_names, made.name) == ((8, 8, 1), ("0", "1", "2"), "bars")
    assert made.split["seed"] == 3
    assert made.provenance["source"] == "arrays"
    assert set(made.provenance["sha256"]) == {"train_images", "train_labels"}
    seen = np.concatenate([part.images for part in (made.train, made.validation, made.test)])
    assert sorted(map(bytes, seen)) == sorted(map(bytes, IMAGES[..., np.newaxis]))


def test_the_arrays_are_copied() -> None:
    for images in (IMAGES, FLOATS):
        mine = images.copy()
        made = Dataset.from_arrays(mine, LABELS)
        mine[:] = 0
        for part in ("train", "validation", "test"):
            again = Dataset.from_arrays(images, LABELS)
            np.testing.assert_array_equal(getattr(made, part).images, getattr(again, part).images)


def test_floats_train_as_pixels_do_and_keep_their_scale() -> None:
    pixels = Dataset.from_arrays(IMAGES, LABELS, IMAGES[:30], LABELS[:30])
    floats = Dataset.from_arrays(IMAGES / 255.0, LABELS, FLOATS[:30], LABELS[:30])
    assert floats.train.dtype == np.float32
    trained = []
    for made in (pixels, floats):
        model = models.build("baseline", input_shape=made.input_shape, classes=3, seed=0).use("interpreter")
        run = train.fit(model, made, epochs=20)
        assert run.test is not None
        assert model.evaluate(made.test).accuracy == run.test.accuracy
        assert model.predict(made.test.images).tolist() == LABELS[:30].tolist()
        trained.append(model.flat)
    # one rounding apart: x / 255 there, x * (1 / 255) here
    np.testing.assert_allclose(trained[0], trained[1], atol=1e-4)


def test_the_identity_is_that_of_the_pixels() -> None:
    made = Dataset.from_arrays(IMAGES, LABELS, IMAGES[:9], LABELS[:9])
    for same in (
        Dataset.from_arrays(IMAGES.astype(np.int64), LABELS.astype(float), IMAGES[:9, ..., np.newaxis], LABELS[:9]),
        Dataset.from_arrays(IMAGES.reshape(60, 64), LABELS[:, np.newaxis], IMAGES[:9], LABELS[:9], name="b", seed=5),
    ):
        assert same.sha256 == made.sha256
    changed = FLOATS.copy()
    changed[5, 5, 5] += 1e-3
    others = (
        Dataset.from_arrays(FLOATS, LABELS, FLOATS[:9], LABELS[:9]),
        Dataset.from_arrays(changed, LABELS, FLOATS[:9], LABELS[:9]),
        Dataset.from_arrays(IMAGES, LABELS),
        Dataset.from_arrays(IMAGES, LABELS, IMAGES[:9], LABELS[:9], class_names=list("abc")),
    )
    assert len({made.sha256, *(other.sha256 for other in others)}) == 5


def test_labels_may_be_names() -> None:
    words = np.array(["bee", "ant", "cat"])[LABELS]
    made = Dataset.from_arrays(IMAGES, words, IMAGES[:4], words[:4].tolist())
    assert made.class_names == ("ant", "bee", "cat")
    assert [made.class_names[label] for label in made.test.labels] == words[:4].tolist()
    mine = Dataset.from_arrays(IMAGES, words.astype(object), class_names=("cat", "bee", "ant"))
    assert mine.class_names == ("cat", "bee", "ant")
    numbered = Dataset.from_arrays(IMAGES, np.array(["10", "9", "8"])[LABELS])
    assert numbered.class_names == ("8", "9", "10")


WITH_NAN = FLOATS.copy()
WITH_NAN[7, 2, 1] = np.nan
REFUSED = {
    "a pixel of 256": ((IMAGES.astype(int) + 100, LABELS), r"train_images: number \d+ has 2\d\d at .*0 to 255"),
    "not a number": ((WITH_NAN, LABELS), r"train_images: number 7 has nan at \(2, 1, 0\); expected a finite number"),
    "beyond float32": ((IMAGES * 1e300, LABELS), "within float32's range"),
    "complex": ((FLOATS * 1j, LABELS), "train_images: holds complex64; expected pixels"),
    "channels first": ((np.zeros((60, 3, 8, 8)), LABELS), r"channels first.*np.moveaxis\(images, 1, -1\)"),
    "one image": ((IMAGES[0, 0], LABELS), r"train_images: is of shape \(8,\); expected images"),
    "ragged": (([[1], [1, 2]], LABELS), "train_images: is not an array"),
    "too few labels": ((IMAGES, LABELS[:50]), "train: 60 images but 50 labels"),
    "labels of two classes at once": ((IMAGES, np.eye(3)[LABELS] + 1), r"train_labels: .*labels.argmax\(axis=1\)"),
    "half a label": ((IMAGES, LABELS + 0.5), "train_labels: number 0 has 0.5; expected a whole class number"),
    "a gap": ((IMAGES, 2 * LABELS), "class 1 has no image"),
    "an unknown class": ((IMAGES, LABELS, IMAGES[:1], [3]), "arrays: test labels: number 0 is 3, expected 0 to 2"),
    "other floats": ((IMAGES, LABELS, FLOATS, LABELS), "test_images became float32, train_images uint8"),
    "another size": ((IMAGES, LABELS, IMAGES[:, 1:], LABELS), r"test images \(7, 8, 1\); expected one size"),
}


@pytest.mark.parametrize("given", REFUSED)
def test_refused(given: str) -> None:
    arrays, message = REFUSED[given]
    with pytest.raises(DataError, match=message):
        Dataset.from_arrays(*arrays)


def test_names_and_halves_refused() -> None:
    with pytest.raises(DataError, match=r"test_labels: 'bea' is none of the classes; did you mean 'bee'\?"):
        Dataset.from_arrays(IMAGES[:20], ["bee", "ant"] * 10, IMAGES[:1], ["bea"])
    for names in (["a", "b"], ["a", "b", "b"], ["a", "b", "c", "d"]):
        with pytest.raises(DataError, match=r"arrays: \d class names .* for the 3 classes"):
            Dataset.from_arrays(IMAGES, LABELS, class_names=names)
    with pytest.raises(ConfigurationError, match="test_images came without test_labels"):
        Dataset.from_arrays(IMAGES, LABELS, IMAGES)
    with pytest.raises(ConfigurationError, match="name of a data set"):
        Dataset.from_arrays(IMAGES, LABELS, name=" ")


def test_the_example_of_its_documentation() -> None:
    assert doctest.testmod(dataset) == (0, 3)


def test_names_in_the_test_alone_are_compared_with_the_numbers() -> None:
    images, labels = np.zeros((30, 4, 4), np.uint8), np.arange(30) % 3
    made = Dataset.from_arrays(images, labels, images[:4], ["2", "1", "1", "2"])
    assert made.test.labels.tolist() == [2, 1, 1, 2]
    with pytest.raises(DataError, match="cat"):
        Dataset.from_arrays(images, labels, images[:2], ["cat", "1"])


def test_float16_is_taken_without_a_warning() -> None:
    images = np.linspace(0, 1, 30 * 16, dtype=np.float16).reshape(30, 4, 4)
    assert Dataset.from_arrays(images, np.arange(30) % 3).train.dtype == np.float32
