"""Names of files and classes that a terminal would obey, and tables of them at any width."""

from __future__ import annotations

import pickle

import pytest

from convlens import errors
from convlens.names import shown, visible
from convlens.text_table import TextTable, cells_of, wrapped

SHOWN = {
    "a name": ("a name", "a name"),
    "letters of every script": ("zażółć gęślą 猫 می‌خواهم 👩‍🚀", "zażółć gęślą 猫 می‌خواهم 👩‍🚀"),
    "line breaks": ("a\r\nb\u2028c\x85", r"a\r\nb\u2028c\x85"),
    "an escape sequence": ("\x1b[2J\x9b31m", r"\x1b[2J\x9b31m"),
    "a byte that is no text": (b"\xff.png".decode("utf-8", "surrogateescape"), r"\xff.png"),
    "a lone half": ("\ud83d", r"\ud83d"),
    "reversed": ("a\u202egnp.exe\u2066", r"a\u202egnp.exe\u2066"),
    "hidden": ("a\u200bb\ufeff\xad", r"a\u200bb\ufeff\xad"),
    "markup": ("[bold red]$x$ :cat: [/]", "[bold red]$x$ :cat: [/]"),
    "a path of Windows": (r"C:\new", r"C:\new"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_a_name_is_visible_and_on_one_line(case: str) -> None:
    name, expected = SHOWN[case]
    assert shown(name) == expected
    assert visible(f"a\n{name.splitlines()[0]}").startswith("a\n")


def test_of_a_very_long_name_the_middle_is_left_out() -> None:
    found = shown("a" * 5000 + "z")
    assert len(found) == 2000
    assert found.endswith("az")
    assert shown("\x1b" * 8, 5) == r"\x1b\x1b\x1b…\x1b"


def test_errors_are_one_line_whatever_is_in_them() -> None:
    for kind in (errors.ConvlensError, errors.DataError, errors.TrainingInterrupted):
        error = kind("no file 'a\nb\x1b[0m\udcff'")
        assert str(error) == r"no file 'a\nb\x1b[0m\xff'"
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


NAMES = ["cat", "a class with a name of several words", "Donaudampfschifffahrtsgesellschaft" * 2, "猫" * 20, "a\nb\x1b"]
TABLE = TextTable(
    "scores of the classes, in per cent",
    ("class", "precision", "images", "verdict"),
    [(name, f"{98.76 + i:.2f}", f"{10**i:,}", ("true", "green")) for i, name in enumerate(NAMES)],
    left=(0, 3),
    foot=1,
)


def text(table: TextTable, room: int | None) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in table.lines(room)]


@pytest.mark.parametrize("room", [18, 30, 40, 60, 80, 120])
def test_a_table_fits_and_no_number_is_cut(room: int) -> None:
    lines = text(TABLE, room)
    assert max(map(cells_of, lines)) <= room
    words = " ".join(lines).replace(",", "").split()
    for _, precision, images, _ in TABLE.rows:
        assert precision in words
        assert str(images).replace(",", "") in words
    assert r"a\nb\x1b" in "".join(lines)


def test_a_table_that_fits_is_aligned() -> None:
    lines = text(TextTable("", ("a", "number"), [("b", "1.50"), ("total", "12.25")], foot=1), 80)
    assert lines == ["a      number", "-------------", "b        1.50", "-------------", "total   12.25"]


def test_spare_columns_go_before_the_grid_does() -> None:
    table = TextTable("", ("layer", "kind", "size"), [("conv1", "convolution", "9")], spare=(1,))
    assert text(table, 30)[-1].split() == ["conv1", "convolution", "9"]
    assert text(table, 15)[-1].split() == ["conv1", "9"]
    assert text(table, 9) == ["conv1", "  kind", "    convo", "    lutio", "    n", "  size 9"]


def test_words_are_folded_and_numbers_are_not() -> None:
    assert wrapped("12,345.678 abcdefgh", 6) == ["12,345.678", "abcdef", "gh"]
    assert wrapped("a\nb c", None) == ["a", "b c"]
