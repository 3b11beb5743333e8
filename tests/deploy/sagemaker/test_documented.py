"""docs/sagemaker.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from convlens.deploy.sagemaker.permissions import NEEDS, Need

DOCUMENT = Path(__file__).parents[3] / "docs" / "sagemaker.md"
NAMES = {
    "any": "`*`",
    "bucket": "the bucket",
    "caller": "the caller",
    "config": "the configuration",
    "endpoint": "the endpoint",
    "log_contents": "all in it",
    "log_group": "the endpoint's log",
    "log_stream": "the endpoint's log",
    "model": "the model",
    "object": "the archive",
    "repository": "the image's repository",
    "role": "the role",
}


def row(need: Need) -> str:
    on = ", ".join(NAMES[one] for one in need.resources)
    return f"| `{need.action}` | {on} | {need.who} | {need.why} | {need.without or '–'} |"


def test_the_table_of_permissions_is_the_one_that_is_used() -> None:
    found = re.findall(r"^\| `[\w-]+:\w+` \|.*\|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert found == [row(need) for need in NEEDS]
