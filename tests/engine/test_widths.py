"""Micro-batches are planned alike for every vector width: what is planned with AVX-512 is planned with AVX2 too."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

from tests.faults.forks import environment

pytest.importorskip("numba")

# plans many networks, without compiling or running anything, and says how large a micro-batch is
PLANS = """
import json
from convlens.fast import native
native.make_ready = lambda: None
from convlens import nn
from convlens.engine import engines
from convlens.fast.product import WIDE

def sizes(layers, shape):
    model = nn.Model([*layers, nn.Flatten(), nn.Dense(10)], shape)
    engine = engines.NumbaPlan(model.program, model.flat, model.flat_buffers, 1)
    return [engine._micro_batch(training=training).images for training in (True, False)]

found = {}
for kernel in (1, 2, 3, 5, 7):
    for filters in ((8, 16), (16, 32), (32, 64), (17, 33), (48, 96), (64, 128)):
        for mode in ("zeros", "reflect"):
            for pool in (1, 2):
                layers = []
                for count in filters:
                    layers += [nn.Conv2D(count, kernel, padding_mode=mode), nn.ReLU(), nn.MaxPool2D(pool)]
                found[f"{kernel} {filters} {mode} {pool}"] = sizes(layers, (28, 28, 1))
found["norm"] = sizes([nn.Conv2D(48, 5), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2D(2), nn.Conv2D(96)], (32, 32, 3))
found["stride"] = sizes([nn.Conv2D(64, 5, 2), nn.ReLU(), nn.Conv2D(128, 3, 2)], (64, 64, 3))
found["residual"] = sizes([nn.Conv2D(64), nn.Residual([nn.Conv2D(64), nn.ReLU(), nn.Conv2D(64)])], (56, 56, 3))
print(json.dumps([WIDE, found]))
"""
WIDTHS = {
    32: ("skylake-avx512", "+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl,+bmi,+bmi2,+f16c"),
    16: ("haswell", "+sse4.2,+popcnt,+avx,+avx2,+fma,+bmi,+bmi2,+lzcnt,+movbe,+f16c"),
}


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="widths of x86 processors")
def test_micro_batches_do_not_depend_on_the_vector_width() -> None:
    plans = []
    for wide, (name, features) in WIDTHS.items():
        settings = environment(NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features)
        done = subprocess.run([sys.executable, "-c", PLANS], env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found, sizes = json.loads(done.stdout)
        assert (found, done.stderr) == (wide, "")
        plans.append(sizes)
    assert plans[0] == plans[1]
    assert len({tuple(size) for size in plans[0].values()}) > 10, "the networks should differ in their micro-batches"
