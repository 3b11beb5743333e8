"""A Dask cluster for tests: a scheduler and workers, each a process of its own, on the loopback interface."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.forks import ROOT, environment

DEADLINE = 60.0  # seconds, on a busy machine


class Cluster:
    """Use as a context manager; the processes end with it. Logs are in `folder`."""

    def __init__(self, folder: Path, *workers: str) -> None:
        self.folder, self._workers = folder, workers
        self._file = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Cluster:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        deadline = time.monotonic() + DEADLINE
        while not self._file.exists() and time.monotonic() < deadline:
            assert self.scheduler.poll() is None, (self.folder / "scheduler.log").read_text()
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]
        for options in self._workers:
            self.add(*options.split())
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def add(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker, of one thread if the options say nothing else."""
        threads = () if "--nthreads" in options else ("--nthreads", "1")
        process = self._start(
            "worker", "--host", "127.0.0.1", "--no-dashboard", "--no-nanny", *threads, *options, **environment
        )
        self.workers.append(process)
        return process

    def _start(self, what: str, *options: str, **more: str) -> subprocess.Popen[bytes]:
        name = what if what == "scheduler" else f"worker{len(self.workers)}"
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--scheduler-file", str(self._file), *options]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env={**environment(), **more}
            )
