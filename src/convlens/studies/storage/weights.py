"""Weights that other trials measure: one file each beside the store of trials, named by its content.

They can always be made again, by running the trial that trained them; so a file that is missing or damaged is one that
is not there, and results that are passed on need none.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...files import make_folder, write_atomically
from ..trial import TrialKey
from .store import TrialStore

FOLDER = "weights"


def keep_weights(store: TrialStore, key: TrialKey, weights: bytes) -> None:
    """Keep the weights that a trial trained.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    digest = hashlib.sha256(weights).hexdigest()
    path = _path(store, digest)
    if not path.exists():
        make_folder(path.parent)
        write_atomically(path, weights)
    store.write("INSERT OR REPLACE INTO weights VALUES (?, ?)", (key, digest))


def kept_weights(store: TrialStore, key: TrialKey) -> bytes | None:
    """Return the weights that a trial trained; None if none are kept, or their file has changed."""
    for (digest,) in store.rows("SELECT digest FROM weights WHERE key = ?", (key,)):
        try:
            content = _path(store, digest).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() == digest:
            return content
    return None


def _path(store: TrialStore, digest: str) -> Path:
    return store.folder / FOLDER / f"{digest}.f32"
