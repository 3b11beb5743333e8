"""What every result of this room can do: be written as plain data, and be shown in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np

from ..markup import html_table

Table: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[object]]]  # title, header, rows


class Result(ABC):
    """Base of the results: frozen dataclasses of numbers, arrays and other results."""

    @abstractmethod
    def table(self) -> Table:
        """Return title, header and rows of a small table that shows it."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON data; arrays become lists."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        return html_table(*self.table())


def _plain(value: Any) -> Any:
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


def share(value: float | None, digits: int = 2) -> str:
    """Return a share as a percentage, such as ``"98.10 %"``; None as a dash."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"
