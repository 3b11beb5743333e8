"""Where `is_number` was before; see `convlens.plain`."""

from ..plain import is_number as is_number
