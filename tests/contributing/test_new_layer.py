"""CONTRIBUTING's "A new layer", followed to the end in a copy of the project, and nothing else.

The layer is LeakyReLU. Every edit below is one that the text asks for; the last test looks for the files' names there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toys import write_toy_folder

ROOT = Path(__file__).parents[2]


def behind(anchor: str, text: str) -> tuple[str, str]:
    return anchor, anchor + text


def before(anchor: str, text: str) -> tuple[str, str]:
    return anchor, text + anchor


MATHEMATICS = '''

def leaky_relu(x: FloatArray, slope: float) -> tuple[FloatArray, BoolArray]:
    """Return y = x where x > 0, else slope * x, of any shape."""
    return np.where(x > 0, x, x.dtype.type(slope) * x), x > 0


def leaky_relu_backward(dy: FloatArray, positive: BoolArray, slope: float) -> FloatArray:
    """Return dx = dy where x was positive, else slope * dy."""
    return np.where(positive, dy, dy.dtype.type(slope) * dy)
'''
LAYER = '''

@dataclass(frozen=True)
class LeakyReLU(Layer):
    """x where x > 0, else slope * x, of any shape."""

    slope: float = 0.01

    def __post_init__(self) -> None:
        require_share(self, "slope")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``leaky_relu`` node."""
        name, attributes = builder.name("leaky"), {"slope": self.slope}
        return builder.add(name, "leaky_relu", (value,), builder.shape(value), attributes=attributes)
'''
LOOPS = '''

def leaky_relu(x: Array, slope: float, dy: Array | None = None) -> tuple[Array, Array]:
    """Return y, and dx where dy is given."""
    y, dx = np.zeros(x.shape), np.zeros(x.shape)
    for at in np.ndindex(*x.shape):
        factor = 1.0 if float(x[at]) > 0 else slope
        y[at] = factor * float(x[at])
        dx[at] = 0.0 if dy is None else factor * float(dy[at])
    return y, dx
