"""A small result of a benchmark, as `convlens.bench.run` keeps it."""

from __future__ import annotations

from typing import Any

from convlens.bench import results
from convlens.bench.cells import GEMM, MAIN, WORKS, cells

RATES = {
    "convlens-numba": [200.0, 240.0, 90.0],
    "convlens-numpy": [100.0, 100.0, 50.0],
    "torch-nchw": [50.0, 60.0, 20.0],
    "torch-channels-last": [100.0, 80.0, 60.0],
    "torch-compile": [400.0, 400.0, 100.0],
    GEMM: [1e9, 1e9, 1e9],
}


def toy_cell(name: str = MAIN) -> dict[str, Any]:
    cell = next(cell for cell in cells(2) if cell.name == name)
    rates = {work: {peer: list(row) for peer, row in RATES.items()} for work in WORKS}
    return {
        **cell.to_dict(),
        "flops": 1_000_000,
        "absent": {"jax": "not installed: No module named 'jax'"},
        "first_call_seconds": {"torch-compile": {"train": 12.0, "predict": 3.0}},
        "rates": rates,
        "ratios": {work: results.ratios(rates[work]) for work in WORKS},
    }


def toy_result() -> dict[str, Any]:
    run = {"seed": 0, "seconds": 4.0, "cold_seconds": 6.0, "accuracy": 0.991}
    return {
        "format": results.FORMAT,
        "date": "2026-11-25",
        "settings": {"rounds": 3, "seconds": 0.25, "threads": 2},
        "hardware": {"processor": "a processor", "system": "Linux"},
        "versions": {"numpy": "2.4.6", "torch": "2.13.0", "jax": None},
        "cells": {name: toy_cell(name) for name in (MAIN, "dense-batch128")},
        "memory": {"peak_mib": {"convlens-numba": 150.0, "torch-nchw": 400.0, "torch-compile": 300.0}, "absent": {}},
        "time-to-99": {
            "target": 0.99,
            "recipe": {"name": "good", "epochs": 2},
            "runs": {
                "convlens": [run],
                "torch-channels-last": [{**run, "seconds": 8.0, "cold_seconds": 9.0, "accuracy": 0.985}],
            },
            "absent": {},
        },
    }


def with_runtimes() -> dict[str, Any]:
    """Return a result in which runtimes predicted, in one cell; they do not train."""
    result = toy_result()
    cell = result["cells"][MAIN]
    cell["rates"]["predict"] |= {"onnxruntime": [800.0, 800.0, 225.0], "openvino": [40.0, 40.0, 40.0]}
    cell["first_call_seconds"] |= {"onnxruntime": {"predict": 0.1}, "openvino": {"predict": 0.1}}
    cell["ratios"] = {work: results.ratios(rates) for work, rates in cell["rates"].items()}
    result["versions"] |= {"onnxruntime": "1.32.0"}
    return result
