"""exp, log and tanh in compiled code, against NumPy's long double, and the objects of all compiled functions."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from convlens.fast import kept
from convlens.fast.elementary import exponential, logarithm, tangent
from convlens.fast.native import make_ready
from convlens.fast.script import Entry, entry
from convlens.fast.vector import WIDTH, load, store
from convlens.typing import Float32

LONG = np.longdouble


@entry
def exps(x: Float32, y: Float32) -> None:
    for i in range(0, len(y), WIDTH):
        store(exponential(load(x, i)), y, i)


@entry
def logs(x: Float32, y: Float32) -> None:
    for i in range(0, len(y), WIDTH):
        store(logarithm(load(x, i)), y, i)


@entry
def tanhs(x: Float32, y: Float32) -> None:
    for i in range(0, len(y), WIDTH):
        store(tangent(load(x, i)), y, i)


def values(low: float, high: float) -> Any:
    return np.concatenate(
        [
            np.linspace(low, high, 1 << 16, dtype=np.float64),
            np.random.default_rng(0).uniform(low, high, 1 << 16),
            np.random.default_rng(1).uniform(max(low, -1), min(high, 1), 1 << 16),
        ]
    ).astype(np.float32)


def run(function: Entry, x: Any) -> Any:
    x = np.ascontiguousarray(x, np.float32)
    padded = np.concatenate([x, np.zeros(-len(x) % WIDTH, np.float32)])
    y = np.empty_like(padded)
    function(padded, y)()
    return y[: len(x)]


@pytest.mark.parametrize(
    ("function", "exact", "x", "ulps"),
    [
        (exps, np.exp, values(-87.33, 88.72), 1.1),
        (exps, np.exp, values(-2, 0), 1.1),
        (logs, np.log, np.exp(values(-87, 88).astype(np.float64)).astype(np.float32), 0.9),
        (logs, np.log, values(0.5, 2), 0.9),
        (tanhs, np.tanh, values(-12, 12), 1.6),
    ],
    ids=["exp", "exp of a loss", "log", "log near 1", "tanh"],
)
def test_errors(function: Entry, exact: Callable[[Any], Any], x: Any, ulps: float) -> None:
    wanted = exact(x.astype(LONG))
    error = np.abs(run(function, x) - wanted) / np.spacing(np.abs(wanted).astype(np.float32))
    assert float(error.max()) <= ulps


def test_ends_of_the_range() -> None:
    inf, nan = np.inf, np.nan
    np.testing.assert_array_equal(run(exps, [-inf, -200, -87.4, 0, 88.8, inf, nan]), [0, 0, 0, 1, inf, inf, nan])
    np.testing.assert_array_equal(run(logs, [1, nan]), [0, nan])
    np.testing.assert_array_equal(run(tanhs, [-inf, -20, -0.0, 0, 20, inf, nan]), [-1, -1, -0.0, 0, 1, 1, nan])
    assert np.signbit(run(tanhs, [-0.0])[0])


def undefined_symbols(code: bytes) -> set[str]:
    """Return the names that an object file leaves to others, from its ELF symbol table."""
    assert code[:6] == b"\x7fELF\x02\x01"
    (sections,), (count,) = struct.unpack_from("<Q", code, 0x28), struct.unpack_from("<H", code, 0x3C)
    headers = [struct.unpack_from("<IIQQQQIIQQ", code, sections + 64 * number) for number in range(count)]
    names = set()
    for header in headers:
        if header[1] != 2:  # SHT_SYMTAB
            continue
        texts = headers[header[6]][4]
        for at in range(header[4], header[4] + header[5], 24):
            name, _, _, section = struct.unpack_from("<IBBH", code, at)
            if section == 0 and name:
                names.add(code[texts + name : code.index(b"\0", texts + name)].decode())
    return names


def test_no_object_needs_anything_of_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for copying and clearing memory, which LLVM may ask for and which has no digits."""
    from convlens.engine.compiled import toolbox  # noqa: F401 - all functions there are

    make_ready()
    folder = kept.folder_of_compiled()
    assert folder is not None
    codes = {path.name: path.read_bytes()[32:] for path in folder.glob("*.o")}
    if not next(iter(codes.values())).startswith(b"\x7fELF"):
        pytest.skip("objects of this system are not ELF files")
    assert len(codes) > 30
    needed = {name: undefined_symbols(code) for name, code in codes.items()}
    strange = {name: [s for s in symbols if not s.startswith(("convlens.", "mem"))] for name, symbols in needed.items()}
    assert not {name: symbols for name, symbols in strange.items() if symbols}
    assert any("convlens.fast.product.product" in symbols for symbols in needed.values())
