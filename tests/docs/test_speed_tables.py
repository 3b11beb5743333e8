"""README and docs quote only the committed run of the benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlens.bench.documents import PLACE, renewed
from convlens.bench.run import FILE, read

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "speed.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_quote_the_committed_result(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert PLACE.search(text)
    assert renewed(text, read(ROOT / "benchmarks" / "results" / FILE)) == text, (
        "run: python -m convlens.bench.documents benchmarks/results/speed.json README.md docs/speed.md"
    )
