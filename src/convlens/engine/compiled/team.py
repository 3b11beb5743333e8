"""Threads that take scripts from one another without the GIL."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Sequence
from math import inf

import numpy as np

from ...fast import relay
from ...fast.script import Script
from ..lanes import Workers

_STILL_RUN = 2  # what `relay.run_together` returns
_ROW, _LONGEST = 7, 255  # calls in a row, after which it pays to wake threads; most calls that do not try
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
        self._table = np.zeros(relay.BOXES + 3 * len(self._boxes), np.int64)  # of `relay.run_together`
        self._table[relay.BOXES :: 3] = [box.words.ctypes.data for box in self._boxes]
        self._loaded: Sequence[Callable[[], None]] = ()  # the tasks in the table, and the same as scripts
        self._scripts: list[Script] = []
        self._place = ctypes.c_int64(self._table.ctypes.data)
        # how many calls of `together` do not try, how many of those there were, and when the last one tried
        self._pause, self._left_out, self._tried = 0, 0, -inf

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        if len(tasks) == 1:
            tasks[0]()
            return
        if not tasks or not self._busy.acquire(blocking=False):
            for task in tasks:  # another thread predicts at the same time: no processor is free
                task()
            return
        try:
            if self._loads(tasks):
                self._run_scripts()
            else:
                self._call_back()
                super().run(tasks)
                for thread, box in zip(self._others, self._boxes, strict=True):
                    thread.submit(relay.serve, box, self._called)
        finally:
            self._busy.release()

    def together(self, tasks: Sequence[Callable[[], None]]) -> bool:
        if self._left_out < self._pause or not self._busy.acquire(blocking=False):
            self._left_out += 1
            return False
        try:
            found = self._loads(tasks) and (self._at_once() or (self._wakes(len(tasks) - 1) and self._at_once()))
            self._pause = 0 if found else min(2 * self._pause + 1, _LONGEST)
            return found
        finally:
            self._busy.release()

    def _wakes(self, others: int) -> bool:
        """Wake the threads, if calls follow each other and it was tried long enough without; return whether it did."""
        now, self._left_out = time.monotonic(), 0
        if now - self._tried > relay.PATIENCE * (self._pause + 1):
            self._pause = 0
        self._tried = now
        return self._pause >= _ROW and self._wake(others)

    def _wake(self, others: int) -> bool:
        """Wake threads that sleep, and wait for them: they need the GIL, which a loop of short calls hardly leaves.

        Return whether one slept.
        """
        woken = []
        for thread, box in zip(self._others[:others], self._boxes, strict=False):
            if relay.wake(box):
                thread.submit(relay.serve, box, self._called)
                woken.append(box)
        for box in woken:
            relay.await_waking(box)
        return bool(woken)

    def _loads(self, tasks: Sequence[Callable[[], None]]) -> bool:
        """Write scripts to the table, unless they are there from the last time; return False if a task is no script."""
        if tasks is self._loaded:
            return True
        scripts = [task for task in tasks if isinstance(task, Script)]
        if len(scripts) < len(tasks):
            return False
        self._table[0], self._table[1:3] = len(scripts) - 1, scripts[0].place
        for number, script in enumerate(scripts[1:]):
            place = relay.BOXES + 3 * number
            self._table[place + 1 : place + 3] = script.place
        self._loaded, self._scripts = tasks, scripts
        return True

    def _at_once(self) -> bool:
        """Run the scripts in the table if all threads are ready, and return whether they were."""
        outcome = relay.run_together(self._place)
        if outcome == _STILL_RUN:
            self._wait(self._boxes[: len(self._scripts) - 1])
        return bool(outcome)

    def _run_scripts(self) -> None:
        if self._at_once():
            return
        boxes = self._boxes[: len(self._scripts) - 1]
        self._wait(boxes)  # in case the last wait was interrupted
        try:
            for thread, box, script in zip(self._others, boxes, self._scripts[1:], strict=False):
                if relay.post(box, *script.place):
                    thread.submit(relay.serve, box, self._called)
            self._scripts[0]()
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
