"""Which formats of pictures are read, and the names of those that are not."""

from __future__ import annotations

from pathlib import Path

DECODERS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM", "TIFF")
"""Formats that are read, by Pillow's names. Common ones only: every decoder adds attack surface."""

_READ = ("png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib", "ppm", "pgm", "pbm", "pnm", "pfm", "tif")
_RAW = ("3fr", "arw", "cr2", "cr3", "dng", "erf", "kdc", "mrw", "nef", "nrw", "orf", "pef", "raf", "rw2", "sr2", "srw")
_OTHERS = ("avif", "heic", "heif", "svg", "pdf", "psd", "jp2", "j2k", "jxl", "eps", "ico", "exr", "hdr", "dcm", "tga")
PICTURE_SUFFIXES = frozenset(f".{suffix}" for suffix in (*_READ, "tiff", *_RAW, *_OTHERS))
"""How the names of pictures end, in lower case, whether their format is read or not."""

_STARTS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"8BPS", "a Photoshop document"),
    (b"gimp xcf", "a GIMP document"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (b"#?RADIANCE", "a Radiance HDR image"),
    (b"PF\n", "a PFM image in colour"),
    (b"SIMPLE  =", "a FITS image"),
    (b"DDS ", "a DDS texture"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"RIFF", "a film or a sound"),
    (b"\x1a\x45\xdf\xa3", "a film"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
)
_BRANDS = {  # of files made of boxes: the four letters after "ftyp"
    b"avif": "an AVIF image",
    b"avis": "an AVIF image",
    b"heic": "a HEIC image",
    b"heix": "a HEIC image",
    b"hevc": "a HEIC image",
    b"heim": "a HEIC image",
    b"heis": "a HEIC image",
    b"mif1": "a HEIF image",
    b"msf1": "a HEIF image",
    b"crx ": "a camera's raw file (CR3)",
}
START = 512  # bytes of a file that `named` looks at


def named(start: bytes, name: str = "") -> str | None:
    """Return what a file is that is no picture of a format that is read: ``"a HEIC image"``; None if unknown.

    Parameters
    ----------
    start
        The file's first `START` bytes, or all of a shorter one.
    name
        Its name, if it has one.
    """
    raw = camera_raw(name)
    if raw is not None:
        return raw
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12], "a film")
    if start[128:132] == b"DICM":
        return "a DICOM image"
    for beginning, what in _STARTS:
        if start.startswith(beginning):
            return what
    return _text(start)


def camera_raw(name: str) -> str | None:
    """Return what a camera's raw file is, by its name; None for others. Many of them would pass for TIFF."""
    suffix = Path(name).suffix[1:].lower()
    return f"a camera's raw file ({suffix.upper()})" if suffix in _RAW else None


def _text(start: bytes) -> str | None:
    try:
        text = start.decode("utf-8-sig").lstrip().lower()
    except UnicodeDecodeError as error:
        if error.start < START - 4:  # a character may be cut at the end
            return None
        text = start[: error.start].decode("utf-8-sig").lstrip().lower()
    if "<svg" in text:
        return "an SVG drawing"
    if text.startswith(("<!doctype html", "<html")):
        return "a web page, perhaps one that reports a failed download"
    return "text" if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else None
