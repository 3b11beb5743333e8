"""``python -m convlens``, and the command ``convlens``: started here, so that Ctrl-C is one line from the beginning."""

from __future__ import annotations

from .signals import interrupt_when_asked


def main() -> None:
    """Run the command line."""
    interrupt_when_asked()
    from .cli.main import main as run

    run()


if __name__ == "__main__":
    main()
