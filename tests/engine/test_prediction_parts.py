"""How a batch is split for prediction."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from convlens import models
from convlens.engine import prediction
from convlens.engine.passes import Pass


@pytest.mark.parametrize("images", [33, 128, 130, 512])
def test_two_threads_predict_as_many_parts_each(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    of_thread: Counter[int] = Counter()
    rows: list[slice] = []

    def noted(*arguments: object, **options: object) -> Pass:
        of_thread[id(arguments[2])] += 1
        rows.append(options["rows"])  # type: ignore[arg-type]
        return Pass(*arguments, **options)  # type: ignore[arg-type]

    model = models.build("cnn").use("numpy", 2)
    monkeypatch.setattr(prediction, "Pass", noted)
    model.engine.logits(np.zeros((images, 28, 28, 1), np.float32))
    assert len(of_thread) == 2
    assert len(set(of_thread.values())) == 1, of_thread
    assert sorted(i for part in rows for i in range(part.start, part.stop)) == list(range(images))
