"""CSV files: with or without a header, grey or in colour; whatever is wrong is named by its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import convlens.data
from convlens.errors import DataError


def rows(count: int = 30, values: int = 9, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.column_stack([np.arange(count) % 3, draw.integers(0, 256, (count, values))])


def text(table: np.ndarray, header: str = "") -> str:
    lines = [",".join(map(str, row)) for row in table]
    return "\n".join([header, *lines] if header else lines) + "\n"


def load(path: Path) -> convlens.data.Dataset:
    return convlens.data.load(path, validation_fraction=0.25)


HEADERS = {
    "none": "",
    "Keras": "label," + ",".join(f"pixel{i}" for i in range(9)),
    "Kaggle": "label," + ",".join(f"{i}x{j}" for i in range(3) for j in range(3)),
    "pandas": "label," + ",".join(map(str, range(9))),
    "quoted": '"label",' + ",".join(f'"p{i}"' for i in range(9)),
    "foreign": "etikett," + ",".join(f"punkt{i}" for i in range(9)),
    "marked": "\ufefflabel," + ",".join(f"p{i}" for i in range(9)),
}


@pytest.mark.parametrize("header", HEADERS)
def test_with_and_without_a_header(tmp_path: Path, header: str) -> None:
    table = rows()
    path = tmp_path / "mine.csv"
    path.write_text(text(table, HEADERS[header]), encoding="utf-8")
    dataset = load(path)
    assert (dataset.name, dataset.input_shape) == ("mine", (3, 3, 1))
    found = {
        (int(label), image.tobytes())
        for part in (dataset.train, dataset.validation, dataset.test)
        for image, label in zip(part.images, part.labels, strict=True)
    }
    assert found == {(int(row[0]), row[1:].astype(np.uint8).tobytes()) for row in table}


def test_a_label_in_the_last_column(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text(np.roll(rows(), -1, axis=1), ",".join([*(f"p{i}" for i in range(9)), "class"])))
    assert load(path).train.labels.max() == 2


def test_colour_blank_lines_and_line_ends_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    ramps = np.arange(30)[:, None, None, None] + 6 * (np.arange(4)[:, None, None] + np.arange(4)[:, None]) + [0, 90, 40]
    table = np.column_stack([np.arange(30) % 3, ramps.reshape(30, -1)])
    path.write_bytes(text(table).replace("\n", "\r\n\r\n").encode())
    found = load(path)
    assert found.input_shape == (4, 4, 3)
    assert {bytes(image) for image in found.whole().images} == {bytes(image) for image in ramps.astype(np.uint8)}


def test_a_folder_with_a_file_for_training_and_one_for_the_test(tmp_path: Path) -> None:
    (tmp_path / "mnist_train.csv").write_text(text(rows()))
    assert load(tmp_path).split["fractions"]["test"] == 0.1
    (tmp_path / "mnist_test.csv").write_text(text(rows(6, seed=1)))
    dataset = load(tmp_path)
    assert dataset.split["counts"] == {"train": 22, "validation": 8, "test": 6}
    assert set(dataset.provenance["sha256"]) == {"mnist_train.csv", "mnist_test.csv"}
    assert [file.items for file in convlens.data.verify(tmp_path)] == [30, 6]
    (tmp_path / "more.csv").write_text("")
    with pytest.raises(DataError, match=r"expected train\.csv and"):
        load(tmp_path)


def changed(line: int, cell: int | None, value: str) -> str:
    lines = text(rows()).splitlines()
    cells = lines[line - 1].split(",")
    if cell is None:
        cells.append(value)
    else:
        cells[cell] = value
    lines[line - 1] = ",".join(cells)
    return "\n".join(lines)


BAD = {
    "ragged": (changed(7, None, "1"), "line 7: has 11 values, the first line has 10"),
    "cut off": (changed(7, None, "1").rsplit(",", 3)[0], "line 7: has 11 values"),
    "word": (changed(5, 3, "cat"), "line 5, column 4: 'cat' is not a number"),
    "empty cell": (changed(5, 3, ""), "line 5, column 4: '' is not a number"),
    "not a number": (changed(5, 3, "nan"), "line 5, column 4: 'nan' is not a number"),
    "infinite": (changed(5, 3, "inf"), "line 5, column 4: 'inf' is not a number"),
    "too bright": (changed(5, 3, "256"), "line 5, column 4: is 256; expected a pixel, 0 to 255"),
    "negative": (changed(5, 3, "-1"), "line 5, column 4: is -1"),
    "label not whole": (changed(5, 0, "1.5"), "line 5, column 1: is 1.5; expected a class number"),
    "label negative": (changed(5, 0, "-1"), "line 5, column 1: is -1; expected a class number"),
    "label damaged in line 1": (changed(1, 0, "x"), "line 1, column 1: 'x' is not a number"),
    "label out of range": (changed(5, 0, "7"), "class 3 has no image"),
    "one class": (text(rows() * np.array([0, *[1] * 9])), "nothing to learn"),
    "not square": (text(rows(values=10)), "10 values per image are neither H x H (grey) nor H x H x 3"),
    "no label": ("pixel0,pixel1,pixel2\n1,2,3\n", "its header names no label"),
    "header only": ("label,pixel0\n", "has no images"),
    "empty": ("", "has no images"),
    "prose": ("Dear Sir\n", "line 1: has no comma"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_one_clear_line(tmp_path: Path, case: str) -> None:
    content, message = BAD[case]
    path = tmp_path / "mine.csv"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        load(path)
    assert message in str(caught.value)
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_text_at_all(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xff\xfe\0\1" * 10)
    with pytest.raises(DataError, match="is not text"):
        load(path)
    (file,) = convlens.data.verify(path)
    assert not file.ok


def test_lines_are_counted_over_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens.data.sources import csv_table

    monkeypatch.setattr(csv_table, "_CHUNK", 64)
    path = tmp_path / "mine.csv"
    path.write_text(text(rows(), HEADERS["Keras"]))
    expected = load(path).train.images
    monkeypatch.undo()
    np.testing.assert_array_equal(load(path).train.images, expected)
    monkeypatch.setattr(csv_table, "_CHUNK", 64)
    path.write_text(changed(23, 3, "x"))
    with pytest.raises(DataError, match="line 23, column 4"):
        load(path)


def test_a_file_too_large_is_refused_after_its_first_portion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens.data.sources import csv_table

    parsed: list[int] = []
    parse = csv_table._parse
    monkeypatch.setattr(csv_table, "_parse", lambda *given: parsed.append(1) or parse(*given))
    monkeypatch.setattr(csv_table, "_CHUNK", 1000)
    monkeypatch.setattr(csv_table, "LARGEST_CONTENT", 2**11)
    path = tmp_path / "mine.csv"
    path.write_text(text(rows(3000)))
    with pytest.raises(DataError, match=r"mine\.csv: comes to about 0\.0 GiB of pixels, more than .* split the file"):
        load(path)
    assert len(parsed) == 1


def test_one_giant_line_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens.data.sources import csv_table

    monkeypatch.setattr(csv_table, "_CHUNK", 100)
    monkeypatch.setattr(csv_table, "_LONGEST_LINE", 1000)
    path = tmp_path / "mine.csv"
    path.write_text("1," * 5000)
    with pytest.raises(DataError, match="a line of more than 1,000 characters"):
        load(path)
