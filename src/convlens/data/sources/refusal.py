"""What is said of a file or folder that no format recognises: what it is, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...pictures.formats import PICTURE_SUFFIXES
from .folder_layout import entries, unsorted

_UNPACK = "unpack it, and give the file or folder that was in it"
_AS_NPZ = "save images and labels in an .npz file: np.savez('data.npz', images=..., labels=...)"
_KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "an archive": ((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".tbz2", ".txz"), _UNPACK),
    "a NumPy file of one array": ((".npy",), _AS_NPZ),
    "a MATLAB file": ((".mat",), _AS_NPZ),
    "an HDF5 file": ((".h5", ".hdf5"), _AS_NPZ),
    "a Parquet or Arrow file": ((".parquet", ".arrow", ".feather"), _AS_NPZ),
    "a file of Python objects, which are never read": ((".pkl", ".pickle", ".pt", ".pth", ".joblib"), _AS_NPZ),
    "a file of records": ((".tfrecord", ".tfrecords", ".lmdb", ".mdb", ".jsonl", ".arff", ".sqlite", ".db"), _AS_NPZ),
    "a spreadsheet": ((".xlsx", ".xls", ".ods"), "save it as CSV: label,pixel0,pixel1,... in each row"),
    "a text file": ((".txt", ".dat", ".data"), "if it is a table of labels and pixels, give it the ending .csv"),
    "a model": ((".safetensors", ".keras", ".onnx", ".checkpoint"), "give the data: --data takes images and labels"),
    "an IDX file": (("-ubyte", ".idx"), "give the folder, which holds images and labels"),
}


def refusal(path: Path, expected: Sequence[str]) -> str:
    """Return the message for a path that exists, in one line.

    Parameters
    ----------
    path
        A file or folder.
    expected
        What each format expects.
    """
    formats = "; or ".join(expected)
    if path.is_dir():
        return _of_folder(path, formats)
    if not path.is_file():
        return f"{path}: is neither a file nor a folder, but a pipe or a device; expected {formats}"
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return (
            f"{path}: is one picture; give the folder that holds a folder of images for each class (to have a model "
            f"classify the picture: convlens predict --model MODEL {path.name})"
        )
    name = path.name.lower()
    for kind, (endings, advice) in _KINDS.items():
        if name.endswith(endings) or (kind == "an IDX file" and "-idx" in name):
            return f"{path}: is {kind}; {advice}"
    return f"{path}: is a file of an unknown kind; expected {formats}"


def _of_folder(folder: Path, formats: str) -> str:
    files = entries(folder).files
    if said := unsorted(folder, files):
        return said
    for ending in (".npz", ".zip", ".tar", ".tar.gz", ".tgz"):
        if found := [file for file in files if file.name.lower().endswith(ending)]:
            advice = f"give the file, {found[0]}" if ending == ".npz" else f"unpack {found[0].name} first"
            return f"{folder}: holds {found[0].name}, but is no data set itself; {advice}"
    if not files:
        return f"{folder}: is empty; expected {formats}"
    return f"{folder}: holds no data that convlens can read; expected {formats}"
