"""Predictions over HTTP: the contract of SageMaker, the Open Inference Protocol, and a page that shows both.

``run(models, settings)`` serves until the process is asked to stop; `App` is the same as an ASGI application. It needs
the extra ``serve``.
"""

from __future__ import annotations

from ..errors import ConfigurationError

try:
    import httptools as _httptools  # noqa: F401 - uvicorn would fall back on a parser that lets ambiguous bodies pass

    from .app import App
    from .server import run
    from .settings import Settings
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] == "convlens":
        raise
    raise ConfigurationError(f"serving needs {error.name}: pip install 'convlens[serve]'") from error

__all__ = ["App", "Settings", "run"]
