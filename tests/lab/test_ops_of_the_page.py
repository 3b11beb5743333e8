"""The page's engine has a file for every op, forwards and backwards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convlens import lab
from convlens.engine.interpreter import OPS

ENGINE = Path(lab.__file__).parent / "static" / "engine"


@pytest.mark.parametrize("folder", ["ops", "backward"])
def test_every_op_runs_in_the_page(folder: str) -> None:
    text = (ENGINE / folder / "index.js").read_text(encoding="utf-8")
    (table,) = re.findall(r"Object\.freeze\(\{(.*?)\}\)", text, re.S)
    assert set(re.findall(r"\w+", table)) == set(OPS)
    for op in OPS:
        source = (ENGINE / folder / f"{op}.js").read_text(encoding="utf-8")
        assert re.search(rf"export (const {op} =|\{{ \w+ as {op} \}})", source), op
