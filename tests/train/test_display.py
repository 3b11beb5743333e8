"""How Python and notebooks show a model, a data set, a summary and a run: short, and escaped."""

from __future__ import annotations

import dataclasses
import doctest
from html.parser import HTMLParser

from convlens import markup, nn
from convlens.data import Dataset
from convlens.optim import SGD, Constant
from convlens.train import Recipe, fit


class Checker(HTMLParser):
    """Checks that tags are closed in order, and collects the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag in ("table", "caption", "tr", "th", "td")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_short_and_escaped(toy: Dataset) -> None:
    nasty = dataclasses.replace(toy, name="<script>&")
    model = nn.Model([nn.Flatten(), nn.Dense(3)], toy.input_shape, 1)
    run = fit(model, nasty, Recipe("<b>", SGD(), Constant(0.01), epochs=1, batch_size=48))
    for thing in (nasty, model, model.summary(), run):
        assert len(repr(thing)) <= 120
        html = thing._repr_html_()
        assert "color" not in html
        Checker(html)
    assert "<script>&" in "".join(Checker(nasty._repr_html_()).text)
    assert repr(model) == "<Model: 2 layers, 8x8x1 to 3 classes, 195 parameters>"
    assert repr(model.summary()) == "<Summary: 2 layers, 195 parameters, 384 FLOPs>"
    assert "validation accuracy" in repr(run)
    assert "195" in Checker(model._repr_html_()).text


def test_examples_of_markup() -> None:
    assert doctest.testmod(markup).failed == 0
