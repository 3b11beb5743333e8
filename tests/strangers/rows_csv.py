"""CSV files as people save them."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from convlens.data import Dataset
from tests.strangers.table import Data, Row

LABELS = np.arange(60) % 3
PIXELS = np.random.default_rng(0).integers(0, 256, (60, 16))
INK = (PIXELS > 128).astype(int)
NAMES = [f"pixel{number}" for number in range(16)]
HEADER = ",".join(["label", *NAMES])


def text(table: Sequence[Sequence[object]] | np.ndarray, header: str = "", separator: str = ",") -> str:
    """Return a table as lines; the header has commas."""
    lines = [separator.join(map(str, row)) for row in table]
    return "\n".join([header.replace(",", separator), *lines] if header else lines) + "\n"


def rows(labels: Sequence[object] | np.ndarray = LABELS, pixels: np.ndarray = PIXELS) -> list[list[object]]:
    return [[label, *row] for label, row in zip(labels, pixels.tolist(), strict=True)]


def file(content: str | bytes, name: str = "mine.csv") -> Callable[[Path], Path]:
    """Return what writes one file."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder / name

    return make


def folder(**files: str) -> Callable[[Path], Path]:
    """Return what writes ``NAME.csv`` for each of the files."""

    def make(place: Path) -> Path:
        for name, content in files.items():
            (place / f"{name}.csv").write_text(content)
        return place

    return make


def holds(found: Dataset, pixels: np.ndarray = PIXELS, labels: np.ndarray = LABELS) -> None:
    """Check that every image is there with its label."""
    whole = found.whole()
    got = {(bytes(image), found.class_names[label]) for image, label in zip(whole.images, whole.labels, strict=True)}
    wanted = zip(pixels.astype(np.uint8), labels, strict=True)
    assert got == {(bytes(image), str(label)) for image, label in wanted}


def bad(name: str, content: str, *says: str) -> Data:
    return Data(name, file(content), refused=True, says=says)


def line_5(cells: Callable[[list[str]], str]) -> str:
    """Return a good file whose fifth line is made of its cells by a function."""
    lines = text(rows()).splitlines()
    lines[4] = cells(lines[4].split(","))
    return "\n".join(lines) + "\n"


def cell(value: str) -> str:
    return line_5(lambda cells: ",".join([*cells[:3], value, *cells[4:]]))


SHUFFLED = np.random.default_rng(1).permutation(16)
IN_DISORDER = text(rows(pixels=PIXELS[:, SHUFFLED]), ",".join(["label", *(NAMES[i] for i in SHUFFLED)]))
WORDS = np.array(["bee", "ant", "cat"])[LABELS]
RAMP = np.arange(4)[:, None] * 8 + np.arange(8)
GRID = ",".join(["label", *(f"{row}x{column}" for row in range(4) for column in range(8))])

COUNTED = ",".join(map(str, range(16)))
EDGE = np.column_stack([LABELS, PIXELS, (np.arange(60) % 5 == 0) * LABELS[::-1]])[:, [0, *range(2, 18)]]

