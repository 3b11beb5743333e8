"""Makes ConvolutionalLayers.ipynb: from the cells in ConvolutionalLayers.py, run from top to bottom.

    python notebooks/execute.py

The cells are a Python file, so that a change is easy to review; the notebook is made of them, never edited by hand.
What is written holds no times, no names of a machine and no versions, so the same code gives the same notebook.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

HERE = Path(__file__).parent
SOURCE, NOTEBOOK = HERE / "ConvolutionalLayers.py", HERE / "ConvolutionalLayers.ipynb"
TIMEOUT = 600  # seconds that one cell may take
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_STRICT = """import warnings
warnings.simplefilter("error")
warnings.filterwarnings("default", module="ipykernel|IPython|jupyter|traitlets|zmq|asyncio")  # the kernel's own
"""


class NotebookError(Exception):
    """A cell failed; the message names it."""


def built(source: str) -> nbformat.NotebookNode:
    """Return the notebook of a script's cells, not executed.

    Examples
    --------
    >>> [cell.cell_type for cell in built("# %% [markdown]\\n# # Title\\n\\n# %%\\n1 + 1\\n").cells]
    ['markdown', 'code']
    """
    notebook = jupytext.reads(source, fmt="py:percent")
    notebook.metadata, notebook.nbformat, notebook.nbformat_minor = nbformat.from_dict(METADATA), 4, 5
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number:02}"
    return notebook


def execute(notebook: nbformat.NotebookNode, folder: Path = HERE) -> None:
    """Run every cell in a new kernel, with warnings as errors; the outputs are put into the notebook.

    Raises
    ------
    NotebookError
        If a cell fails.
    """
    notebook.cells.insert(0, nbformat.v4.new_code_cell(_STRICT))  # taken out again below
    started: list[int] = []
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=lambda cell_index, **_: started.append(cell_index),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise NotebookError(f"{_place(notebook, started[-1])}: {error.ename}: {error.evalue}") from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise NotebookError(f"{_place(notebook, started[-1])}: {error}") from error
    finally:
        del notebook.cells[0]
    _clean(notebook)


def _place(notebook: nbformat.NotebookNode, index: int) -> str:
    """Return which cell it is: its id, the heading above it, and its first line."""
    cells = notebook.cells[: index + 1]
    lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    heading = next((line.lstrip("# ") for line in reversed(lines) if line.startswith("#")), "the beginning")
    return f"{cells[-1].id}, under “{heading}” (“{cells[-1].source.splitlines()[0]}”)"


def _clean(notebook: nbformat.NotebookNode) -> None:
    """Take out what differs between machines, and number the cells from 1."""
    notebook.metadata = nbformat.from_dict(METADATA)  # the kernel wrote its version into it
    for number, cell in enumerate((one for one in notebook.cells if one.cell_type == "code"), 1):
        cell.execution_count = number
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def text_of(notebook: nbformat.NotebookNode) -> str:
    """Return the notebook as its file has it."""
    return nbformat.writes(notebook) + "\n"


def main() -> int:
    """Build, execute and write the notebook; return the exit status."""
    notebook = built(SOURCE.read_text(encoding="utf-8"))
    try:
        execute(notebook)
    except NotebookError as error:
        sys.stderr.write(f"the notebook failed in {error}\n")
        return 1
    NOTEBOOK.write_text(text_of(notebook), encoding="utf-8")
    print(f"{NOTEBOOK.name}: {len(notebook.cells)} cells, {NOTEBOOK.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
