"""scikit-learn, an optional package, imported only where a table or a model needs it."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import ConfigurationError


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
        raise ConfigurationError(
            f"this needs scikit-learn ({error}); install it with: pip install 'convlens[studies]'"
        ) from error


def version() -> str:
    """Return scikit-learn's version; raises as `part`."""
    return str(part("").__version__)
