"""Pictures that are dropped on the page, or opened: they become the drawing, as `convlens predict` would read them."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from convlens.lab.shipped import read_digits
from convlens.pictures import prepare_digit

from .page import drawn, drop, opened, paste, settle, show_digit, wait_for_answers
from .serving import running

pytestmark = pytest.mark.slow


def seven(ink: int, paper: int, *, light: float = 0.0) -> Image.Image:
    """Return a 7, off its centre; `light` is by how much the paper darkens from left to right."""
    image = Image.new("L", (300, 400), 255)
    pen = ImageDraw.Draw(image)
    pen.line([(60, 60), (180, 60), (100, 260)], fill=0, width=20, joint="curve")
    share = np.asarray(image, float) / 255  # 1 on paper
    fall = 1 - light * np.linspace(0, 1, 300)
    return Image.fromarray(np.rint((share * paper + (1 - share) * ink) * fall).astype(np.uint8))


def transparent(tone: int) -> Image.Image:
    grey = seven(0, 255)
    image = Image.new("LA", grey.size, (tone, 0))
    image.putalpha(Image.eval(grey, lambda value: 255 - value))
    return image.convert("RGBA")


def noisy() -> Image.Image:
    values = np.asarray(seven(60, 200, light=0.3), float) + np.random.default_rng(0).normal(0, 6, (400, 300))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def content(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned() -> bytes:
    """Return a 7 that a camera stored lying, and says so."""
    image = seven(20, 240).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    return content(image, "JPEG", exif=exif, quality=95)


PICTURES = {
    "dark.png": content(seven(20, 240)),
    "light.png": content(seven(230, 10)),
    "grey.png": content(seven(90, 140)),
    "uneven.png": content(seven(40, 230, light=0.6)),
    "uneven-light.png": content(seven(250, 90, light=0.6)),
    "photo.jpg": content(noisy(), "JPEG", quality=80),
    "turned.jpg": turned(),
    "clear-dark.png": content(transparent(0)),
    "clear-light.png": content(transparent(255)),
    "colours.png": content(Image.merge("RGB", [seven(200, 240), seven(30, 230), seven(40, 120)])),
}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with running() as (_, address, _), opened(browser, address) as page:
        wait_for_answers(page)
        yield page


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_becomes_the_drawing_as_predict_reads_it(page: Page, name: str) -> None:
    settle(page, shift=[5, 0], turn=30)
    drop(page, name, PICTURES[name])
    page.locator(".notice", has_text=f"{name} is the drawing now").wait_for()
    expected, account = prepare_digit(PICTURES[name], (28, 28, 1))
    apart = np.abs(np.array(drawn(page)) - expected.ravel().astype(int))
    assert apart.mean() < 4, f"{apart.mean():.1f}, at most {apart.max()}"
    assert page.locator(".reads strong").all_text_contents() == ["7", "7"]
    dark = "inverted (dark ink on light paper)"
    assert (dark in account.done) == (dark in page.locator(".notice").inner_text().lower())


def test_a_digit_of_mnist_is_taken_as_it_is(page: Page) -> None:
    image = read_digits().images[3, :, :, 0]
    drop(page, "digit.png", content(Image.fromarray(image)))
    page.locator(".notice", has_text="like the training digits already").wait_for()
    assert drawn(page) == image.ravel().tolist()


@pytest.mark.parametrize(
    ("name", "kind", "called"),
    [("image.png", "image/png", "The pasted picture"), ("dark.png", "", "dark.png")],
)
def test_a_picture_can_be_pasted(page: Page, name: str, kind: str, called: str) -> None:
    settle(page, shift=[5, 0])
    paste(page, name, kind, PICTURES["dark.png"])
    page.locator(".notice", has_text="is the drawing now").wait_for()
    page.locator(".notice", has_text=called).wait_for()
    expected, _ = prepare_digit(PICTURES["dark.png"], (28, 28, 1))
    assert np.abs(np.array(drawn(page)) - expected.ravel().astype(int)).mean() < 4
    page.get_by_role("button", name="Close").click()


def test_what_is_done_to_colours_is_said(page: Page) -> None:
    for name, coloured in (("colours.png", True), ("photo.jpg", False), ("dark.png", False)):
        drop(page, name, PICTURES[name])
        page.locator(".notice", has_text=f"{name} is the drawing now").wait_for()
        assert ("turned to grey (it is in colour)" in page.locator(".notice").inner_text().lower()) == coloured


def test_a_picture_of_something_else_is_doubted(page: Page) -> None:
    scene = Image.new("RGB", (400, 300), (90, 160, 230))
    pen = ImageDraw.Draw(scene)
    pen.rectangle((0, 200, 400, 300), fill=(60, 140, 50))
    pen.polygon([(60, 200), (150, 90), (240, 200)], fill=(120, 80, 60))
    drop(page, "scene.png", content(scene))
    page.locator(".notice", has_text="If it shows something else than one digit, Undo brings back").wait_for()


def test_undo_brings_back_what_was_there_with_its_shift(page: Page) -> None:
    show_digit(page, read_digits().images[0].ravel(), (3, -2))
    settle(page, turn=10)
    before = drawn(page)
    drop(page, "dark.png", PICTURES["dark.png"])
    page.locator(".notice", has_text="dark.png").wait_for()
    page.get_by_role("button", name="Undo").click()
    assert drawn(page) == before
    page.get_by_role("button", name="Clear").click()
    assert not any(drawn(page))
    page.get_by_role("button", name="Undo").click()
    assert drawn(page) == before


@pytest.mark.parametrize(
    ("name", "file", "words"),
    [
        ("empty.png", content(Image.new("L", (200, 100), 240)), "no ink stands out"),
        ("none.jpg", b"", "cannot be read as a picture; save it as PNG or JPEG"),
        ("damaged.png", content(seven(0, 255))[:60], "cannot be read as a picture"),
    ],
)
def test_a_picture_that_cannot_be_read_is_refused_and_nothing_is_lost(
    page: Page, name: str, file: bytes, words: str
) -> None:
    before = drawn(page)
    drop(page, name, file)
    page.get_by_role("alert").filter(has_text=f"{name}").filter(has_text=words).wait_for()
    assert drawn(page) == before
    page.get_by_role("button", name="Close").click()


def test_a_picture_can_be_opened_from_the_other_room_too(page: Page) -> None:
    page.get_by_role("link", name="Inside").click()
    page.locator(".layer").first.wait_for()
    page.locator("input[type=file]").set_input_files(
        {"name": "dark.png", "mimeType": "image/png", "buffer": PICTURES["dark.png"]}
    )
    page.locator(".notice", has_text="dark.png is the drawing now").wait_for()
    page.locator(".answer strong", has_text="7").wait_for()
