"""Plain JSON: the one form in which configurations and results are kept, compared and hashed."""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from .errors import ConfigurationError, DataError, nearest

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


def plain(value: object, where: str) -> Any:
    """Return a deep copy of `value` made of dicts, lists, strings, finite numbers, booleans and None only.

    Parameters
    ----------
    value
        Anything; tuples become lists, as JSON has no other sequence.
    where
        What the value is, for the message: ``"arm 'cnn': configuration"``.

    Raises
    ------
    ConfigurationError
        If a part is not JSON (a NumPy array, NaN, a key that is not a string); the message names its place.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ConfigurationError(f"{where} is {value}; JSON holds finite numbers only")
        return float(value)  # np.float64 is a float too, and must not stay one
    if isinstance(value, list | tuple):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ConfigurationError(f"{where} has the key {key!r}; JSON keys are strings")
        return {str(key): plain(item, f"{where}.{key}") for key, item in value.items()}
    raise ConfigurationError(
        f"{where} is a {type(value).__name__}; expected plain JSON (numbers, strings, lists, mappings)"
    )


def canonical(value: object, where: str = "value") -> str:
    """Return `value` as canonical JSON: sorted keys, no whitespace, ASCII, no NaN.

    Equal numbers of different types, such as ``1`` and ``1.0``, give different texts.
    """
    return json.dumps(plain(value, where), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def parsed_json(text: bytes, what: str, hint: str = "", *, constant: Callable[[str], Any] = _refuse_constant) -> Any:
    """Return the JSON that somebody sent.

    Parameters
    ----------
    text
        The bytes, which nothing is known of.
    what
        What they are, for the message: ``"the body"``.
    hint
        What else the message says at its end.
    constant
        Returns what NaN, Infinity or -Infinity stands for; by default, ValueError refuses each of them.

    Raises
    ------
    DataError
        If they are not JSON in UTF-8, are nested too deeply, or have NaN or Infinity, which JSON lacks.
    """
    try:
        return json.loads(text, parse_constant=constant)
    except UnicodeDecodeError as error:
        raise DataError(f"{what} is not JSON in UTF-8 ({error.reason} at byte {error.start:,}){hint}") from error
    except RecursionError as error:
        raise DataError(f"{what} is not JSON that can be read: it is nested too deeply{hint}") from error
    except ValueError as error:  # no JSON, or a number of thousands of digits
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{what} is not JSON ({said}){hint}") from error


def check_keys(known: type | Collection[str], given: object, where: str) -> None:
    """Check that a mapping has no unknown key and, for a dataclass, every key without a default.

    Parameters
    ----------
    known
        A dataclass, whose fields are the keys; or the known keys, all of them optional.
    given
        The mapping.
    where
        What the mapping is, for the message: ``"recipe"``, ``"layer 2: Conv2D"``.

    Raises
    ------
    ConfigurationError
        Names the unknown key and the nearest known one, or the missing keys; also if `given` is not a mapping.
    """
    names, needed = _keys(known) if isinstance(known, type) else (list(known), [])
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where}: expected settings by name ({', '.join(names)}), not {given!r}")
    for key in given:
        if key not in names:
            raise ConfigurationError(f"{where}: unknown key {key!r}{nearest(str(key), names)}")
    lacking = [name for name in needed if name not in given]
    if lacking:
        raise ConfigurationError(f"{where} lacks {', '.join(map(repr, lacking))}")


def choose(name: object, known: Collection[str], what: str, hint: str = "") -> str:
    """Return the known name that `name` is, in any case of letters.

    Parameters
    ----------
    name
        What was given.
    known
        The right names.
    what
        What they name, for the message: ``"recipe"``.
    hint
        What else the message says at its end.

    Raises
    ------
    ConfigurationError
        If it is none of them; names the nearest.

    Examples
    --------
    >>> choose("CNN", ["baseline", "cnn"], "model")
    'cnn'
    """
    for one in known:
        if isinstance(name, str) and one.casefold() == name.strip().casefold():
            return one
    raise ConfigurationError(f"unknown {what} {name!r}{nearest(str(name), known)}{hint}")


def require(value: object, kind: type | tuple[type, ...], what: str, example: str) -> None:
    """Check that an argument is of a kind.

    Parameters
    ----------
    value
        The argument.
    kind
        The class or classes allowed.
    what
        Its name, for the message: ``"model"``.
    example
        What it could be: ``"models.build('cnn')"``.

    Raises
    ------
    ConfigurationError
        Says what was expected and what came; where a class came instead of an object of it, how to write that.
    """
    if not isinstance(value, kind):
        shown = repr(value)
        if len(shown) > 60 or not shown.isprintable():
            shown = f"a {type(value).__name__}"
        is_class = isinstance(value, type) and issubclass(value, kind)
        raise ConfigurationError(
            f"{what} is something such as {example}, not "
            + (f"the class {value.__name__}; write {value.__name__}(...)" if is_class else shown)  # type: ignore[attr-defined]
        )


def _keys(cls: type) -> tuple[list[str], list[str]]:
    """Return the fields that a dataclass's constructor takes, and those of them that have no default."""
    fields, missing = [field for field in dataclasses.fields(cls) if field.init], dataclasses.MISSING
    needed = [field for field in fields if field.default is missing and field.default_factory is missing]
    return [field.name for field in fields], [field.name for field in needed]


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises
    ------
    ConfigurationError
        If it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error


