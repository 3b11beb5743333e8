"""docs/a-layers-life.md quotes the sources: every quoted piece still stands in the file that it names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from convlens import nn

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "a-layers-life.md").read_text(encoding="utf-8")
QUOTES = re.findall(r"^`([^`\n]+)`\n\n```py\n(.*?)```$", PAGE, re.M | re.S)


@pytest.mark.parametrize(("path", "quote"), QUOTES, ids=[path for path, _ in QUOTES])
def test_what_is_quoted_stands_in_the_file(path: str, quote: str) -> None:
    assert quote in (ROOT / path).read_text(encoding="utf-8"), f"{path} has changed; quote it anew"


def test_every_piece_of_code_is_quoted_from_a_file() -> None:
    assert len(QUOTES) == PAGE.count("```py\n") > 10


def test_the_node_in_the_file_is_what_is_saved() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    model = nn.Model([nn.Conv2D(16), nn.Tanh(), nn.GlobalAveragePool2D()], (28, 28, 1))
    assert json.loads(shown) == model.program.nodes[1].to_dict()
