"""Pictures as the training images were read, shown small, and found in folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.errors import DataError
from convlens.pictures.reading import images_in, thumbnail

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_images_of_a_folder_and_what_is_left_out(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpeg", "10.webp"):
        Image.fromarray(COLOURS).save(tmp_path / name)
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "raw.heic").write_bytes(b"")
    (tmp_path / "cats").mkdir()
    (tmp_path / "folder.png").mkdir()
    images, others = images_in(tmp_path)
    assert [path.name for path in images] == ["10.webp", "a.jpeg", "b.PNG"]
    assert [path.name for path in others] == ["cats", "folder.png", "raw.heic"]


def test_a_folder_without_images_is_explained(tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()
    with pytest.raises(DataError, match=r"holds no image .*PNG.*give a folder with images"):
        images_in(tmp_path / "only")
    with pytest.raises(DataError, match=r"name its sub-folders, such as .*only"):
        images_in(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        images_in(tmp_path / "none")


def test_a_thumbnail_keeps_its_proportions_and_the_image_itself() -> None:
    given = Image.fromarray(np.kron(COLOURS, np.ones((50, 50, 1), np.uint8)))
    assert thumbnail(given, 90).shape == (60, 90, 3)
    assert given.size == (450, 300)
    np.testing.assert_array_equal(thumbnail(Image.fromarray(COLOURS), 90), COLOURS)


def test_a_thumbnail_of_every_kind() -> None:
    lying = Image.fromarray(COLOURS)
    lying.getexif()[0x0112] = 6
    assert thumbnail(lying, 90).shape == (9, 6, 3)
    assert np.unique(thumbnail(Image.new("LA", (5, 6), (0, 0)), 90)).tolist() == [255]
    deep = Image.fromarray(np.array([[0, 2000], [4000, 1000]], np.uint16))
    assert thumbnail(deep, 90)[..., 0].tolist() == [[0, 128], [255, 64]]
    assert thumbnail(Image.fromarray(np.full((3, 3), 0.5, np.float32)), 90).shape == (3, 3, 3)
