"""A small host for script mode: does with ``code/inference.py`` what AWS's scikit-learn image does.

``python host.py MODEL_FOLDER PORT``. It imports the script, calls ``model_fn`` once, and answers ``GET /ping`` and
``POST /invocations`` with ``input_fn``, ``predict_fn`` and ``output_fn``; like AWS's toolkit, it gives a context to a
function that takes one more argument, by which the script sets the status of its answer, and answers an exception with
its ``status_code``, or with 500 and the traceback. Standard library only; it imports nothing of convlens, so the script
is shown to need nothing of it.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

LARGEST_BODY = 6 << 20  # bytes, of a real-time endpoint


class Context:
    """What the toolkit tells a function about a request, and takes from it."""

    def __init__(self) -> None:
        self.status = 200

    def set_response_status(self, code: int = 200, phrase: str | None = None) -> None:
        """Set the status of the answer."""
        del phrase
        self.status = code


def called(function: Callable[..., Any], context: Context, *given: Any) -> Any:
    """Call a function of the script, with the context if it takes one more argument."""
    takes = len(inspect.signature(function).parameters) > len(given)
    return function(*given, context) if takes else function(*given)


def script(folder: Path, name: str) -> ModuleType:
    """Import a script from the folder ``code`` of an unpacked model."""
    sys.path.insert(0, str(folder / "code"))
    found = importlib.util.spec_from_file_location("inference", folder / "code" / name)
    if found is None or found.loader is None:
        raise ImportError(f"there is no script {name} in {folder / 'code'}")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def handler(module: ModuleType, model: Any) -> type[BaseHTTPRequestHandler]:
    """Return a class that answers requests with a script's functions."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200 if self.path == "/ping" else 404, b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), LARGEST_BODY))
            kind = self.headers.get("Content-Type", "application/json")
            accept = self.headers.get("Accept") or "application/json"
            accept = "application/json" if accept == "*/*" else accept
            context = Context()
            try:
                read = called(module.input_fn, context, body, kind)
                answer = called(module.output_fn, context, called(module.predict_fn, context, read, model), accept)
            except Exception as error:  # noqa: BLE001 - the script's, whatever it is: answered as the toolkit does
                traceback.print_exc()
                status = getattr(error, "status_code", 500)
                self._answer(status, getattr(error, "message", None) or traceback.format_exc(), "text/plain")
                return
            content, accepted = answer if isinstance(answer, tuple) else (answer, accept)
            self._answer(context.status, content, accepted)

        def _answer(self, status: int, content: str | bytes, kind: str) -> None:
            body = content.encode() if isinstance(content, str) else content
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main(folder: Path, port: int, program: str = "inference.py") -> None:
    """Load the model and serve until the process is ended."""
    module = script(folder, program)
    model = called(module.model_fn, Context(), str(folder))
    print(json.dumps({"message": "model loaded", "program": program}), flush=True)  # noqa: T201 - the container's log
    ThreadingHTTPServer(("127.0.0.1", port), handler(module, model)).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