'''
LOOPS_TEST = """

@given(SIZES)
def test_leaky_relu(drawn: tuple[int, int, int, int]) -> None:
    *shape, seed = drawn
    x, dy = whole_numbers(seed, *shape, largest=1), whole_numbers(seed + 1, *shape)
    y, positive = ops.leaky_relu(x, 0.25)
    wanted, dx = loops.leaky_relu(x, 0.25, dy)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(ops.leaky_relu_backward(dy, positive, 0.25), dx)
"""
OPS_ROW = """    "leaky_relu": Op(
        lambda node, x, _p, _context: ops.leaky_relu(x[0], node.attributes["slope"]),
        lambda node, dy, saved: ((ops.leaky_relu_backward(dy, saved, node.attributes["slope"]),), {}),
    ),
"""
EXPORTS = """from .activation import leaky_relu as leaky_relu
from .activation import leaky_relu_backward as leaky_relu_backward
"""
PAGE_FORWARD = """import { pointwise } from "./op.js";

/** y = x where x > 0, else slope * x */
export const leaky_relu = pointwise(
  ({ attributes: { slope } }) => ([x], y) => {
    for (let at = 0; at < y.length; at++) y[at] = x[at] > 0 ? x[at] : slope * x[at];
  },
  { attributes: ["slope"] },
);
"""
PAGE_BACKWARD = """/** dx = dy where x was positive, else slope * dy */
export const leaky_relu = ({ attributes: { slope } }) => (dy, [dx], [x]) => {
  for (let at = 0; at < dy.length; at++) dx[at] += x[at] > 0 ? dy[at] : slope * dy[at];
};
"""
PAGE_ROW = [
    before('import { local2d } from "./local2d.js";\n', 'import { leaky_relu } from "./leaky_relu.js";\n'),
    before("  local2d,\n", "  leaky_relu,\n"),
]
CASE = '    case("leaky", LeakyReLU(0.2), of=(4, 5, 2), gives=(4, 5, 2)),\n'

PAGE = "src/convlens/lab/static/engine"

# for each file, texts and what takes their places; an empty text is the end of the file, or of a new one
EDITS: dict[str, list[tuple[str, str]]] = {
    "src/convlens/ops/activation.py": [("", MATHEMATICS)],
    "src/convlens/ops/__init__.py": [("", EXPORTS)],
    "src/convlens/engine/interpreter.py": [behind("OPS: dict[str, Op] = {\n", OPS_ROW)],
    "src/convlens/nn/layers/activation.py": [
        ("from .base import Layer", "from .base import Layer, require_share"),
        ("", LAYER),
    ],
    "src/convlens/nn/layers/__init__.py": [
        before("from .activation import ReLU", "from .activation import LeakyReLU as LeakyReLU\n"),
    ],
    "tests/layer_cases.py": [before("    LocallyConnected2D,\n", "    LeakyReLU,\n"), behind("BRANCHES = (\n", CASE)],
    "docs/format.md": [before("| `dropout` |", "| `leaky_relu` | y = x where x > 0, else `slope` · x | | |\n")],
    "tests/nn/format_reader.py": [
        before(
            '    "local2d":', '    "leaky_relu": lambda node, x: np.where(x > 0, x, node["attributes"]["slope"] * x),\n'
        ),
    ],
    f"{PAGE}/ops/leaky_relu.js": [("", PAGE_FORWARD)],
    f"{PAGE}/ops/index.js": PAGE_ROW,
    f"{PAGE}/backward/leaky_relu.js": [("", PAGE_BACKWARD)],
    f"{PAGE}/backward/index.js": PAGE_ROW,
    "tests/reference/loops.py": [("", LOOPS)],
    "tests/ops/test_others_against_loops.py": [("", LOOPS_TEST)],
}

TOML = """
[[layers]]
layer = "Conv2D"
filters = 2

[[layers]]
layer = "LeakyReLU"
slope = 0.1

[[layers]]
layer = "Flatten"

[[layers]]
layer = "Dense"
units = 3
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which somebody has followed the text."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("src", "tests", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name, edits in EDITS.items():
        text = (copy / name).read_text(encoding="utf-8") if (copy / name).exists() else ""
        for anchor, replacement in edits:
            assert not anchor or text.count(anchor) == 1, f"{name}: {anchor!r} is there {text.count(anchor)} times"
            text = text.replace(anchor, replacement) if anchor else text + replacement
        (copy / name).write_text(text, encoding="utf-8")
    return copy


def run(project: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_it_gets_every_check(project: Path) -> None:
    names = ("nn/test_layer_cases", "nn/test_layers", "nn/test_format_reader", "engine/test_program")
    pages = ("lab/test_ops_of_the_page", "lab/engine/test_forward")
    files = [f"tests/{name}.py" for name in (*names, "ops/test_others_against_loops", *pages)]
    chosen = "leaky or Leaky or test_every_layer_has_a_case or test_the_page_names or in_the_page"
    done = run(project, project, "pytest", "-vv", "-p", "no:cacheprovider", *files, "-k", chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    for check in (
        "test_gradients_by_finite_differences[leaky]",
        "test_engines_agree[leaky-numba]",
        "test_the_bits_do_not_depend_on_the_threads[leaky-numpy]",
        "test_saved_and_loaded_gives_the_same_bits[leaky]",
        "test_plain_data_and_back[LeakyReLU(slope=0.2)]",
        "test_every_layer_has_a_case",
        "test_it_computes_every_value_of_every_layer_case[leaky]",
        "test_the_page_names_every_op_and_every_key",
        "test_a_program_is_plain_data_and_comes_back_equal[leaky]",
        "test_leaky_relu",
        "test_every_op_runs_in_the_page[backward]",
        *(["test_every_layer_case_in_the_page"] if shutil.which("chromium") else []),
    ):
        assert f"::{check} PASSED" in done.stdout, f"{check}\n{done.stdout}"


def test_it_reaches_the_command_line(project: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TOML, encoding="utf-8")
    write_toy_folder(tmp_path / "bars", train=150)
    summary = run(project, tmp_path, "convlens", "summary", "mine.toml")
    assert summary.returncode == 0, summary.stderr
    assert re.search(r"leaky1 +leaky_relu +28x28x2", summary.stdout), summary.stdout
    words = ("--data", "bars", "--train-images", "100", "--epochs", "1", "--out", "mine.safetensors")
    trained = run(project, tmp_path, "convlens", "train", "mine.toml", *words)
    assert trained.returncode == 0, trained.stderr
    again = run(project, tmp_path, "convlens", "summary", "mine.safetensors")
    assert re.search(r"leaky1 +leaky_relu +8x8x2", again.stdout), again.stderr


def test_a_wrong_setting_is_one_line(project: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TOML.replace("slope", "slop"), encoding="utf-8")
    done = run(project, tmp_path, "convlens", "summary", "mine.toml")
    assert done.returncode == 2
    assert "layer 2: LeakyReLU: unknown key 'slop'; did you mean 'slope'?" in done.stderr.replace("\n", " ")


def test_the_text_names_every_file_that_was_touched() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## A new layer\n")[1].split("\n## ")[0]
    named = set(re.findall(r"`([\w./]+)`", section))
    for name in EDITS:
        assert name in named or f"{Path(name).parent}/" in named, f"{name} is not in the text"
