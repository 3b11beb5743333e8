"""The layers: one file per family, one line here per layer. `LAYERS` has them by name."""

from typing import TYPE_CHECKING

from .activation import ReLU as ReLU
from .activation import Tanh as Tanh
from .base import Layer as Layer
from .conv import Conv2D as Conv2D
from .dense import Dense as Dense
from .local import LocallyConnected2D as LocallyConnected2D
from .norm import BatchNorm as BatchNorm
from .norm import Dropout as Dropout
from .pooling import AveragePool2D as AveragePool2D
from .pooling import BlurPool2D as BlurPool2D
from .pooling import GlobalAveragePool2D as GlobalAveragePool2D
from .pooling import MaxPool2D as MaxPool2D
from .residual import Residual as Residual
from .shape import Flatten as Flatten
from .shape import Reshape as Reshape

# by the names used in model files and TOML
LAYERS: dict[str, type[Layer]] = {
    name: value
    for name, value in sorted(globals().items())
    if isinstance(value, type) and issubclass(value, Layer) and value is not Layer
}

if not TYPE_CHECKING:  # type checkers follow the imports above; at run time this keeps the files' own names out of `nn`
    __all__ = ["LAYERS", "Layer", *LAYERS]
