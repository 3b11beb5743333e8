"""Ctrl-C and other signals at any moment: exit code 130, one line that says how to continue, and continuing works."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import convlens.train.loop
import convlens.train.training
from convlens import artifact, nn
from convlens.errors import TrainingInterrupted
from convlens.models import CNN
from convlens.optim import Adam, Constant
from convlens.signals import STOPPED_LINE
from convlens.studies.storage.store import TrialStore
from convlens.train import Hook, Recipe, Training, fit
from tests.studies.examples import all_trials
from tests.toys import load_toy, write_toy_folder

from .forks import environment

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
TRAIN = ("train", "cnn", "--filters", "4,6", "--data", "bars", "--threads", "1", "--epochs", "6")

# Signals as a shell's foreground leaves them, whatever the tests were started by; then what `convlens` does first, so
# that "up" says that Python itself has started, whose own start nobody can stop in one line.
START = """
import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
from convlens.signals import STOPPED_LINE, interrupt_when_asked
import os, runpy, sys
interrupt_when_asked()
try:
    os.write(1, b"up\\n")
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
except KeyboardInterrupt:  # in `runpy` itself
    os.write(2, f"convlens: {STOPPED_LINE}\\n".encode())
    sys.exit(130)
"""


class Command:
    """A convlens that was started and will be stopped."""

    def __init__(self, folder: Path, *arguments: str, toy: dict[str, Any] | None = None, **options: Any) -> None:
        """Start it; with the settings of `toy_convlens`, that instead."""
        module = "convlens" if toy is None else "tests.faults.toy_convlens"
        code = f"MODULE = {module!r}\n{START}"
        more = {"TOY": str(folder / "bars"), **{name: str(value) for name, value in (toy or {}).items()}}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment(**more), **options}
        self.process = subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=folder, **pipes)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"up\n"

    def stop(self, number: int = signal.SIGINT) -> None:
        """Send a signal, unless it has ended."""
        self.process.send_signal(number)

    def end(self) -> tuple[int, list[str], str]:
        """Return exit code, the lines that begin with ``convlens:``, and all of standard error."""
        try:
            _, err = self.process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        text = err.decode()
        return self.process.returncode, [line for line in text.splitlines() if line.startswith("convlens:")], text

    def wait_for(self, words: str) -> None:
        """Read standard error until a line holds these words."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if words in line.decode():
                return
        raise AssertionError(f"never said {words!r}")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_toy_folder(tmp_path / "bars")
    return tmp_path


def assert_stopped(command: Command, *words: str) -> str:
    code, lines, text = command.end()
    assert code == 130, text
    assert len(lines) == 1, text
    assert "Traceback" not in text
    assert "Exception" not in text
    assert lines[0].startswith("convlens: stopped")
    assert "repeat" in lines[0]
    for word in words:
        assert word in lines[0]
    return lines[0]


