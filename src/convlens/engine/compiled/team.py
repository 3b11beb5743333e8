"""Threads that take scripts from one another without the GIL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from ...fast import relay
from ...fast.script import Script
from ..lanes import Workers

_SLEEP = 2e-5  # seconds to sleep while a thread takes long: it may be waiting for this processor


class Team(Workers):
    """Workers whose threads poll for the next script for a while before they sleep: see `convlens.fast.relay`."""

    worth = 8_000_000  # less than for other workers: in a loop, threads need not be woken
    worth_awake = 4_000_000

    def _start(self) -> None:
        super()._start()
        self._boxes = [relay.Box() for _ in self._others]
        self._called = 0  # how often the threads were called back to Python
        self._busy = threading.Lock()

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        if len(tasks) <= 1 or not self._busy.acquire(blocking=False):
            for task in tasks:  # another thread predicts at the same time: no processor is free
                task()
            return
        try:
            scripts = [task for task in tasks if isinstance(task, Script)]
            if len(scripts) == len(tasks):
                self._run_scripts(scripts)
            else:
                self._call_back()
                super().run(tasks)
                for thread, box in zip(self._others, self._boxes, strict=True):
                    thread.submit(relay.serve, box, self._called)
        finally:
            self._busy.release()

    def _run_scripts(self, scripts: Sequence[Script]) -> None:
        boxes = self._boxes[: len(scripts) - 1]
        self._wait(boxes)  # in case the last wait was interrupted
        try:
            for thread, box, script in zip(self._others, boxes, scripts[1:], strict=False):
                if relay.post(box, *script.place):
                    thread.submit(relay.serve, box, self._called)
            scripts[0]()
        finally:
            self._wait(boxes)

    def _call_back(self) -> None:
        self._called += 1
        for box in self._boxes:
            relay.call_back(box)

    @staticmethod
    def _wait(boxes: Sequence[relay.Box]) -> None:
        for box in boxes:
            while not relay.finished(box):
                time.sleep(_SLEEP)

    def close(self) -> None:
        self._call_back()
        super().close()
