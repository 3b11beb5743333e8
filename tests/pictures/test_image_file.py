from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.errors import ConfigurationError, DataError, ShapeError
from convlens.pictures import image_file as image_module
from convlens.pictures import read_image

SHAPE = (6, 5, 1)
GREY = np.arange(30, dtype=np.uint8).reshape(6, 5) * 8


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def claimed(width: int, height: int) -> bytes:
    """Make a PNG whose header claims a size and whose pixels are missing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "PPM"])
def test_grey_from_bytes_and_from_a_file(tmp_path: Path, kind: str) -> None:
    content = encoded(Image.fromarray(GREY), kind)
    path = tmp_path / "image"
    path.write_bytes(content)
    for source in (content, path, str(path)):
        pixels = read_image(source, SHAPE)
        assert (pixels.dtype, pixels.shape) == (np.uint8, SHAPE)
        np.testing.assert_array_equal(pixels[..., 0], GREY)


def test_grey_and_colour_are_converted() -> None:
    colour = np.zeros((6, 5, 3), dtype=np.uint8)
    colour[..., 0] = 100
    assert read_image(encoded(Image.fromarray(colour)), (6, 5, 3))[0, 0].tolist() == [100, 0, 0]
    assert read_image(encoded(Image.fromarray(colour)), SHAPE)[0, 0, 0] == 30  # red weighs 0.299
    assert read_image(encoded(Image.fromarray(GREY)), (6, 5, 3))[5, 4].tolist() == [232, 232, 232]
    assert read_image(encoded(Image.fromarray(colour).convert("P")), SHAPE).shape == SHAPE
    assert read_image(encoded(Image.fromarray(colour).convert("CMYK"), "JPEG"), SHAPE).shape == SHAPE
    assert set(np.unique(read_image(encoded(Image.fromarray(GREY).convert("1")), SHAPE))) <= {0, 255}


def test_transparency_lies_on_white() -> None:
    see_through = Image.new("RGBA", (5, 6), (0, 0, 0, 0))
    assert np.unique(read_image(encoded(see_through), SHAPE)).tolist() == [255]
    assert np.unique(read_image(encoded(Image.new("LA", (5, 6), (0, 0))), (6, 5, 3))).tolist() == [255]


def test_sixteen_bits_keep_the_upper_eight() -> None:
    deep = Image.fromarray(GREY.astype(np.uint16) * 256 + 7)
    np.testing.assert_array_equal(read_image(encoded(deep), SHAPE)[..., 0], GREY)


@pytest.mark.parametrize("size", [(6, 5), (28, 28), (1, 1)])
def test_another_size_is_refused(size: tuple[int, int]) -> None:
    said = rf"is {size[0]} x {size[1]} pixels \(width x height\), expected 5 x 6 .*resize it first"
    with pytest.raises(ShapeError, match=said):
        read_image(encoded(Image.new("L", size)), SHAPE)


def test_other_channels_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="gives 1 or 3 channels, the model takes 2"):
        read_image(encoded(Image.fromarray(GREY)), (6, 5, 2))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"hello", "is not an image; expected PNG, JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is not an image"),  # a format nobody needs here
        (encoded(Image.fromarray(GREY))[:-25], "is damaged"),
        (encoded(Image.new("L", (5, 6)), "JPEG")[:-30], "is damaged"),
        (claimed(5, 6), "is damaged"),
        (claimed(5_000, 5_000), "claims 5,000 x 5,000 pixels .*, more than the 16,777,216 pixels allowed"),
        (claimed(12_000, 10_000), "refused as a decompression bomb"),  # Pillow only warns of this one
        (claimed(60_000, 60_000), "refused as a decompression bomb"),
    ],
    ids=[
        "empty",
        "text",
        "postscript",
        "cut PNG",
        "cut JPEG",
        "no pixels",
        "large",
        "bomb warned of",
        "bomb",
    ],
)
def test_bad_bytes(content: bytes, said: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside of tests, where a warning is no error
        with pytest.raises(DataError, match=rf"the image \({len(content):,} bytes\): .*{said}") as caught:
            read_image(content, SHAPE)
    assert "\n" not in str(caught.value)


def test_every_cut_and_every_flipped_byte_is_read_or_refused() -> None:
    whole = encoded(Image.fromarray(GREY))
    for position in range(len(whole)):
        flipped = whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
        for content in (whole[:position], flipped):
            try:
                assert read_image(content, SHAPE).shape == SHAPE
            except (DataError, ShapeError):
                continue


def test_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"no\.png: cannot be read \(No such file"):
        read_image(tmp_path / "no.png", SHAPE)
    with pytest.raises(DataError, match="cannot be read"):
        read_image(tmp_path, SHAPE)
    path = tmp_path / "large.png"
    path.write_bytes(encoded(Image.fromarray(GREY)))
    monkeypatch.setattr(image_module, "LARGEST_FILE", 10)
    with pytest.raises(DataError, match=r"large\.png: is larger than 10 bytes"):
        read_image(path, SHAPE)


def test_threads_leave_the_warning_filters_alone() -> None:
    before = list(warnings.filters)
    content = encoded(Image.fromarray(GREY))
    threads = [threading.Thread(target=lambda: [read_image(content, SHAPE) for _ in range(30)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before
