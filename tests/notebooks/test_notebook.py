"""The notebook: made of its cells, committed with outputs, and executed from top to bottom with the same results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scripts import script

nbformat = pytest.importorskip("nbformat")
for needed in ("ipykernel", "jupytext", "nbclient"):
    pytest.importorskip(needed)

AGAIN = "run: python notebooks/execute.py"
OF_A_MACHINE = re.compile(r"/(home|root|tmp|Users|work)/|[A-Z]:\\|\b\d\d:\d\d:\d\d\b|images/s|0x[0-9a-f]{6}")
MEASURED = re.compile(r"\d\.\d+ ?(%|points)")


maker = script("notebooks/execute.py")


@pytest.fixture(scope="module")
def committed() -> Any:
    return nbformat.read(maker.NOTEBOOK, 4)


def from_source() -> Any:
    return maker.built(maker.SOURCE.read_text(encoding="utf-8"))


def cells(notebook: Any) -> list[tuple[str, str, str, dict[str, Any]]]:
    return [(cell.id, cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]


def texts(notebook: Any) -> Iterator[tuple[str, str]]:
    """Yield every output that is text, without pictures, with its cell's id."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            found = {"stream": output.get("text", ""), **output.get("data", {})}
            for kind, text in sorted(found.items()):
                if kind in ("stream", "text/plain", "text/html", "text/markdown"):
                    yield cell.id, re.sub(r"data:image/png;base64,[\w+/=]+", "", text)


def test_the_notebook_is_made_of_its_cells(committed: Any) -> None:
    assert cells(committed) == cells(from_source()), AGAIN
    assert maker.NOTEBOOK.read_text(encoding="utf-8") == maker.text_of(committed)


def test_it_is_committed_whole_with_small_outputs(committed: Any) -> None:
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert maker.NOTEBOOK.stat().st_size < 3e6


def test_outputs_name_no_machine_and_no_time(committed: Any) -> None:
    assert not [(cell, text) for cell, text in texts(committed) if OF_A_MACHINE.search(text)]
    assert dict(committed.metadata) == maker.METADATA


def test_what_it_says_is_true_is_true(committed: Any) -> None:
    assert not [cell for cell, text in texts(committed) if text.rstrip().endswith("False")]


def test_no_measured_number_is_typed_in(committed: Any) -> None:
    typed = [cell.source for cell in committed.cells if cell.cell_type == "markdown" and MEASURED.search(cell.source)]
    assert not typed, "compute it, or read it from stored results"


def test_the_first_cell_says_what_it_shows_and_how_long_it_takes(committed: Any) -> None:
    first = committed.cells[0].source
    assert "It will show" in first
    assert "minutes" in first


@pytest.mark.slow
def test_it_runs_and_shows_what_is_committed(committed: Any) -> None:
    notebook = from_source()
    maker.execute(notebook)
    assert list(texts(notebook)) == list(texts(committed)), AGAIN


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise ValueError('lost')", r"cell-02, under “Shift” \(“raise ValueError\('lost'\)”\): ValueError: lost"),
        ("import warnings\nwarnings.warn('old')", "cell-02, under “Shift” .* UserWarning: old"),
    ],
)
def test_a_failing_cell_is_named(code: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(maker.NotebookError, match=says):
        maker.execute(maker.built(f"# %% [markdown]\n# ## Shift\n# A digit moves.\n\n# %%\n{code}\n"), tmp_path)
