"""The claims of the project that this one succeeds, put to the test with the studies."""

from .reproduction import Reproduction as Reproduction
from .reproduction import reproduce as reproduce
