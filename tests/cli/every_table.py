"""Print every table of the command line: run by `test_terminals`, in a terminal that takes each of the given widths."""

from __future__ import annotations

import struct
import sys
import typing
from pathlib import Path

from convlens import nn
from convlens.bench.tables import terminal
from convlens.cli import speedrun
from convlens.cli.main import main
from convlens.cli.options import notes, out
from convlens.cli.study import printing
from convlens.report import claims_table
from tests.bench.toy_result import with_runtimes
from tests.report.reproductions import make
from tests.toys import write_toy_folder

NAME = "[/]\x1b[31m"
VERBS = ("summary cnn --kernel-size 5", "data list", "data verify mnist", "study list",
         "evaluate m[x].safetensors --data bars")  # fmt: skip


def convlens(line: str) -> None:
    """Run a verb, as a user would."""
    sys.argv = ["convlens", *line.split()]
    try:
        main()
    except SystemExit as leaving:
        assert not leaving.code, line  # noqa: PT017


def speedrun_report() -> None:
    """Print the report of a speedrun that took no time."""
    record = {"test.accuracy": 0.9912, "seconds.train": 3.21, "seconds.cold_start": 4.5, "threads": 2,
              "images_per_second": 12_345.0, "versions": {}, "hardware": {},
              "recipe": {"name": "speedrun", "epochs": 2, "batch_size": 128}}  # fmt: skip
    records = [{**record, "seed": seed, "seconds.train": 3.21 + seed} for seed in range(3)]
    speedrun.report({"engine": "numba", **speedrun.summarise(records, 99.0)})


def everything() -> None:
    """Print every table."""
    for verb in VERBS:
        convlens(verb)
    reproduction = make()
    out.print(claims_table(reproduction.claims))
    for result in reproduction.studies.values():
        printing.print_result(typing.cast("typing.Any", result))
    for part in terminal(with_runtimes()):
        out.print(part)
    speedrun_report()
    notes.print(f"a note of class {NAME} and 12,345.67 images; " + "and many more words " * 5)


if __name__ == "__main__":
    if not Path("bars").exists():
        write_toy_folder(Path("bars"))
        nn.Model([nn.Flatten(), nn.Dense(3)], (8, 8, 1)).save("m[x].safetensors")
    for columns in map(int, sys.argv[1:]):
        import fcntl
        import termios

        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        sys.stdout.write(f"=== {columns}\n")
        everything()
    if len(sys.argv) == 1:
        everything()
