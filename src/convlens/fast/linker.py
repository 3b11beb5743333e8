"""Loads compiled code into this process, without Numba and the 120 MiB that it takes."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from llvmlite import binding


def link(symbol: str, code: bytes) -> int:
    """Load a function's object file and return the function's address; other compiled functions may then call it.

    It stays for the life of the process. The functions that it calls must be loaded already.
    """
    engine = _engine()
    engine.add_object_file(binding.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = int(engine.get_function_address(symbol))
    binding.add_symbol(symbol, address)
    return address


@cache
def _engine() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_triple(binding.get_process_triple()).create_target_machine(jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


def processor() -> tuple[str, str]:
    """Return the processor's name and features, as LLVM writes them, or as the environment sets them for Numba."""
    name, features = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    found = binding.get_host_cpu_features().flatten() if features is None else features
    return name or binding.get_host_cpu_name(), found
