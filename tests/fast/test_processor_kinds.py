"""What is written for one kind of processor is right for LLVM on each of them, also where only one is at hand."""

from __future__ import annotations

import itertools
import re

import pytest

pytest.importorskip("llvmlite")

from llvmlite import binding, ir

from convlens.fast import atomic, relay, subnormal
from convlens.fast.writer import INT, Writer

KINDS = {
    "x86_64-unknown-linux-gnu": ("llvm.x86.sse.ldmxcsr", "llvm.x86.sse2.pause"),
    "aarch64-unknown-linux-gnu": ("llvm.aarch64.set.fpcr", "llvm.aarch64.isb"),
    "arm64-apple-darwin23.0.0": ("llvm.aarch64.set.fpcr", "llvm.aarch64.isb"),
    "riscv64-unknown-linux-gnu": (),
}


def written(triple: str) -> str:
    """LLVM's text of a function that flushes, waits and restores."""
    module = ir.Module("m")
    module.triple = triple
    function = ir.Function(module, ir.FunctionType(INT, []), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    w = Writer(None, builder, None)
    before = subnormal.flush.write(w)
    atomic.pause.write(w)
    subnormal.restore.write(w, before)
    builder.ret(before)
    return str(module)


@pytest.mark.parametrize("triple", KINDS)
def test_instructions_are_those_of_the_processor(triple: str) -> None:
    text = written(triple)
    binding.parse_assembly(text).verify()
    assert set(re.findall(r"llvm\.\w+", text)) == {".".join(name.split(".")[:2]) for name in KINDS[triple]}
    for name in KINDS[triple]:
        assert name in text


def test_an_instruction_with_wrong_arguments_would_be_found() -> None:
    text = written("aarch64-unknown-linux-gnu").replace('i64 @"llvm.aarch64.get', 'i32 @"llvm.aarch64.get')
    with pytest.raises(RuntimeError):
        binding.parse_assembly(text).verify()


@pytest.mark.parametrize(("seconds", "polls"), [(5e-6, 60_000), (4e-5, 7_500), (10.0, 1), (0.0, 300_000_000)])
def test_a_thread_polls_for_the_same_time_whatever_a_poll_takes(
    monkeypatch: pytest.MonkeyPatch, seconds: float, polls: int
) -> None:
    """`seconds` for a thousand polls; one timing of the three is disturbed."""
    clock = itertools.accumulate(itertools.cycle([0.0, seconds + 0.1, 0.0, seconds, 0.0, seconds]))
    monkeypatch.setattr(relay.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(relay, "finished", lambda _words: 0)
    assert relay.polls_before_sleep.__wrapped__() == polls
