"""What the arrays of a file are, by their names: images or labels, for training, validation or test.

::

    x_train y_train x_val y_val x_test y_test      Keras; also X_train, xTrain, train_x
    train_images train_labels val_images ...       MedMNIST
    images labels,  X y,  data target              one set
    class_names                                    also label_names, target_names, classes

Upper and lower case, and the order of the two words, do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from ...errors import DataError
from ..labels import listed

Part: TypeAlias = Literal["train", "validation", "test"]

_PARTS: dict[str, Part] = {
    "train": "train", "training": "train", "tr": "train", "trn": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test", "te": "test", "tst": "test", "eval": "test",
}  # fmt: skip
_IMAGES = frozenset(
    {
        "x",
        "xs",
        "image",
        "images",
        "img",
        "imgs",
        "data",
        "feature",
        "features",
        "pixel",
        "pixels",
        "picture",
        "pictures",
        "input",
        "inputs",
    }
)
_LABELS = frozenset(
    {"y", "ys", "label", "labels", "target", "targets", "lbl", "lbls", "class", "output", "outputs", "digit", "digits"}
)
_FUSED = re.compile(f"([xy])({'|'.join(_PARTS)})", re.IGNORECASE)  # xtrain
_FILLERS = frozenset({"set", "orig", "array", "arr"})  # they say nothing: train_set_x
_CLASS_NAMES = frozenset({"classnames", "labelnames", "targetnames", "classes", "categories"})


_CALLED: dict[Part, str] = {"train": "training", "validation": "validation", "test": "test"}


class ArrayNames(NamedTuple):
    """The names of arrays in a file."""

    parts: dict[Part, tuple[str, str]]  # images and labels of each part
    class_names: str | None
    others: list[str]  # unused


def array_names(names: Iterable[str], where: str, expected: str, *, evaluating: bool = False) -> ArrayNames:
    """Find out what arrays are.

    Parameters
    ----------
    names
        Of all arrays of the file.
    where
        The file's name in messages.
    expected
        What such a file holds, for the message.
    evaluating
        Whether a test set is enough.

    Raises
    ------
    DataError
        If there are no training images and labels, an array of a pair is missing, or two could be the same.
    """
    names, found = set(names), dict[tuple[Part, str], str]()
    class_names, others = None, []
    for name in sorted(names):
        place = _place(name)
        if place is None and class_names is None and re.sub(r"[\W_]", "", name.lower()) in _CLASS_NAMES:
            class_names = name
        elif place is None:
            others.append(name)
        elif place in found:
            raise DataError(
                f"{where}: both {found[place]} and {name} could be the {_CALLED[place[0]]} {place[1]}; remove one"
            )
        else:
            found[place] = name
    needed: list[Part] = ["train", "validation", "test"] if evaluating else ["train"]
    if not any((part, kind) in found for part in needed for kind in ("images", "labels")):
        there = listed(sorted(names), 5) or "nothing"
        advice = ": give the arrays names, np.savez(path, images=..., labels=...)" if "arr_0" in names else ""
        raise DataError(f"{where}: holds {there}; expected {expected}{advice}")
    parts: dict[Part, tuple[str, str]] = {}
    for part in ("train", "validation", "test"):
        pair = [found.get((part, kind)) for kind in ("images", "labels")]
        if pair[0] is not None and pair[1] is not None:
            parts[part] = pair[0], pair[1]
        elif pair != [None, None]:
            raise DataError(_half(where, part, pair[0], pair[1], others))
    return ArrayNames(parts, class_names, others)


def _place(name: str) -> tuple[Part, str] | None:
    """Return part and kind of an array, or None if its name does not say."""
    words = re.findall(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]*|\d+", name)
    if len(words) == 1 and (fused := _FUSED.fullmatch(words[0])):
        words = list(fused.groups())
    words = [word.lower() for word in words if word.lower() not in _FILLERS]
    parts = [_PARTS[word] for word in words if word in _PARTS]
    kinds = ["images" if word in _IMAGES else "labels" for word in words if word in _IMAGES | _LABELS]
    if len(parts) > 1 or len(kinds) != 1 or len(parts) + len(kinds) != len(words):
        return None
    return (parts[0] if parts else "train"), kinds[0]


def _half(where: str, part: Part, images: str | None, labels: str | None, others: list[str]) -> str:
    """Return the message about images without labels, or labels without images."""
    unknown = f" (not used: {listed(others, 5)})" if others else ""
    if labels is not None:
        return f"{where}: has the labels {labels}, but no images for them{unknown}; add them"
    advice = "add them, or leave the images out"
    if part == "train":
        advice = "add them: training and evaluating need the right answers, and only predicting does without"
    return f"{where}: has the images {images}, but no labels for them{unknown}; {advice}"
