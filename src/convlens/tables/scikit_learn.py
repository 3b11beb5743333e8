"""scikit-learn, an optional package, imported only where a table or a model needs it."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from ..errors import ConfigurationError

INSTALL = "pip install 'convlens[studies]'"


def installed() -> bool:
    """Return whether it can be imported; it is not, because that takes a second."""
    return importlib.util.find_spec("sklearn") is not None


def part(name: str) -> Any:
    """Return a module of scikit-learn: ``part("datasets")``; itself, where the name is empty.

    Raises
    ------
    ConfigurationError
        If scikit-learn is not installed; says how to install it.
    """
    try:
        return importlib.import_module(f"sklearn.{name}".rstrip("."))
    except ImportError as error:
        raise ConfigurationError(f"this needs scikit-learn ({error}); install it with: {INSTALL}") from error


def version() -> str:
    """Return scikit-learn's version; raises as `part`."""
    return str(part("").__version__)
