"""The first layer's kernels of a trained CNN: the patterns it responds to."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ..claims.reproduction import BEST_CNN, Reproduction
from ..errors import ArtifactError
from ..nn import load
from ..studies.executors.training import model_path
from ..typing import Array
from .picture import Picture
from .style import Look

SEED = 0
_NAME, _HEADING = "filters", f"What the first layer looks for: “{BEST_CNN}”, seed {SEED}"
_COLOURS = "PuOr"  # diverging, light in the middle, safe for colour-blind readers (Brewer)


def picture(reproduction: Reproduction) -> Picture:
    """Return the first layer's filters of the saved model, or the reason why there are none."""
    found = _kernels(reproduction)
    if isinstance(found, str):
        return Picture(_NAME, _HEADING, f"The filters are not shown: {found}")
    height, width, channels, count = found.shape
    caption = (
        f"The {count} kernels of {height}x{width} weights of the first convolution, after training (n = 1 network, "
        "the first seed: an example, not a measurement). Purple weights are positive, orange negative, white zero, on "
        "one scale for all. A kernel with purple beside orange responds to an edge between them."
        + (" The mean over input channels is shown." if channels > 1 else "")
    )
    alt = f"{count} trained kernels of {height}x{width} weights, from {found.min():.2f} to {found.max():.2f}."
    return Picture(_NAME, _HEADING, caption, alt, partial(_draw, found.mean(axis=2)))


def _kernels(reproduction: Reproduction) -> Array | str:
    """Return the kernels (KH, KW, C_in, C_out), or a sentence that says why there are none."""
    arm = reproduction.best_cnn()
    trial = next((t for t in arm.trials if t.seed == SEED), None) if arm else None
    if trial is None:
        return f"the trial of “{BEST_CNN}” with seed {SEED} has not been run."
    if reproduction.models_folder is None:
        return "no trained models were kept."
    path = model_path(reproduction.models_folder, trial.key)
    if not path.exists():
        return f"the model file {path.name} is missing; start with an empty folder to train it again."
    try:
        parameters = load(path).parameters
    except ArtifactError as error:
        return f"the trained model cannot be read ({error})."
    kernels = next((view for view in parameters.values() if view.ndim == 4), None)
    return "the model has no convolution." if kernels is None else np.array(kernels)


def _draw(kernels: Array, look: Look) -> Figure:
    count = kernels.shape[-1]
    columns = min(count, 4 if look.narrow else 8)
    rows = math.ceil(count / columns)
    figure = look.figure(rows * (0.86 if look.narrow else 1.16) + 0.8)
    panels = figure.subplots(rows, columns, squeeze=False)
    largest = float(np.abs(kernels).max()) or 1.0
    norm = Normalize(-largest, largest)
    for index, axes in enumerate(panels.ravel()):
        axes.set_axis_off()
        if index < count:
            axes.imshow(kernels[..., index], cmap=_COLOURS, norm=norm, interpolation="nearest")
            axes.set_title(str(index + 1), loc="center", fontsize=look.type_size * 0.8, fontweight="normal", pad=2)
    bar = figure.colorbar(
        ScalarMappable(norm, _COLOURS), ax=panels, location="bottom", fraction=0.06, aspect=40, label="weight"
    )
    bar.outline.set_visible(False)
    return figure
