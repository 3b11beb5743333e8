"""The inference module on old Pythons, without convlens, without a network."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convlens import data
from convlens.deploy.sagemaker import inference
from convlens.nn import Model

SOURCE = Path(inference.__file__).read_text()
KNOWN = {
    f"{part}.{name}"
    for line in Path(__file__).with_name("numpy_1_24.txt").read_text().splitlines()
    for part, *names in [line.split()]
    for name in names
}
ALONE = """
import socket, sys
def refuse(*given, **named):
    raise AssertionError("the network is asked for")
for name in ("socket", "create_connection", "getaddrinfo"):
    setattr(socket, name, refuse)
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
found = inference.predict_fn(inference.input_fn(sys.stdin.buffer.read(), "application/x-npy"), model)
assert not [name for name in sys.modules if name.partition(".")[0] in ("convlens", "scipy", "PIL", "safetensors")]
print(inference.output_fn(found, "application/json")[0])
"""


def test_its_syntax_is_that_of_python_3_8() -> None:
    ast.parse(SOURCE, feature_version=(3, 8))
    with pytest.raises(SyntaxError):  # the check can fail
        ast.parse(f"{SOURCE}\nmatch 1:\n    case 1: pass\n", feature_version=(3, 8))


def dotted(node: ast.expr) -> str:
    """Return an expression such as ``np.lib.stride_tricks`` as text; empty if it is no name."""
    if isinstance(node, ast.Name):
        return node.id
    inner = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""


def test_it_imports_nothing_but_numpy_and_the_standard_library_of_python_3_8() -> None:
    imports = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    toolkit = {"sagemaker_inference"}  # where it is there
    assert imports - toolkit == {
        "__future__", "ast", "hashlib", "io", "json", "math", "pathlib", "re", "struct", "typing", "zlib", "numpy",
    }  # fmt: skip


def test_numpy_1_24_has_all_that_it_uses() -> None:
    used = {dotted(node) for node in ast.walk(ast.parse(SOURCE)) if isinstance(node, ast.Attribute)}
    names = {name for name in used if name.startswith("np.")} - {"np.lib", "np.lib.stride_tricks"}
    assert "np.lib.stride_tricks.sliding_window_view" in names
    assert sorted(names - KNOWN) == []
    assert {"np.isdtype", "np.vecdot", "np.bool"} & KNOWN == set()  # of NumPy 2


def run(python: str, folder: Path, images: np.ndarray, *options: str) -> np.ndarray:
    """Return the probabilities that the archive's module gives in a process of its own."""
    images_file = folder.parent / "images.npy"
    np.save(images_file, images)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with images_file.open("rb") as stream:
        found = subprocess.run(
            [python, *options, "-c", ALONE, str(folder)],
            stdin=stream,
            capture_output=True,
            env=environment,
            check=False,
        )
    assert found.returncode == 0, found.stderr.decode()
    return np.array([list(one["probabilities"].values()) for one in json.loads(found.stdout)["predictions"]])


def test_it_runs_alone_and_without_a_network(unpacked: Path, digits: Model) -> None:
    images = data.load("mnist").test.images[:5]
    found = run(sys.executable, unpacked, images, "-I", "-W", "error")
    np.testing.assert_allclose(found, digits.predict_proba(images), atol=2e-6)


@pytest.mark.skipif("CONVLENS_OLD_PYTHON" not in os.environ, reason="names no Python 3.8 with NumPy 1.24")
def test_it_runs_on_python_3_8_with_numpy_1_24(unpacked: Path, digits: Model) -> None:
    """`CONVLENS_OLD_PYTHON` is the path of one; the test above is what can be known without it."""
    images = data.load("mnist").test.images[:5]
    found = run(os.environ["CONVLENS_OLD_PYTHON"], unpacked, images, "-I", "-W", "error")
    np.testing.assert_allclose(found, digits.predict_proba(images), atol=2e-6)
