"""The claims of the project that this one succeeds, put to the test: a client of the studies, and nothing else."""

from .reproduction import Reproduction as Reproduction
from .reproduction import reproduce as reproduce