@pytest.mark.slow
def test_training_stopped_at_random_moments_again_and_again(place: Path) -> None:
    """First so that it cannot end by itself, in every other turn surely among the steps; then anywhere, to the end."""
    files = ("--out", "m.safetensors", "--json", "run.json", "--checkpoint", "c", "--resume")
    draw, numbers = random.Random(3), [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    for turn in range(10):
        command = Command(place, *TRAIN, *files, toy={"STEPS": 1, "SLOW": 0.05})  # 2 of 30 steps
        if turn % 2:
            command.wait_for("a long step begins")
        time.sleep(draw.uniform(0, 0.2 if turn % 2 else 1.1))
        command.stop(draw.choice(numbers))
        assert_stopped(command)
    progress = artifact.read(place / "c", "checkpoint").header["progress"]
    assert 5 * 2 <= 5 * progress["epoch"] + progress["step"] <= 10 * 2
    for _ in range(20):
        command = Command(place, *TRAIN, *files, toy={"SLOW": 0.05})
        time.sleep(draw.uniform(0, 1.5))
        command.stop(draw.choice(numbers))
        code, lines, text = command.end()
        # a stop that comes when all is written and said is late: the command has done its work
        if code == 0 or (place / "run.json").exists():
            break
        assert (code, len(lines)) == (130, 1), text
        assert "repeat" in lines[0]
    assert Command(place, *TRAIN, *files, toy={}).end()[0] == 0
    whole = ("--out", "whole.safetensors", "--json", "whole.json")
    assert Command(place, *TRAIN, *whole, toy={}).end()[0] == 0
    runs = [json.loads((place / name).read_text()) for name in ("run.json", "whole.json")]
    assert runs[0]["history"] == runs[1]["history"]
    models = [artifact.read(place / name, "model").arrays for name in ("m.safetensors", "whole.safetensors")]
    assert all((models[0][name] == models[1][name]).all() for name in models[1])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_while_it_starts(place: Path, number: int) -> None:
    for seconds in (0.0, 0.05, 0.15, 0.25, 0.35):
        command = Command(place, *TRAIN, "--epochs", "100000")
        time.sleep(seconds)
        command.stop(number)
        assert_stopped(command)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("where", ["finaliser", "import"])
def test_a_stop_where_an_exception_does_not_get_out_is_heeded(place: Path, number: int, where: str) -> None:
    (place / "swallows.py").write_text(f"""
import os
try:
    os.kill(os.getpid(), {number})
except BaseException:  # as the C code of some libraries does
    pass
""")
    (place / "code.py").write_text(f"""
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_DFL if {number} == signal.SIGINT else signal.SIG_IGN)
from convlens.signals import STOPPED_LINE, interrupt_when_asked
class Swallows:
    def __del__(self):
        os.kill(os.getpid(), {number})
interrupt_when_asked()
try:
    if {where!r} == "import":
        import swallows
    else:
        Swallows()
    time.sleep(30)
except KeyboardInterrupt:
    sys.exit("convlens: " + STOPPED_LINE)
""")
    command = [sys.executable, "code.py"]
    # well before the sleep is over: it is woken
    found = subprocess.run(command, cwd=place, env=environment(), capture_output=True, timeout=20, check=False)
    assert found.returncode == (130 if where == "import" else 1)
    assert found.stderr.decode() == f"convlens: {STOPPED_LINE}\n"


@pytest.mark.slow
def test_stopped_twice(place: Path) -> None:
    """The first waits for the step under way; the second does not, and this step would last for ever."""
    command = Command(place, *TRAIN, "--checkpoint", "c", toy={"STUCK": 5})
    command.wait_for("a long step begins")
    command.stop()
    command.wait_for("asked to stop")
    command.stop()
    assert_stopped(command, "at once", "--checkpoint c --resume")
    assert artifact.read(place / "c", "checkpoint").header["progress"]["epoch"] == 1


@pytest.mark.slow
def test_reproduce_stopped_at_random_moments(place: Path) -> None:
    arguments = ("reproduce", "--quick", "--threads", "1", "--out", "reproduced")
    draw, kept = random.Random(5), 0
    for turn in range(6):
        among = turn % 2  # surely among the trials, once another one is kept; otherwise also while it starts
        command = Command(place, *arguments, toy={"STEPS": 10 if among else 3, "SLOW": 0.02})  # a trial is 5 to 9 steps
        if among:
            command.wait_for(f"trial {kept + 2}/")
        time.sleep(draw.uniform(0, 0.8))
        command.stop(draw.choice([signal.SIGINT, signal.SIGTERM]))
        assert_stopped(command)
        store = place / "reproduced" / "trials.sqlite"
        if store.exists():
            with TrialStore(store, read_only=True) as trials:
                assert len(trials) >= kept + among
                kept = len(trials)
    assert kept >= 3
    command = Command(place, *arguments, toy={"REPORTS": "forever"})
    command.wait_for("writing the report")
    time.sleep(0.5)
    command.stop()
    assert_stopped(command)
    code, _, text = Command(place, *arguments, toy={}).end()
    assert code == 0, text
    assert "trial 1/" not in text
    assert (place / "reproduced" / "report.html").exists()


@pytest.mark.slow
def test_trials_side_by_side_stopped_again_and_again(place: Path) -> None:
    arguments = ("reproduce", "--quick", "--threads", "2", "--out", "reproduced")
    store, draw, kept = place / "reproduced" / "trials.sqlite", random.Random(7), 0
    for turn in range(4):
        among = turn % 2
        command = Command(place, *arguments, toy={"STEPS": 10 if among else 3})
        if among:
            command.wait_for(f"trial {kept + 3}/")  # the third to be begun: one of the first two is kept or about to be
        time.sleep(draw.uniform(0, 0.8))
        command.stop(draw.choice([signal.SIGINT, signal.SIGTERM]))
        assert_stopped(command)
        if store.exists():
            with TrialStore(store, read_only=True) as trials:
                assert len(trials) >= kept
                kept = len(trials)
    found = []
    for threads, out in (("2", "reproduced"), ("1", "apart")):
        command = Command(place, *arguments[:3], threads, "--out", out, toy={})
        command.wait_for("writing the report")
        command.stop()
        assert_stopped(command)
        with TrialStore(place / out / "trials.sqlite", read_only=True) as trials:
            found.append({trial.key: trial.metrics["test.accuracy"] for trial in all_trials(trials)})
    assert len(found[0]) == 10  # of the two studies
    assert found[0] == found[1]


@pytest.mark.slow
def test_what_the_process_was_told_to_ignore_is_ignored(place: Path) -> None:
    """As `nohup` does."""
    ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable, "-m", "convlens", *TRAIN]
    process = subprocess.Popen([*ignoring, "--epochs", "150"], cwd=place, env=environment(), stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGHUP)
    _, text = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"epoch 150/150" in text


