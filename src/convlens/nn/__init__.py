"""Layers, and the model that is built from them.

Reading order: `layers.base` (what a layer is), `layers.conv`, `builder` (collects what layers are lowered to),
`initializers`, `model`, `saved` (reads its file), `summary`, `serialize`.
"""

from .layers import *  # noqa: F403 - every layer, once it has its line in `layers`
from .model import Model as Model
from .saved import load as load
