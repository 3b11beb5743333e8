"""Threads that take scripts from one another without the GIL."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from math import inf

from ...fast import relay
from ...fast.script import Script
from ..lanes import Workers

_ROW, _LONGEST = 7, 255  # calls in a row, after which it pays to wake threads; most calls that do not try


class Team(Workers):
    """Workers whose threads poll for the next script for a while before they sleep: see `convlens.fast.relay`.

    A script whose thread does not come in time runs on the calling thread.
    """

    worth = 8_000_000  # less than for other workers: in a loop, threads need not be woken
    worth_awake = 4_000_000

    def _start(self) -> None:
        super()._start()
        self._boxes = [relay.Box() for _ in self._others]
        self._serving: list[Future[None]] = [_done() for _ in self._others]  # what makes each thread poll
        self._busy: dict[str, object] = {}
        self._tasks: Sequence[Callable[[], None]] = ()  # those run last, and the same as a table
        self._table: relay.Table | None = None
        # how many calls of `together` do not try, how many of those there were, and when the last one tried
        self._pause, self._left_out, self._tried = 0, 0, -inf

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        if len(tasks) == 1:
            tasks[0]()
            return
        me = object()
        try:
            if not tasks or self._busy.setdefault("by", me) is not me:
                for task in tasks:  # another thread predicts at the same time: no processor is free
                    task()
            elif (table := self._table_of(tasks)) is None:
                for box in self._boxes:
                    relay.call_back(box)
                super().run(tasks)
                self._wake(len(self._others))
            elif not relay.run_together(table):
                self._wake(len(tasks) - 1)
                relay.run_all(table)
        finally:
            self._leave(me)

    def together(self, tasks: Sequence[Callable[[], None]]) -> bool:
        if self._left_out < self._pause:
            self._left_out += 1
            return False
        me = object()
        try:
            if self._busy.setdefault("by", me) is not me:
                self._left_out += 1
                return False
            table = self._table_of(tasks)
            found = table is not None and bool(
                relay.run_together(table) or (self._wakes(len(tasks) - 1) and relay.run_together(table))
            )
            self._pause = 0 if found else min(2 * self._pause + 1, _LONGEST)
            return found
        finally:
            self._leave(me)

    def _leave(self, me: object) -> None:
        """Let others run scripts, if it was `me` who did; no call here, so that no signal comes before it is done."""
        try:
            if self._busy["by"] is me:
                del self._busy["by"]
        except KeyError:
            pass

    def _wakes(self, others: int) -> bool:
        """Wake the threads, if calls follow each other and it was tried long enough without; return whether it did."""
        now, self._left_out = time.monotonic(), 0
        if now - self._tried > relay.PATIENCE * (self._pause + 1):
            self._pause = 0
        self._tried = now
        if self._pause < _ROW:
            return False
        woken = self._wake(others)
        for box in woken:  # they need the GIL, which a loop of short calls hardly leaves
            relay.await_waking(box)
        return bool(woken)

    def _wake(self, others: int) -> list[relay.Box]:
        """Wake threads that sleep, and return their boxes.

        There are none once threads cannot be started, the engine was closed, or Python ends.
        """
        woken = []
        for number in range(others):
            if self._serving[number].done():
                box = self._boxes[number]
                try:
                    self._serving[number] = self._others[number].submit(relay.serve, box, int(box.words[relay.CALLED]))
                except RuntimeError:
                    break
                woken.append(box)
        return woken

    def _table_of(self, tasks: Sequence[Callable[[], None]]) -> relay.Table | None:
        """Return tasks as a table, that of the last time if they are the same; None if one of them is no script."""
        if tasks is self._tasks:
            return self._table
        scripts = [task for task in tasks if isinstance(task, Script)]
        if len(scripts) < len(tasks):
            return None
        table = relay.Table(scripts, self._boxes)
        self._tasks, self._table = tasks, table
        return table

    def close(self) -> None:
        for box in self._boxes:
            relay.call_back(box)
        super().close()


def _done() -> Future[None]:
    done: Future[None] = Future()
    done.set_result(None)
    return done
