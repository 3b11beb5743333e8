"""What an image of one's own runs: ``python -m convlens.deploy.sagemaker.container serve``, or ``train``.

SageMaker starts a container with one of these words. Everything that goes in and out is in ``/opt/ml``, or in the
folder that the environment variable ``SAGEMAKER_BASE_DIR`` names. ``CONVLENS_HOST`` is the address to serve at, if not
all of the container's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import ConfigurationError, ConvlensError, nearest
from ...names import shown
from ...signals import STOPPED_CODE, STOPPED_LINE, interrupt_when_asked
from .package import MODEL

ROOT = "/opt/ml"
ROOT_VARIABLE = "SAGEMAKER_BASE_DIR"
HOST_VARIABLE = "CONVLENS_HOST"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - requests reach a container from outside


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serve or train, as the one argument says; return the exit code."""
    root = Path(environment.get(ROOT_VARIABLE) or ROOT)
    try:
        if len(arguments) != 1 or arguments[0] not in VERBS:
            given = " ".join(arguments)
            raise ConfigurationError(f"expected the argument serve or train, not {given!r}{nearest(given, VERBS)}")
        return VERBS[arguments[0]](root, environment)
    except ConvlensError as error:
        sys.stderr.write(f"convlens: {shown(error)}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write(f"convlens: {STOPPED_LINE}\n")
        return STOPPED_CODE


def serve(root: Path, environment: Mapping[str, str]) -> int:
    """Serve the model that SageMaker has unpacked, until SIGTERM.

    Raises
    ------
    ArtifactError
        If the folder does not hold what `package` packs, whole.
    """
    from ... import serve as server  # when needed: training does without its packages
    from .archive import check

    check(root / "model")
    host = environment.get(HOST_VARIABLE) or EVERYWHERE
    server.run([root / "model" / MODEL], server.Settings.from_environment(environment, host=host))
    return 0


def train(root: Path, environment: Mapping[str, str]) -> int:
    """Train as SageMaker asks; see `training.train`."""
    del environment
    from . import training

    return training.train(root)


VERBS = {"serve": serve, "train": train}

if __name__ == "__main__":
    interrupt_when_asked()
    sys.exit(main(sys.argv[1:], os.environ))
