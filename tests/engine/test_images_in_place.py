"""Images are read where the caller has them, or copied: with the same result, and nothing is read that may not be."""

from __future__ import annotations

import mmap
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("numba")

from convlens import models, nn
from convlens.engine import prediction
from convlens.engine.arena import readable_place
from convlens.typing import Array

IMAGES = np.random.default_rng(0).random((48, 28, 28, 1), np.float32)


def at_end_of_page(images: Array) -> Array:
    """Return the images in memory after which nothing may be read."""
    pages = -(-images.nbytes // mmap.PAGESIZE)
    memory = np.frombuffer(mmap.mmap(-1, pages * mmap.PAGESIZE), np.float32)
    place = memory[memory.size - images.size :].reshape(images.shape)
    place[...] = images
    return place


def shifted(images: Array) -> Array:
    """Return the images at an address that is no multiple of four."""
    memory = np.zeros(images.nbytes + 1, np.uint8)[1:]
    place = np.ndarray(images.shape, np.float32, memory.data)
    place[...] = images
    return place


def read_only(images: Array) -> Array:
    copy = images.copy()
    copy.flags.writeable = False
    return copy


FORMS: dict[str, Callable[[Array], Array]] = {
    "as they are": lambda x: x,
    "at the end of a page": at_end_of_page,
    "shifted": shifted,
    "read only": read_only,
    "float64": lambda x: x.astype(np.float64),
    "of the other byte order": lambda x: x.astype(">f4"),
    "every second one": lambda x: np.repeat(x, 2, axis=0)[::2],
    "columns first": lambda x: np.asfortranarray(x),
    "from the middle": lambda x: np.concatenate([x[:3], x])[3:],
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("first", ["conv", "valid", "dense", "relu"])
def test_every_form_gives_the_same_logits(form: str, first: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    layers: dict[str, list[nn.Layer]] = {
        "conv": [nn.Conv2D(4, 3), nn.Flatten()],
        "valid": [nn.Conv2D(4, 3, padding="valid"), nn.Flatten()],
        "dense": [nn.Flatten(), nn.Dense(8)],
        "relu": [nn.ReLU(), nn.Flatten()],
    }
    model = nn.Model([*layers[first], nn.Dense(10)], (28, 28, 1)).use("numba", threads)
    wanted = model.engine.logits(IMAGES)
    monkeypatch.setattr(prediction, "WORTH_READING", 0)
    given = FORMS[form](IMAGES - np.float32(0.5) if first == "relu" else IMAGES)
    before = given.copy()
    found = model.engine.logits(given)
    np.testing.assert_array_equal(given, before)
    if first != "relu":
        np.testing.assert_array_equal(found, wanted)


def test_what_was_read_in_place_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.build("baseline").use("numba", 1)
    monkeypatch.setattr(prediction, "WORTH_READING", 0)
    images = IMAGES.copy()
    assert readable_place(images) is not None
    wanted = model.engine.logits(images)
    first = wanted.copy()
    images[...] = np.nan
    np.testing.assert_array_equal(model.engine.logits(IMAGES.astype(np.float64)), first)  # copied: its own array again
    np.testing.assert_array_equal(wanted, first)  # results are the caller's
    assert np.isnan(model.engine.logits(images)).all()


def test_memory_at_the_end_of_a_page_is_copied() -> None:
    assert readable_place(at_end_of_page(IMAGES)) is None
    near = at_end_of_page(np.zeros(1040, np.float32))
    assert readable_place(near[:-15]) is None
    assert readable_place(near[:-16]) == near.ctypes.data


@pytest.mark.parametrize("name", ["numba", "numpy", "interpreter"])
def test_images_can_be_prepared_on_the_way(name: str) -> None:
    model = models.build("cnn", filters=(4, 4), hidden=8).use(name, 2)
    pixels = np.random.default_rng(1).integers(0, 256, (530, 28, 28, 1), np.uint8)
    for count in (0, 1, 530):
        found = model.engine.logits(pixels[:count], model.preprocessing.fill)
        np.testing.assert_array_equal(found, model.engine.logits(model.preprocessing(pixels[:count])))
