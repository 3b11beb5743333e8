"""The module of script mode as AWS's scikit-learn image serves it, for benchmarks/serving.py: a WSGI application.

That image runs it in gunicorn with gevent, a worker for each core, behind nginx, which is left out here; a Flask
application calls the module's functions (sagemaker-containers, `_server.py` and `_worker.py`). The variable
``MODEL_FOLDER`` says where the archive was unpacked.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import flask


def script(folder: Path) -> ModuleType:
    """Import the module in an unpacked archive."""
    found = importlib.util.spec_from_file_location("inference", folder / "code" / "inference.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def application_of(folder: Path) -> flask.Flask:
    """Return the application that answers with the model in a folder."""
    module, app = script(folder), flask.Flask("inference")
    model = module.model_fn(str(folder))

    @app.post("/invocations")
    def invocations() -> flask.Response:
        accept = flask.request.headers.get("accept", "*/*")
        images = module.input_fn(flask.request.get_data(), flask.request.content_type)
        content, kind = module.output_fn(module.predict_fn(images, model), accept)
        return flask.Response(content, mimetype=kind)

    return app


if "MODEL_FOLDER" in os.environ:
    application = application_of(Path(os.environ["MODEL_FOLDER"]))