READ: list[Row] = [
    Data("as Kaggle has it", file(text(rows(), HEADER)), shape=(4, 4, 1), counts=(49, 5, 6), check=holds),
    Data("semicolons", file(text(rows(), HEADER, ";")), check=holds),
    Data("tabs", file(text(rows(), HEADER, "\t"), "mine.tsv"), check=holds),
    Data("spaces", file(text(rows(), separator="  ")), check=holds),
    Data("a byte order mark", file("\ufeff" + text(rows(), HEADER)), check=holds),
    Data("the separator's line of spreadsheets", file("sep=;\n" + text(rows(), HEADER, ";")), check=holds),
    Data("gzip", file(gzip.compress(text(rows(), HEADER).encode()), "mine.csv.gz"), check=holds),
    Data("gzip cut off", file(gzip.compress(text(rows(), HEADER).encode())[:-30], "mine.csv.gz"), refused=True,
         says=["mine.csv.gz", "damaged gzip"]),
    Data("quotes around all", file(text([[f'"{cell}"' for cell in row] for row in rows()], HEADER)), check=holds),
    Data("quotes after spaces", file(text([[f'"{cell}"' for cell in row] for row in rows()], HEADER, ", ")),
         check=holds),
    Data("spaces around", file(text(rows(), HEADER).replace(",", " , ")), check=holds),
    Data("written with exponents", file(text([[f"{cell:.18e}" for cell in row] for row in rows()])), check=holds),
    Data("a comment's sign before the header, as NumPy writes it", file("# " + text(rows(), HEADER)), check=holds),
    Data("separators at the ends of lines", file(text(rows(), HEADER).replace("\n", ",\n")), check=holds),
    Data("line ends of an old Macintosh", file(text(rows(), HEADER).replace("\n", "\r")), check=holds),
    Data("labels are names", file(text(rows(WORDS), HEADER)), classes=["ant", "bee", "cat"],
         check=lambda found: holds(found, labels=WORDS)),
    Data("labels are names, without a header", file(text(rows(WORDS))), classes=["ant", "bee", "cat"],
         check=lambda found: holds(found, labels=WORDS)),
    Data("labels are names in quotes, with commas", file(text(rows([f'"{word}, a"' for word in WORDS]), HEADER)),
         classes=["ant, a", "bee, a", "cat, a"]),
    Data("labels from 1", file(text(rows(LABELS + 1), HEADER)), classes="123", says=["named by these numbers"],
         check=lambda found: holds(found, labels=LABELS + 1)),
    Data("EMNIST's letters", file(text(rows(LABELS + 1)), "emnist-letters-train.csv"), says=["turned upright"],
         check=lambda found: holds(found, PIXELS.reshape(60, 4, 4).swapaxes(1, 2).reshape(60, 16), LABELS + 1)),
    Data("labels 3 and 8", file(text(rows(np.where(LABELS, 8, 3)), HEADER)), classes="38", says=["labels are 3, 8"]),
    Data("sorted by label, in several portions", file(text(sorted(rows(), key=lambda row: str(row[0])))), check=holds),
]  # fmt: skip