@pytest.mark.parametrize("where", ["evaluate", "save"])
@pytest.mark.parametrize("epoch", [1, 2])
def test_stopped_in_validation_and_while_saving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, epoch: int
) -> None:
    """Also in the last epoch: the result is still to come, and so the stop is heeded."""
    toy, recipe = load_toy(tmp_path / "bars"), Recipe("test", Adam(), Constant(1e-3), epochs=3, batch_size=48)
    room: Any = nn.Model if where == "evaluate" else convlens.train.saver.checkpoints
    usual, calls = getattr(room, where), 0

    def pressed(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == epoch + 1:
            os.kill(os.getpid(), signal.SIGINT)
        return usual(*arguments)

    def model() -> nn.Model:
        return nn.Model(CNN(filters=(4, 6), hidden=12).layers(3), toy.input_shape, 3)

    before = signal.getsignal(signal.SIGINT)
    whole = fit(model(), toy, recipe)
    monkeypatch.setattr(room, where, pressed)
    with pytest.raises(TrainingInterrupted, match="after the last epoch" if epoch == 2 else "in epoch 3 of 3, step 0"):
        fit(model(), toy, recipe, checkpoint=tmp_path / "c")
    assert signal.getsignal(signal.SIGINT) is before
    resumed = fit(model(), toy, recipe, checkpoint=tmp_path / "c", resume=True)
    assert resumed.model.flat.tobytes() == whole.model.flat.tobytes()
    assert resumed.history == whole.history


def test_an_epoch_that_takes_an_hour_is_saved_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is written when the last one is old, and training goes on from it to the same bits."""
    toy, recipe = load_toy(tmp_path / "bars"), Recipe("test", Adam(), Constant(1e-3), epochs=1, batch_size=16)
    path = tmp_path / "c"

    def model() -> nn.Model:
        return nn.Model(CNN(filters=(4, 6), hidden=12).layers(3), toy.input_shape, 3)

    class Fall(Hook):
        """Fails in the epoch, as a power cut would: nothing is saved on the way out."""

        def on_step_end(self, training: Training) -> None:
            if training.progress.step == 9:
                raise RuntimeError("power cut")

    whole = fit(model(), toy, recipe)
    with pytest.raises(RuntimeError, match="power cut"):
        fit(model(), toy, recipe, checkpoint=path, hooks=[Fall()])
    assert not path.exists()  # the last one, the start, is not a minute old
    monkeypatch.setattr(convlens.train.saver, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(RuntimeError, match="power cut"):
        fit(model(), toy, recipe, checkpoint=path, hooks=[Fall()])
    progress = artifact.read(path, "checkpoint").header["progress"]
    assert (progress["epoch"], progress["step"]) == (0, 8)
    resumed = fit(model(), toy, recipe, checkpoint=path, resume=True)
    assert resumed.model.flat.tobytes() == whole.model.flat.tobytes()
    assert resumed.history == whole.history


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ["summary cnn", "summary cnn --json", "data list", "train"])
def test_the_reader_of_the_output_goes_away(place: Path, arguments: str) -> None:
    words = [*TRAIN, "--out", "m.safetensors"] if arguments == "train" else arguments.split()
    command = Command(place, *words)
    assert command.process.stdout is not None
    command.process.stdout.close()
    command.process.stdout = None
    code, _, text = command.end()
    assert code == 1, text
    assert "Traceback" not in text
    assert "Exception" not in text
    assert arguments != "train" or artifact.read(place / "m.safetensors", "model")


@pytest.mark.slow
def test_the_reader_of_the_progress_goes_away(place: Path) -> None:
    """The work goes on: an hour of it is worth more than its remarks."""
    command = Command(place, *TRAIN, "--out", "m.safetensors")
    assert command.process.stderr is not None
    command.process.stderr.close()
    command.process.stderr = None
    out = command.process.communicate(timeout=60)[0].decode()
    assert command.process.returncode == 0
    assert "test accuracy" in out
    assert artifact.read(place / "m.safetensors", "model")


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"COLUMNS": "40"}, {"TERM": "dumb"}, {}])
def test_on_a_terminal(place: Path, more: dict[str, str]) -> None:
    """Ctrl-C on a terminal, live bar and all: the cursor comes back, and the last line says how to go on."""
    pty = pytest.importorskip("pty")  # not on Windows
    ours, theirs = pty.openpty()
    read = bytearray()

    def listen() -> None:
        while True:
            try:
                read.extend(os.read(ours, 4096))
            except OSError:  # the other end is closed
                return

    environ = {"TERM": "xterm-256color", **environment(), **more}
    command = Command(place, *TRAIN, "--epochs", "100000", stderr=theirs, env=environ)
    os.close(theirs)
    listener = threading.Thread(target=listen)
    listener.start()
    deadline = time.monotonic() + 60
    while b"epoch 3/100000" not in read and time.monotonic() < deadline:
        time.sleep(0.02)
    command.stop()
    assert command.process.wait(60) == 130
    listener.join(10)
    os.close(ours)
    if command.process.stdout:
        command.process.stdout.close()
    text = read.decode()
    assert "--resume" in " ".join(text.splitlines()[-1:])
    assert "Traceback" not in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")  # the cursor, hidden and shown again
    if "NO_COLOR" in more:
        assert "\x1b[3" not in text


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"COLUMNS": "40"}])
def test_output_without_a_terminal_is_plain(place: Path, more: dict[str, str]) -> None:
    for words in (["summary", "cnn"], ["data", "list"], list(TRAIN), ["train", "cnm"]):
        found = subprocess.run(
            [sys.executable, "-m", "convlens", *words],
            cwd=place,
            env=environment(**more),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        assert found.returncode == (2 if words == ["train", "cnm"] else 0), found.stderr
        assert "\x1b" not in found.stdout + found.stderr
        assert found.returncode == 0 or len(found.stderr.splitlines()) == 1
