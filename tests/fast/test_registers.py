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
from llvmlite import binding
from convlens.fast import compiler, linker, native, product

bitcodes = []
compiler._require_alone = lambda _symbol, bitcode: bitcodes.append(bitcode)
made = next(one for one in native._waiting if one.function.__qualname__ == "product")
compiler.object_code(made.symbol, made.function, made.result, made.kinds)
name, features = linker.processor()
machine = binding.Target.from_default_triple().create_target_machine(cpu=name, features=features, opt=3)
text = machine.emit_assembly(binding.parse_bitcode(bitcodes[0]))
blocks = [part.splitlines() for part in re.split(r"^[.\\w]+:", text, flags=re.M)]
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
    often = [(products, uses) for products, uses in blocks if 16 * uses > products]
    assert often == [], "sums are moved to memory and back"