RANGES: list[Row] = [
    Data("whole numbers 0 and 1", file(text(rows(pixels=INK), HEADER)), pixels={0, 255}, says=["from 0 to 1"]),
    Data("0 and 1 without a header", file(text(rows(pixels=INK))), pixels={0, 255}, classes="012"),
    Data("floats from 0 to 1", file(text(rows(pixels=PIXELS / 255), HEADER)), says=["floats from 0 to 1"], check=holds),
    Data("floats from -1 to 1", file(text(rows(pixels=PIXELS / 127.5 - 1), HEADER)), says=["-1 to 1"], check=holds),
    Data("0 to 16", file(text(rows(pixels=(PIXELS + 8) // 16), HEADER)), says=["from 0 to 16"]),
    Data("12 bits", file(text(rows(pixels=PIXELS * 16), HEADER)), says=["from 0 to 4095"]),
    bad("0 to 9", text(rows(pixels=PIXELS // 26), HEADER), "go from 0 to 9", "it is not clear"),
    Data("test file in another range",
         folder(train=text(rows(), HEADER), test=text(rows(pixels=PIXELS / 255), HEADER)),
         refused=True, says=["test.csv: its pixels go from 0 to 1", "one range"]),
]  # fmt: skip

COLUMNS: list[Row] = [
    Data("pixels in another order", file(IN_DISORDER), says=["order of the numbers in their names"], check=holds),
    Data("pixels in another order in the test file alone",
         folder(train=text(rows(), HEADER), test=IN_DISORDER), says=["test.csv: its columns are put in the order"],
         check=holds),
    Data("pixels by names without numbers, in another order in the test file",
         folder(train=text(rows(pixels=PIXELS[:, :4]), "label,nw,ne,sw,se"),
                test=text(rows(pixels=PIXELS[:, [3, 1, 2, 0]]), "label,se,ne,sw,nw")),
         says=["order of the training file's"], check=lambda found: holds(found, PIXELS[:, :4])),
    Data("sorted by the letters of their names",
         file(text(rows(pixels=PIXELS[:, np.argsort(NAMES)]), ",".join(["label", *sorted(NAMES)]))), check=holds),
    Data("a label of another name", file(text(rows(), HEADER.replace("label", "etikett"))), says=["'etikett'"],
         check=holds),
    Data("a label of another name, last",
         file(text([[*row[1:], row[0]] for row in rows()], ",".join([*NAMES, "Ziffer"]))), says=["'ziffer'"],
         check=holds),
    Data("the label is last, without a header", file(text([[*row[1:], row[0]] for row in rows()])),
         says=["the label is the last column"], check=holds),
    bad("first or last could be the label", text(np.column_stack([INK, INK[:, 1]])), "both the first and the last",
        "header line"),
    bad("two labels", text([[row[0], *row] for row in rows()], "label," + HEADER.replace("label", "class")),
        "label and class could all be the label"),
    bad("no label", text(PIXELS, ",".join(NAMES)), "names no label"),
    bad("a column that is neither", text([[7 + row[1], *row] for row in rows()], "age," + HEADER), "age", "remove"),
    Data("pandas's index", file(text([[i, *row] for i, row in enumerate(rows())], "," + HEADER)),
         says=["only numbers the rows"], check=holds),
    Data("pandas's index, written and read again",
         file(text([[i, *row] for i, row in enumerate(rows())], "Unnamed: 0," + HEADER)), check=holds),
    Data("pandas's index, shuffled",
         file(text([[7 * i % 60, *row] for i, row in enumerate(rows())], "," + HEADER)), check=holds),
    Data("an id", file(text([[i + 1, *row] for i, row in enumerate(rows())], "id," + HEADER)), check=holds),
    Data("an index without a header", file(text([[i, *row] for i, row in enumerate(rows())])),
         says=["only numbers the rows"], check=holds),
    Data("pandas's numbers for names", file(text(rows(), ",".join(map(str, range(17))))), check=holds),
    Data("file names beside", file(text([[f"{i}.png", *row] for i, row in enumerate(rows())], "file," + HEADER)),
         says=["columns of text are not used: file"], check=holds),
    Data("pandas's numbers for names, an index and a label of another name",
         file(text([[i, *row[1:], WORDS[i]] for i, row in enumerate(rows())], f",{COUNTED},name")),
         says=["only numbers the rows", "'name', the only one of"], check=lambda found: holds(found, labels=WORDS)),
    Data("pixels at the edge look like labels, but are mostly black", file(text(EDGE)), says=["the first column"],
         classes="012"),
    Data("the same, and the label is last", file(text(EDGE[:, ::-1])), says=["the last column"], classes="012"),
    bad("few rows, their first column black", text([[0, *row[1:], row[0]] for row in rows()[:5]]), "not clear which"),
    Data("rows and columns in the names", file(text(rows(pixels=np.tile(RAMP.ravel(), (60, 1)) * 8), GRID)),
         shape=(4, 8, 1)),
    Data("the test file has a header alone", folder(train=text(rows()), test=text(rows(), HEADER)), check=holds),
    Data("the training file has a header alone", folder(train=text(rows(), HEADER), test=text(rows())), check=holds),
    Data("the test file lacks the index", folder(
        train=text([[i, *row] for i, row in enumerate(rows())], "," + HEADER), test=text(rows())), check=holds),
    Data("the test file has the label elsewhere",
         folder(train=text(rows(), HEADER), test=text([[*row[1:], row[0]] for row in rows()],
                                                      ",".join([*NAMES, "label"]))), check=holds),
    Data("the test file has few rows, and its label no known name",
         folder(train=text(rows(), ",".join(map(str, range(17)))),
                test=text(rows()[:3:2], ",".join(map(str, range(17))))), counts=(54, 6, 2)),
    Data("the test file has more pixels",
         folder(train=text(rows(pixels=PIXELS[:, :9]), ",".join(["label", *NAMES[:9]])), test=text(rows(), HEADER)),
         refused=True, says=["16 pixels an image, the training file 9"]),
    Data("Kaggle's folder", folder(train=text(rows(), HEADER), test=text(PIXELS, ",".join(NAMES)),
                                   sample_submission="ImageId,Label\n1,0\n"),
         says=["test.csv has no labels and is not used", "not used: sample_submission.csv"], counts=(49, 5, 6)),
    Data("a validation file", folder(train=text(rows(), HEADER), val=text(rows()[:9], HEADER),
                                     test=text(rows()[:6], HEADER)), counts=(60, 9, 6)),
]  # fmt: skip

REFUSED: list[Row] = [
    bad("an open quote", cell('"7'), "line 5", "quotes do not match"),
    bad("a quote within", cell('7"'), "line 5, column 4: '7\"' is not a number"),
    bad("text after a quote", cell('"7"x'), "line 5", "quotes do not match"),
    bad("a line in quotes", line_5(lambda cells: f'"{",".join(cells)}"'), "line 5", "quotes around whole lines"),
    bad("every line in quotes", "".join(f'"{line}"\n' for line in text(rows(), HEADER).splitlines()), "line 1",
        "quotes around whole lines"),
    bad("an underscore", cell("1_0"), "line 5, column 4: '1_0' is not a number"),
    bad("full-width digits", cell("\uff17"), "line 5, column 4", "is not a number"),
    bad("a decimal comma in quotes", cell('"7,5"'), "line 5, column 4: '7,5' is not a number"),
    bad("not a number", cell("nan"), "line 5, column 4: 'nan'"),
    bad("a missing value", cell(""), "line 5, column 4: ''"),
    bad("a missing value in the first row", text([[0, "", *rows()[0][2:]], *rows()[1:]]), "line 1, column 2: ''"),
    bad("hexadecimal", cell("0x7"), "line 5, column 4: '0x7'"),
    bad("one value too many", line_5(lambda cells: ",".join([*cells, "1"])), "line 5: has 18 values"),
    bad("a value too large", cell("300"), "line 5, column 4: is 300; expected a pixel, 0 to 255"),
    bad("a value below 0", cell("-3"), "line 5, column 4: is -3"),
    bad("null characters", text(rows()) + "\0\0\0\n", "null characters"),
    Data("UTF-16", file(text(rows(), HEADER).encode("utf-16")), refused=True, says=["is not text", "UTF-8"]),
    bad("a number in the German way", text(rows(), separator=";").replace("0;", "0,5;"), "with a point"),
    bad("thousands", cell('"1,000"'), "line 5, column 4: '1,000' is not a number; write numbers with a point"),
    bad("a label is lacking", text(rows(["ant", "", *WORDS[2:]]), HEADER), "line 3, column 1: has no label"),
    bad("labels are lacking", text(rows(np.where(LABELS, WORDS, "")), HEADER), "has no label"),
    bad("names of picture files", "file,label\n" + "a/1.PNG,0\na/2.png,1\n" * 9, "'file' names picture", "folder"),
    bad("all pixels in one cell", text([[0, "1 2 3 4", "Training"]] * 9, "emotion,pixels,usage"), "'pixels' holds 4"),
    bad("a list in one cell", text([["a", '"[1, 2, 3, 4]"']] * 9, "label,image"), "'image' holds 4 numbers in one"),
    Data("a table called .txt", file(text(rows()), "mine.txt"), refused=True, says=["the ending .csv"]),
    bad("names and numbers as labels", text(rows(["ant", *LABELS[1:]])), "line 1, column 1: 'ant' is not a number"),
    bad("prose", "Dear Sir or Madam\nit rains\n", "has no comma"),
    bad("prose with commas", "Dear Sir,\nit rains, and so on\n", "mine.csv"),
    bad("labels alone", "label\n1\n0\n", "has no comma"),
    bad("labels and texts", "label,file\n1,a\n0,b\n1,c\n", "no pixels beside the label"),
    bad("no rows", HEADER + "\n", "has no images"),
    bad("17 pixels", text(np.column_stack([LABELS, PIXELS, PIXELS[:, 0]])), "17 values per image"),
]  # fmt: skip

ROWS: list[Row] = [*READ, *RANGES, *COLUMNS, *REFUSED]
