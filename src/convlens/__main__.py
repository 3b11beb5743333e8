"""``python -m convlens``."""

from .cli.main import main

main()
