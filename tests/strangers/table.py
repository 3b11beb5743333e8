"""What strangers bring, as a table: one row an input, made by code, with the right outcome.

To add an input, add a row to a list `ROWS` in one of the modules ``rows_*.py`` beside this one, or write another
such module: `test_table` finds it. A row makes its input in an empty folder and says what must come of it: what is
read, what is said, or what is refused in which words.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from convlens.cli.main import UsageError, app
from convlens.data import load
from convlens.data.dataset import Dataset
from convlens.errors import ConvlensError


def _says(text: str, wanted: Sequence[str], unwanted: Sequence[str] = ()) -> None:
    """Check that a text holds some words and lacks others; white space does not count, since lines are wrapped."""
    one_line = " ".join(text.split())
    for words in wanted:
        assert words in one_line, f"expected {words!r} in: {one_line}"
    for words in unwanted:
        assert words not in one_line, f"did not expect {words!r} in: {one_line}"


@dataclass(frozen=True)
class Data:
    """A file or folder given to `convlens.data.load`.

    Attributes
    ----------
    name
        The row's name.
    make
        folder -> the path to load, after writing it there.
    classes, shape, counts
        What must be read, where stated: class names, image shape (H, W, C), and images in (train, validation, test).
    pixels
        Where stated: the set of values that all images together must have, at most 20 of them.
    says
        Words that must be in the data set's notes, or in the error if `refused`.
    refused
        Whether it must be refused.
    options
        Of `load`.
    check
        Anything else: a function that asserts it of the data set.
    """

    name: str
    make: Callable[[Path], Path]
    classes: Sequence[str] | None = None
    shape: tuple[int, ...] | None = None
    counts: tuple[int, int, int] | None = None
    pixels: set[int] | None = None
    says: Sequence[str] = ()
    refused: bool = False
    options: dict[str, Any] | None = None
    check: Callable[[Dataset], object] | None = None

    def run(self, folder: Path) -> None:
        """Make the input, load it, and check the outcome."""
        path = self.make(folder)
        if self.refused:
            with pytest.raises(ConvlensError) as caught:
                load(path, **(self.options or {}))
            assert "\n" not in str(caught.value), "an error is one line"
            _says(str(caught.value), self.says)
            return
        found = load(path, **(self.options or {}))
        _says(" ".join(found.notes), self.says)
        parts = (found.train, found.validation, found.test)
        if self.classes is not None:
            assert found.class_names == tuple(self.classes)
        if self.shape is not None:
            assert found.input_shape == self.shape
        if self.counts is not None:
            assert tuple(map(len, parts)) == self.counts
        if self.pixels is not None:
            assert set(np.unique(np.concatenate([part.images for part in parts])).tolist()) == self.pixels
        if self.check is not None:
            self.check(found)


@dataclass(frozen=True)
class Command:
    """A command line, run in a folder.

    Attributes
    ----------
    name
        The row's name.
    make
        folder -> anything, after writing what the command needs there.
    line
        The command without ``convlens``, as typed into a shell.
    code
        The exit code: 0, or 2 for an error in one line.
    says, lacks
        Words that must, and must not, be in output and errors together.
    check
        Anything else: a function that asserts it of the folder after the command.
    """

    name: str
    make: Callable[[Path], object]
    line: str
    code: int = 0
    says: Sequence[str] = ()
    lacks: Sequence[str] = ()
    check: Callable[[Path], object] | None = None

    def run(self, folder: Path) -> None:
        """Make the input, run the command, and check the outcome."""
        self.make(folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            found = CliRunner().invoke(app, shlex.split(self.line))
        text, code, error = found.output, found.exit_code, found.exception
        if isinstance(error, ConvlensError):
            text, code = f"{text}\n{error}", error.exit_code
        elif isinstance(error, UsageError):
            text, code = f"{text}\n{error.format_message()}", 2
        elif error is not None and not isinstance(error, SystemExit):
            raise error
        assert code == self.code, text
        _says(text, self.says, self.lacks)
        if self.check is not None:
            self.check(folder)


@dataclass(frozen=True)
class Call:
    """A call of the library.

    Attributes
    ----------
    name
        The row's name.
    call
        folder -> the result.
    gives
        A function that asserts what the result must be; None if the call must raise.
    error, says
        The exception that it must raise, and words in it.
    """

    name: str
    call: Callable[[Path], object]
    gives: Callable[[Any], object] | None = None
    error: type[ConvlensError] = ConvlensError
    says: Sequence[str] = ()

    def run(self, folder: Path) -> None:
        """Call, and check the outcome."""
        if self.gives is not None:
            self.gives(self.call(folder))
            return
        with pytest.raises(self.error) as caught:
            self.call(folder)
        assert "\n" not in str(caught.value), "an error is one line"
        _says(str(caught.value), self.says)


Row = Data | Command | Call
