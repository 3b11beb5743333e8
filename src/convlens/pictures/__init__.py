"""Pictures of any origin: read a file as pixels, and make a picture of a digit like MNIST's.

Reading order: `image_file` (opens a file; `formats`, `depth`) -> `conversion` (makes it pixels) -> `ink` (finds the
ink) -> `rulings` (removes frames and lines) -> `digits` (makes it like MNIST's).
"""

from .digits import Account, prepare_digit, reads_digits
from .image_file import read_image

__all__ = ["Account", "prepare_digit", "read_image", "reads_digits"]
