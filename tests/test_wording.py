"""The examples in the docstrings are true."""

import doctest

from convlens import wording


def test_examples() -> None:
    results = doctest.testmod(wording)
    assert results.attempted >= 6
    assert not results.failed
