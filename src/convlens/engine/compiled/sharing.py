"""Scripts that compute the same few images together: each a share of every kernel's results."""

from __future__ import annotations

from collections.abc import Sequence

from ...fast.meeting import Meeting
from ...fast.script import Call, Script
from ..kernel import Kernel, Step
from ..lanes import Share
from .base import CompiledKernel


def shares(preparations: Sequence[Sequence[Step]], passes: Sequence[Sequence[Kernel]]) -> list[Step]:
    """See `convlens.engine.toolbox.Toolbox`.

    What `preparations` compute, every thread computes for itself: it is in its processor's cache then.
    """
    prepared = [_calls(steps) for steps in preparations]
    stages = [
        [_share(kernel, Share(number, len(passes))) for number, kernel in enumerate(each)]
        for each in zip(*passes, strict=True)
    ]
    if None in prepared or any(None in stage for stage in stages):
        return []
    scripts = [list(calls or ()) for calls in prepared]
    meeting, before = Meeting(len(passes)), False
    for number, stage in enumerate(stage for stage in stages if any(stage)):
        divided = any(stage[1:])
        if number and (before or divided):  # if not, the first thread computes both
            for script, call in zip(scripts, meeting.calls(), strict=True):
                script.append(call)
        for script, calls in zip(scripts, stage, strict=True):
            script.extend(calls or ())
        before = divided
    return [Script(calls) for calls in scripts]


def _share(kernel: Kernel, share: Share) -> list[Call] | None:
    if isinstance(kernel, CompiledKernel):
        return kernel.calls_of_share(share)
    return _calls(kernel.steps("forward")) if share.number == 0 else []


def _calls(steps: Sequence[Step]) -> list[Call] | None:
    """Return steps as calls; None if one of them is none."""
    calls = [step for step in steps if isinstance(step, Call)]
    return calls if len(calls) == len(steps) else None
