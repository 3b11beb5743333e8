"""Figures in a notebook: a picture shows itself, and an image can be dragged."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from convlens import models
from convlens.errors import ConfigurationError, ShapeError
from convlens.figures import Look, Picture
from convlens.figures.drag import draggable

IMAGE = np.zeros((28, 28, 1), np.uint8)
IMAGE[10:16, 12:18] = 200


def test_a_picture_shows_itself_with_caption_and_words_for_who_cannot_see_it() -> None:
    def drawn(look: Look) -> object:
        figure = look.figure(2.0)
        figure.add_subplot().plot([0, 1])
        return figure

    picture = Picture("one", "A <line>", "It rises & rises.", 'a "line"', drawn)  # type: ignore[arg-type]
    assert repr(picture) == "<Picture one: A <line>>"  # without the address of `drawn`
    html = picture._repr_html_()
    assert "<b>A &lt;line&gt;.</b> It rises &amp; rises." in html
    assert 'alt="a &quot;line&quot;"' in html
    found = re.search(r"base64,([^\"]+)", html)
    assert found is not None
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as image:
        assert 700 < image.width < 1000
    nothing = Picture("none", "Nothing", "Not measured yet.")._repr_html_()
    assert "Not measured yet." in nothing
    assert "<img" not in nothing


def test_a_draggable_image_knows_every_answer() -> None:
    networks = {"CNN": models.build("cnn", filters=(2, 3), hidden=8), "dense": models.build("baseline", hidden=(8,))}
    html = draggable(IMAGE, networks, reach=2)._repr_html_()
    data = json.loads(re.search(r"const data = (\{.*?\}), \[height", html)[1])  # type: ignore[index]
    assert base64.b64decode(data["pixels"]) == IMAGE.tobytes()
    assert data["reach"] == 2
    for name, model in networks.items():
        shares = np.frombuffer(base64.b64decode(data["networks"][name]), np.uint8).reshape(5, 5, 10)
        for down, right in ((-2, 1), (0, 0), (2, 2)):
            moved = np.roll(IMAGE, (down, right), axis=(0, 1))  # no ink reaches the edge
            expected = model.predict_proba(moved[None])[0]
            assert np.allclose(shares[2 + down, 2 + right] / 255, expected, atol=0.003)


def test_no_name_ends_the_script() -> None:
    html = draggable(IMAGE, {"</script><b>": models.build("baseline", hidden=(4,))}, reach=1)._repr_html_()
    assert html.count("</script>") == 1
    assert "<b>" not in html


@pytest.mark.parametrize("image", [IMAGE.astype(np.float32), IMAGE[..., 0], np.zeros((28, 28, 3), np.uint8)])
def test_only_grey_pixels_can_be_dragged(image: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="grey pixels"):
        draggable(image, {"dense": models.build("baseline", hidden=(4,))})


def test_without_networks_there_is_nothing_to_say() -> None:
    with pytest.raises(ConfigurationError, match="one or more networks"):
        draggable(IMAGE, {})
