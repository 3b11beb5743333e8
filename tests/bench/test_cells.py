"""The cells, and how they are chosen by name."""

from __future__ import annotations

import pytest

from convlens.bench.cells import GEMM, MAIN, MEMORY, RACE, RUNTIMES, Cell, cells, chosen
from convlens.bench.peers import PEERS, YARDSTICKS, work, works_of
from convlens.errors import ConfigurationError


def test_one_image_and_a_batch_of_128_meet_every_kernel() -> None:
    found = {(c.batch, c.kernel_size) for c in cells(2) if c.network == "cnn" and c.threads == 2}
    assert found >= {(batch, kernel) for batch in (1, 128) for kernel in (3, 5, 7)}
    assert found >= {(batch, 3) for batch in (128, 512)}
    assert {c.threads for c in cells(2)} == {1, 2}
    assert all(set(c.peers) <= {*PEERS, *YARDSTICKS} for c in cells(2))


def test_nothing_asked_for_is_everything() -> None:
    found, others = chosen((), 2)
    assert found == cells(2)
    assert others == [MEMORY, RACE]


def test_names_and_patterns() -> None:
    found, others = chosen(("cnn-3x3-batch???", MEMORY), 2)
    assert [c.name for c in found] == ["cnn-3x3-batch128", "cnn-3x3-batch512"]
    assert others == [MEMORY]
    assert [c.name for c in chosen((MAIN,), 2)[0]] == [MAIN]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'deep-batch128'"):
        chosen(("deep-batch12",), 2)


def test_lenet_is_that_of_the_published_comparison() -> None:
    found = {c.threads: work.model(c) for c in cells(2) if c.network == "lenet"}
    assert set(found) == {1, 2}
    for model in found.values():
        assert model.program.parameter_count == 44_426
        assert [node.output_shape for node in model.program.nodes if node.op == "conv2d"] == [(24, 24, 6), (8, 8, 16)]


def test_every_network_meets_the_runtimes() -> None:
    assert all(set(c.peers) > {*RUNTIMES, GEMM} for c in cells(2))
    assert [works_of(name) for name in RUNTIMES] == [("predict",)] * 2


def test_a_cell_travels_as_plain_data() -> None:
    assert all(Cell.from_dict(c.to_dict()) == c for c in cells(1))
