"""The sums of a tile stay in registers, for which its size is chosen; compiled, but not run."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

from tests.faults.forks import environment

pytest.importorskip("numba")

# says, of every block of instructions that multiplies, how often it does, and how often it uses vectors on the stack
BLOCKS = """
import json, re
from convlens.fast import compiler, dense, native

compiled, libraries = compiler.compile_extra, []

def noted(*arguments):
    done = compiled(*arguments)
    libraries.append(done.library)
    return done

compiler.compile_extra = noted
for made in native._waiting:
    if made.symbol in ("convlens.fast.product.product", "convlens.fast.dense.backward"):
        compiler.object_code(made.symbol, made.function, made.result, made.kinds)
text = "".join(library.get_asm_str() for library in libraries)
blocks = [part.splitlines() for part in re.split(r"^[.\\w]+:|^\\s+j\\w+\\s.*$", text, flags=re.M)]
found = [
    (sum("vfmadd" in line for line in block), sum(bool(re.search("rsp.*[yz]mm|[yz]mm.*rsp", line)) for line in block))
    for block in blocks
]
print(json.dumps([counts for counts in found if counts[0]]))
"""
AVX2 = "+sse4.2,+popcnt,+avx,+avx2,+fma,+bmi,+bmi2,+lzcnt,+movbe,+f16c"
AVX512 = f"{AVX2},+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"
KINDS = [("znver4", AVX512, 16), ("skylake-avx512", AVX512, 16), ("haswell", AVX2, 12)]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="instructions of x86 processors")
@pytest.mark.parametrize(("name", "features", "sums"), KINDS)
def test_sums_stay_in_registers(name: str, features: str, sums: int) -> None:
    settings = environment(NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features)
    done = subprocess.run([sys.executable, "-c", BLOCKS], env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    blocks = json.loads(done.stdout)
    assert max(products for products, _ in blocks) >= sums, "the widest tile was not found"
    assert [counts for counts in blocks if counts[1]] == [], "sums are moved to memory and back"
