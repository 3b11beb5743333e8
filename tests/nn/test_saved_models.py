"""Files that earlier versions of convlens have written, kept as they are: they load, and answer what they answered.

Where `test_this_version_writes_the_same` fails, another Program is saved for the same layers: raise
`artifact.FORMAT_VERSION`, write a file of the new format with `saved/write.py`, and keep those that are there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convlens import artifact, nn
from convlens.engine import ENGINES
from tests.nn.saved import write

FOLDER = Path(__file__).parent / "saved"
FILES = sorted(FOLDER.glob("*.safetensors"))
CLOSE = 1e-5


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_loads_and_answers_as_ever(path: Path, name: str) -> None:
    model = nn.load(path)
    wanted = np.array(model.training["logits"])
    got = model.use(name, 1).logits(write.images())
    assert np.abs(got - wanted).max() <= CLOSE * np.abs(wanted).max()
    assert model.class_names[2] == "déjà vu"


def test_this_version_writes_the_same(tmp_path: Path) -> None:
    kept = artifact.read(FOLDER / f"format{artifact.FORMAT_VERSION}.safetensors", "model").header
    write.write(tmp_path / "m.safetensors")
    now = artifact.read(tmp_path / "m.safetensors", "model").header
    for key in ("program", "layers", "preprocessing", "format_version"):
        assert now[key] == kept[key], key