def difference(got: object, wanted: object, where: str) -> str | None:
    """Return where `got` first differs, as ``"program.nodes[1].op is 'relu', not 'tanh'"``; None if it does not."""
    if isinstance(got, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*got, *wanted}):
            if key not in got or key not in wanted:
                return f"{where} {'lacks' if key in wanted else 'has an unknown key'} {key!r}"
        pairs = [(got[key], wanted[key], f"{where}.{key}") for key in sorted(got)]
    elif isinstance(got, list) and isinstance(wanted, list):
        if len(got) != len(wanted):
            return f"{where} has {len(got)} entries, not {len(wanted)}"
        pairs = [(one, other, f"{where}[{index}]") for index, (one, other) in enumerate(zip(got, wanted, strict=True))]
    else:
        return None if type(got) is type(wanted) and got == wanted else f"{where} is {got!r}, not {wanted!r}"
    return next((found for one in pairs if (found := difference(*one)) is not None), None)


def is_number(value: object) -> bool:
    """Return whether a setting is a finite real number, of Python's or NumPy's types; True and False are not."""
    try:
        return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number beyond the range of floats
        return False


def check_name(name: object, what: str) -> None:
    """Check that `name` can stand in a table and a message: short, printable, without outer spaces.

    Raises
    ------
    ConfigurationError
        If it cannot.
    """
    if not (isinstance(name, str) and name.isprintable() and 0 < len(name) <= 100 and name == name.strip()):
        raise ConfigurationError(
            f"the name of {what} is 1 to 100 printable characters without outer spaces, not {name!r}"
        )


def places(mapping: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Return the dotted name of everything inside a mapping: ``{"recipe", "recipe.epochs"}``."""
    found = set()
    for key, value in mapping.items():
        found.add(prefix + key)
        if isinstance(value, Mapping):
            found |= places(value, f"{prefix}{key}.")
    return found


def replaced(mapping: Mapping[str, JSON], values: Mapping[str, JSON]) -> dict[str, Any]:
    """Return a deep copy of `mapping` with `values` set by dotted name; names that it lacks are ignored."""
    copy: dict[str, Any] = plain(mapping, "configuration")
    for place, value in values.items():
        if place in places(copy):
            *path, last = place.split(".")
            inner = copy
            for key in path:
                inner = inner[key]
            inner[last] = value
    return copy
