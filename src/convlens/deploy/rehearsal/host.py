"""A small host for script mode: does with ``code/inference.py`` what AWS's scikit-learn image does.

``python host.py MODEL_FOLDER PORT``. It imports the script, calls ``model_fn`` once, and answers ``GET /ping`` and
``POST /invocations`` with ``input_fn``, ``predict_fn`` and ``output_fn``. Standard library only; it imports nothing of
convlens, so the script is shown to need nothing of it. Like AWS's toolkit it answers an exception that has a
``status_code`` with that status, and any other with 500 and the traceback.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

LARGEST_BODY = 6 << 20  # bytes, of a real-time endpoint


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
            try:
                prediction = module.predict_fn(module.input_fn(body, kind), model)
                answer = module.output_fn(prediction, accept)
            except Exception as error:  # noqa: BLE001 - the script's, whatever it is: answered as the toolkit does
                traceback.print_exc()
                status = getattr(error, "status_code", 500)
                self._answer(status, getattr(error, "message", None) or traceback.format_exc(), "text/plain")
                return
            content, accepted = answer if isinstance(answer, tuple) else (answer, accept)
            self._answer(200, content, accepted)

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
    model = module.model_fn(str(folder))
    print(json.dumps({"message": "model loaded", "program": program}), flush=True)  # noqa: T201 - the container's log
    ThreadingHTTPServer(("127.0.0.1", port), handler(module, model)).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
