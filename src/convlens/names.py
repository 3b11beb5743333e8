"""Names from outside, such as of files and classes, as people may see them: what a terminal would obey is escaped."""

from __future__ import annotations

import unicodedata

_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, formatting, half characters, line and paragraph ends
_JOINERS = "\u200c\u200d"  # formatting that Persian, Indic scripts and emoji are written with
_LONGEST = 2000  # characters of a text; whoever reads more has asked for a file


def shown(name: object, most: int = _LONGEST) -> str:
    r"""Return a name, or a sentence that holds one, on one line of visible characters.

    Line breaks, escape sequences, and characters that reverse or hide text become backslash escapes, and so do the
    bytes of a file's name that are no text. Of a longer text than `most` characters, the middle is left out, because
    names often differ at their ends.

    >>> print(shown("a\nb\x1b[31m"), shown("\udcff.png"), shown("gpj.\u202ecat"))
    a\nb\x1b[31m \xff.png gpj.\u202ecat
    >>> shown("a very long name", 8)
    'a ver…me'
    """
    text = str(name)
    if len(text) > most:  # before escaping, so that no escape is cut
        end = most // 4
        text = f"{text[: most - end - 1]}…{text[len(text) - end :]}" if end else f"{text[: most - 1]}…"
    if text.isprintable():
        return text
    return "".join(_escaped(one) if unicodedata.category(one) in _ESCAPED else one for one in text)


def visible(text: str) -> str:
    r"""Return a text of several lines with everything but its line breaks escaped, as `shown` does.

    >>> print(visible("a table\nof two lines\x1b[2J"))
    a table
    of two lines\x1b[2J
    """
    return text if text.isascii() and text.isprintable() else "\n".join(map(_line, text.split("\n")))


def _line(text: str) -> str:
    return shown(text, len(text))


def _escaped(one: str) -> str:
    if one in _JOINERS:
        return one
    if "\udc80" <= one <= "\udcff":  # a byte of a name that is no text: PEP 383
        return f"\\x{ord(one) - 0xDC00:02x}"
    return one.encode("unicode_escape").decode("ascii")
