"""The lab as a user runs it, and the exported page behind a plain web server."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """Run ``convlens lab``; yields the process, the lab's address and the lines it printed up to that.

    It never sees the user's own trainings.
    """
    command = [sys.executable, "-m", "convlens", "lab", "--no-browser", "--port", "0"]
    with tempfile.TemporaryDirectory() as folder:
        command += ["--folder", folder, *arguments]
        with _running(command) as found:
            yield found


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines: list[str] = []
            assert process.stderr is not None
            for line in process.stderr:
                lines.append(line)
                if address := re.search(r"http://\S+", line):
                    yield process, address.group(), lines
                    break
            else:
                raise AssertionError("".join(lines))
        finally:
            process.kill()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@contextlib.contextmanager
def behind_http_server(folder: Path) -> Iterator[str]:
    """Serve a folder as ``python -m http.server`` does; yields its address."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
