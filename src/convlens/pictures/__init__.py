"""Pictures of any origin: read a file as pixels, and make a picture of a digit like MNIST's.

Reading order: `image_file` (opens a file; `formats`, `depth`) -> `conversion` (makes it pixels) -> `ink` (finds the
ink) -> `rulings` (removes frames and lines) -> `digits` (makes it like MNIST's) -> `reading`
(either, with an account of what was done); `likeness` finds out from training images which of them.
"""

from .digits import Account, prepare_digit
from .image_file import read_image

__all__ = ["Account", "prepare_digit", "read_image"]
