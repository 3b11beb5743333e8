"""Pictures from anywhere: a file becomes pixels, and a picture of a digit is made like MNIST's.

Reading order: `image_file` (reading a file) -> `ink` (where the digit is) -> `digits` (made like MNIST's).
"""

from .digits import Account, prepare_digit, reads_digits
from .image_file import read_image

__all__ = ["Account", "prepare_digit", "read_image", "reads_digits"]
