"""Data of the user's own, by path: as one types or pastes it, as the folder is now, and refused in words."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from convlens.errors import ConfigurationError, DataError
from convlens.lab.training.configuration import Configuration, dataset_of

from .small import data, images, request


@pytest.mark.parametrize("typed", ["{}", " {}\n", '"{}"', "'{}'"])
def test_a_path_is_taken_as_it_is_pasted(tmp_path: Path, typed: str) -> None:
    assert dataset_of(typed.format(data(tmp_path))).input_shape == (8, 8, 1)


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    data(tmp_path)
    assert dataset_of("~/small.npz").class_names == ("0", "1", "2")
    with pytest.raises(ConfigurationError, match=r"no data set is called '~/smal\.npz'"):
        dataset_of("~/smal.npz")


def test_a_folder_is_read_again_when_an_image_is_added(tmp_path: Path) -> None:
    folder = images(tmp_path, [(8, 8)])
    before = dataset_of(str(folder))
    assert dataset_of(str(folder)) is before
    for number in range(20, 40):
        shutil.copy(folder / "lying" / "0.png", folder / "lying" / f"{number}.png")
    assert len(dataset_of(str(folder)).train) > len(before.train)


def test_a_folder_of_several_sizes_is_resized_if_asked(tmp_path: Path) -> None:
    folder = str(images(tmp_path, [(8, 8), (9, 11)]))
    with pytest.raises(DataError, match="resize=64"):
        dataset_of(folder)
    assert dataset_of(folder, 8).input_shape == (8, 8, 3)
    assert dataset_of(folder, [6, 8]).input_shape == (6, 8, 3)
    given = Configuration.from_dict(request(folder, resize=[6, 8], skip_broken=True))
    assert given.dataset().input_shape == (6, 8, 3)
    assert Configuration.from_dict(given.to_dict()) == given


@pytest.mark.parametrize("resize", ["8", True, 8.0, [8], [8, 8, 8], [8, "8"], [[8], 8], {"h": 8}])
def test_what_is_no_size_is_refused(tmp_path: Path, resize: Any) -> None:
    with pytest.raises(ConfigurationError, match="resize is a whole number of pixels"):
        dataset_of(str(tmp_path), resize)
    with pytest.raises(ConfigurationError, match="resize is a whole number of pixels"):
        Configuration.from_dict(request("mnist", resize=resize))


def test_how_a_folder_is_read_is_part_of_what_is_compared_only_if_it_is_given() -> None:
    plain = Configuration.from_dict(request("mnist"))
    assert not {"resize", "skip_broken"} & plain.to_dict().keys()
    assert plain.group != Configuration.from_dict(request("mnist", resize=8)).group
