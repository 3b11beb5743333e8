"""``python -m convlens``, and the command ``convlens``: started here, so that Ctrl-C is one line from the beginning."""

from __future__ import annotations

import os

from .signals import interrupt_when_asked


def main() -> None:
    """Run the command line."""
    interrupt_when_asked()
    # macOS: NumPy's Accelerate heeds nothing else, and trials in processes of their own inherit it (see engine/blas.py)
    os.environ.setdefault("VECLIB_MAXIMUM_THREADS", "1")
    from .cli.main import main as run

    run()


if __name__ == "__main__":
    main()
