"""Names in figures: never typeset as mathematics, and without characters that text cannot show."""

from __future__ import annotations

import pytest

from convlens.figures import Look, png
from convlens.figures.style import shortened


@pytest.mark.parametrize("name", ["$x$", "a_b^c", "$x_{", r"$\frac{", "5$ to 7$", "\x1b[31m\udcff\u202e猫"])
def test_a_name_is_drawn_as_it_is(name: str) -> None:
    look = Look()
    with look.applied():
        figure = look.figure(2)
        axes = figure.subplots()
        axes.set_title(shortened(name, 40))
        axes.set_yticks([0, 1], [shortened(name, 40), "b"])
        axes.plot([0, 1], label=shortened(name, 40))
        axes.legend()
    assert len(png(figure)) > 1000
    assert not axes.title.get_parse_math()
    assert shortened(name, 40).isprintable()
