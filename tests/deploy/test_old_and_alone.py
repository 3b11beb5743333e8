"""The inference module on old Pythons, without convlens, without a network.

`CONVLENS_OLD_PYTHON` names a Python 3.8 to run it with, in an environment made with: pip install numpy==1.24.4
"flask<2.1" "werkzeug<2.1" "jinja2<3.1" "markupsafe<2.1" "itsdangerous<2.1"
"protobuf<3.20" six retrying psutil inotify_simple scipy boto3 paramiko, and
pip install --no-deps sagemaker-containers==2.8.6.post2.
Without it, syntax and names are compared with what Python 3.8 and NumPy 1.24 have.
"""

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
    toolkits = {"sagemaker_inference", "sagemaker_containers"}  # where they are there
    assert imports - toolkits == {
        "__future__", "ast", "hashlib", "io", "json", "math", "pathlib", "re", "struct", "typing", "zlib", "numpy",
    }  # fmt: skip


def test_numpy_1_24_has_all_that_it_uses() -> None:
    used = {dotted(node) for node in ast.walk(ast.parse(SOURCE)) if isinstance(node, ast.Attribute)}
    names = {name for name in used if name.startswith("np.")} - {"np.lib", "np.lib.stride_tricks"}
    assert "np.lib.stride_tricks.sliding_window_view" in names
    assert sorted(names - KNOWN) == []
    assert {"np.isdtype", "np.vecdot", "np.bool"} & KNOWN == set()  # of NumPy 2


def process(python: str, program: str, folder: Path, images: np.ndarray, *options: str) -> list[str]:
    """Return the lines that a program prints, given the unpacked archive and images, in a process of its own."""
    images_file = folder.parent / "images.npy"
    np.save(images_file, images)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [python, *options, "-c", program, str(folder)]
    with images_file.open("rb") as stream:
        found = subprocess.run(command, stdin=stream, capture_output=True, env=environment, check=False)
    assert found.returncode == 0, found.stderr.decode()
    return found.stdout.decode().splitlines()


def run(python: str, folder: Path, images: np.ndarray) -> np.ndarray:
    """Return the probabilities that the archive's module gives in an isolated process, where warnings are errors."""
    [line] = process(python, ALONE, folder, images, "-I", "-W", "error")
    return np.array([list(one["probabilities"].values()) for one in json.loads(line)["predictions"]])


def test_it_runs_alone_and_without_a_network(unpacked: Path, digits: Model) -> None:
    images = data.load("mnist").test.images[:5]
    found = run(sys.executable, unpacked, images)
    np.testing.assert_allclose(found, digits.predict_proba(images), atol=2e-6)


@pytest.mark.skipif("CONVLENS_OLD_PYTHON" not in os.environ, reason="names no Python 3.8 with NumPy 1.24")
def test_it_runs_on_python_3_8_with_numpy_1_24(unpacked: Path, digits: Model) -> None:
    images = data.load("mnist").test.images[:5]
    found = run(os.environ["CONVLENS_OLD_PYTHON"], unpacked, images)
    np.testing.assert_allclose(found, digits.predict_proba(images), atol=2e-6)


FLASK = """
import sys
sys.path.insert(0, sys.argv[1] + "/code")
import inference
from sagemaker_containers import _env
from sagemaker_containers.beta.framework import transformer, worker
_env.model_dir = sys.argv[1]
functions = {name: getattr(inference, name) for name in ("model_fn", "input_fn", "predict_fn", "output_fn")}
one = transformer.Transformer(**functions)
one.initialize()
client = worker.Worker(transform_fn=one.transform, module_name="inference").test_client()
for body, kind in ((sys.stdin.buffer.read(), "application/x-npy"), (b"[NaN]", "application/json"), (b"", "text/html")):
    reply = client.post("/invocations", data=body, content_type=kind, headers={"Accept": "application/json"})
    print(reply.status_code, reply.content_type, reply.get_data(as_text=True))
"""


@pytest.mark.skipif("CONVLENS_OLD_PYTHON" not in os.environ, reason="names no Python 3.8 with sagemaker-containers")
def test_it_answers_under_the_toolkit_of_the_scikit_learn_images(unpacked: Path, digits: Model) -> None:
    images = data.load("mnist").test.images[:2]
    good, *bad = (line.split(" ", 2) for line in process(os.environ["CONVLENS_OLD_PYTHON"], FLASK, unpacked, images))
    found = [list(one["probabilities"].values()) for one in json.loads(good[2])["predictions"]]
    np.testing.assert_allclose(found, digits.predict_proba(images), atol=2e-6)
    assert [(status, kind) for status, kind, _ in bad] == [("400", "application/json"), ("415", "application/json")]
    assert ["error" in json.loads(body) for _, _, body in bad] == [True, True]
