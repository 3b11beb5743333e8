"""Progress of training: a live bar on a terminal or in a notebook, plain lines elsewhere; never on stdout."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

from ..wording import count, duration, fitting, percent
from .hooks import Hook

if TYPE_CHECKING:
    from rich.console import Console

    from .training import Training

PLAIN_SECONDS = 10.0  # between plain lines
QUIET_SECONDS = 2.0  # a shorter training prints no plain lines
REFRESH_SECONDS = 0.25  # of a notebook's bar
WIDEST_BAR, NARROWEST_BAR = 24, 2  # characters
MOST_LINES = 200  # in a notebook, which is sent all of them at every refresh


class TrainingProgress(Hook):
    """Shows epoch, loss, accuracy, images per second and time left.

    Parameters
    ----------
    console
        Rich's console to write to; if None, one on standard error, or the notebook's cell.
    every_epoch
        Whether to print a line for every epoch everywhere. If not, a terminal or a notebook still gets one per epoch;
        other outputs get one every 10 s, and one at the end of a training of two seconds or more.
    """

    def __init__(self, console: Console | None = None, *, every_epoch: bool = False) -> None:
        self._console, self._every_epoch = console, every_epoch
        self._display: _Lines = _Lines()
        self._started = self._spoke = 0.0
        self._images_before = 0
        self._unsaid = ""

    def on_training_begin(self, training: Training) -> None:
        self._started = time.perf_counter()
        self._spoke = self._started - (0.0 if self._every_epoch else PLAIN_SECONDS - QUIET_SECONDS)
        self._images_before, self._unsaid = training.progress.images, ""
        self._display = _display(self._console, training.steps)
        if training.progress.images:
            self._display.line(_where_it_resumes(training))

    def on_step_end(self, training: Training) -> None:
        now = time.perf_counter()
        if not self._display.live and now - self._spoke < PLAIN_SECONDS:
            return
        progress, total = training.progress, len(training.dataset.train) * training.recipe.epochs
        rate = (progress.images - self._images_before) / (now - self._started)
        left = f"{duration((total - progress.images) / rate)} left"
        where = f"epoch {progress.epoch + 1}/{training.recipe.epochs}"
        loss = f"loss {progress.loss_sum / progress.seen:.4f}"
        share, speed = percent(progress.correct / progress.seen), f"{rate:,.0f} images/s"
        accuracy = f"accuracy {share}"
        if self._display.live:
            states = [
                f"{loss}  {accuracy}  {speed}  {left}",
                f"{loss}  {accuracy}  {left}",
                f"{accuracy}  {left}",
                left,
            ]
            self._display.bar(where, progress.step, training.steps, states)
        else:
            self._say(f"{where}, step {progress.step}/{training.steps}: {loss}  {accuracy}  {speed}, {left}")

    def on_epoch_end(self, training: Training, row: dict[str, Any]) -> None:
        where = f"epoch {row['epoch']}/{training.recipe.epochs}"
        trained, validated = percent(row["train.accuracy"]), percent(row["validation.accuracy"])
        forms = (
            f"{where}: train loss {row['train.loss']:.4f}, accuracy {trained}; "
            f"validation loss {row['validation.loss']:.4f}, accuracy {validated}",
            f"{where}: train accuracy {trained}, validation {validated}",
            f"{where}: validation {validated}",
        )
        line = fitting(forms, self._display.width)
        if self._display.live or self._every_epoch or time.perf_counter() - self._spoke >= PLAIN_SECONDS:
            self._say(line)
        else:
            self._unsaid = line

    def on_training_end(self, training: Training) -> None:
        del training
        if self._unsaid and time.perf_counter() - self._started >= QUIET_SECONDS:
            self._say(self._unsaid)
        self._display.close()

    def _say(self, line: str) -> None:
        self._spoke, self._unsaid = time.perf_counter(), ""
        self._display.line(line)


def _where_it_resumes(training: Training) -> str:
    progress = training.progress
    if training.finished:
        return f"finished already, after {count(progress.epoch, 'epoch')}: evaluating"
    return f"resuming in epoch {progress.epoch + 1}, step {progress.step + 1}"


class _Lines:
    """A display of progress: plain lines, to a console or to standard error."""

    live = False
    width: int | None = None  # of a line; None where it does not matter

    def __init__(self, console: Console | None = None) -> None:
        self._console = console

    def line(self, text: str) -> None:
        """Print a line that stays."""
        if self._console is not None:
            self._console.print(text, markup=False)
        elif sys.stderr is not None:
            with suppress(OSError):  # the reader is gone: training continues
                sys.stderr.write(text + "\n")

    def bar(self, where: str, step: int, steps: int, states: Sequence[str]) -> None:
        """Move the bar, where there is one; the first of the states that has room stands beside it."""

    def close(self) -> None:
        """Take the bar away."""


class _Bar(_Lines):
    """A live bar on a terminal, by Rich."""

    live = True

    def __init__(self, console: Console, steps: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        super().__init__(console)
        self._terminal, self._bar = console, BarColumn(WIDEST_BAR)
        # if stdout goes to a file, what the user prints must go there, not to the bar's terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            self._bar,
            TextColumn("{task.fields[state]}"),
            console=console,
            transient=True,
            refresh_per_second=4,
            redirect_stdout=bool(sys.stdout and sys.stdout.isatty()),
        )
        self._task = self._progress.add_task("", total=steps, state="")
        self._progress.start()

    @property
    def width(self) -> int:  # type: ignore[override] # asked again for every line: windows change their size
        return self._terminal.width

    def bar(self, where: str, step: int, steps: int, states: Sequence[str]) -> None:
        del steps
        room = self.width - len(where) - 2  # for the bar and the state, with a space before each
        state = fitting((*states, ""), room - NARROWEST_BAR)
        self._bar.bar_width = min(WIDEST_BAR, max(1, room - len(state)))
        self._progress.update(self._task, description=where, completed=step, state=state)

    def close(self) -> None:
        self._progress.stop()


class _Notebook(_Lines):
    """A notebook's cell: one display, updated in place, with the lines so far and a bar below."""

    live = True

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._bar, self._drawn = "", 0.0
        self._handle: Any = None

    def line(self, text: str) -> None:
        self._lines.append(text)
        self._draw_if_due()

    def bar(self, where: str, step: int, steps: int, states: Sequence[str]) -> None:
        self._bar = f'{escape(where)} <progress value="{step}" max="{steps}"></progress> {escape(states[0])}'
        self._draw_if_due()

    def close(self) -> None:
        self._bar = ""
        self._draw()

    def _draw_if_due(self) -> None:
        if time.perf_counter() - self._drawn >= REFRESH_SECONDS:
            self._draw()

    def _draw(self) -> None:
        shown = {
            "text/plain": "\n".join(self._lines),
            "text/html": f"<pre>{escape(chr(10).join(self._lines))}</pre>{self._bar}",
        }
        self._drawn = time.perf_counter()
        if self._handle is None:
            self._handle = sys.modules["IPython.display"].display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


def _display(console: Console | None, steps: int) -> _Lines:
    """Return the best display available: the notebook's, the terminal's, or plain lines."""
    if console is None and in_notebook():
        return _Notebook()
    if console is None and not (sys.stderr and sys.stderr.isatty()):
        return _Lines()
    if console is None:
        from rich.console import Console

        console = Console(stderr=True, highlight=False, soft_wrap=True)
    return _Bar(console, steps) if console.is_terminal and not console.is_dumb_terminal else _Lines(console)


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook: IPython runs, and its shell has a kernel."""
    ipython = sys.modules.get("IPython")
    if ipython is None or "IPython.display" not in sys.modules:
        return False
    return getattr(ipython.get_ipython(), "kernel", None) is not None
