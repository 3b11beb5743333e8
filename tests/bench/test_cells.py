"""The cells, and how they are chosen by name."""

from __future__ import annotations

import pytest

from convlens.bench.cells import MAIN, MEMORY, RACE, Cell, cells, chosen
from convlens.bench.peers import PEERS, YARDSTICKS
from convlens.errors import ConfigurationError


def test_every_batch_meets_every_kernel() -> None:
    found = {(c.batch, c.kernel_size) for c in cells(2) if c.network == "cnn" and c.threads == 2}
    assert found == {(batch, kernel) for batch in (1, 32, 128, 512) for kernel in (3, 5, 7)}
    assert {c.threads for c in cells(2)} == {1, 2}
    assert all(set(c.peers) <= {*PEERS, *YARDSTICKS} for c in cells(2))


def test_nothing_asked_for_is_everything() -> None:
    found, others = chosen((), 2)
    assert found == cells(2)
    assert others == [MEMORY, RACE]


def test_names_and_patterns() -> None:
    found, others = chosen(("cnn-5x5-*", MEMORY), 2)
    assert [c.name for c in found] == [f"cnn-5x5-batch{n}" for n in (1, 32, 128, 512)]
    assert others == [MEMORY]
    assert [c.name for c in chosen((MAIN,), 2)[0]] == [MAIN]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'deep-batch128'"):
        chosen(("deep-batch12",), 2)


def test_a_cell_travels_as_plain_data() -> None:
    assert all(Cell.from_dict(c.to_dict()) == c for c in cells(1))
