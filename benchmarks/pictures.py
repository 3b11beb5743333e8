"""How well a model reads pictures of digits that people bring, and whether it doubts what is no digit.

    python benchmarks/pictures.py --json benchmarks/results/pictures.json

Trains the CNN by recipe good, seed 0. Then draws digits as pictures of every kind (see `drawings`): dark ink on paper,
clean, and with a frame, rulings, a shadow, and so on; and reports the accuracy of each kind beside that of the clean
pictures. Then draws letters that are not shaped like digits, and other shapes, and reports which share is doubted as
unlike the training images, beside the share of the digits that is (false alarms). Everything was chosen on pictures
made of validation digits, and on letters of the fonts `TUNED_ON`; the test set's digits and the fonts `JUDGED_ON` are
read with `--split test`, once.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np

import convlens as cl
import drawings
from convlens.data import Examples
from convlens.pictures import prepare_digit
from convlens.predictor import SURE
from convlens.train import fit
from convlens.version import NUMERICS_VERSION

SHAPE = (28, 28, 1)
# Left out beforehand, since a reader could take them for a digit: O, o, D and Q for 0; I, i, l and j for 1; Z, z for 2;
# S, s for 5; b, G for 6; B for 8; g, q for 9.
LETTERS = "ACEFHJKLMNPRTUVWXYacdefhkmnprtuvwxy"
TUNED_ON = {"DejaVu Sans": "DejaVuSans", "DejaVu Sans Mono": "DejaVuSansMono", "STIX": "STIXGeneral"}
JUDGED_ON = {"DejaVu Serif": "DejaVuSerif", "Computer Modern": "cmr10", "CM Typewriter": "cmtt10"}
PICTURES_A_LETTER = 3


class Seen(NamedTuple):
    """Pictures of one kind, prepared: images (N, H, W, C), whether each was warned of, and seconds for each."""

    images: np.ndarray
    warned: np.ndarray
    seconds: float


def prepared(pictures: Iterable[np.ndarray]) -> Seen:
    images, warned, taken = [], [], []
    for picture in pictures:
        start = time.process_time()
        image, account = prepare_digit(picture, SHAPE)
        taken.append(time.process_time() - start)
        images.append(image)
        warned.append(bool(account.warnings))
    return Seen(np.stack(images), np.array(warned), float(np.mean(taken)))


def of_kind(kind: str, digits: np.ndarray) -> Seen:
    return prepared(drawings.KINDS[kind](digit, seed) for seed, digit in enumerate(digits))


def of_font(name: str, characters: str = LETTERS) -> Seen:
    font = Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    seeds = range(1000, 1000 + PICTURES_A_LETTER)
    return prepared(drawings.letter(one, font, seed).pixels() for one in characters for seed in seeds)


def of_shape(name: str) -> Seen:
    return prepared(drawings.SHAPES[name](seed) for seed in range(30))


def share(values: np.ndarray) -> float:
    return round(float(np.mean(values)), 4)


def doubted(model: cl.nn.Model, seen: Seen) -> dict[str, float]:
    """Return the shares unlike the training images, not probable enough, warned of, and doubted for any reason."""
    assert model.doubt is not None
    unlike = model.doubt(model, seen.images)
    unsure = model.doubt.calibrated(model.logits(seen.images)).max(axis=1) < SURE
    reasons = {"unlike": unlike, "unsure": unsure, "warned": seen.warned, "any doubt": unlike | unsure | seen.warned}
    return {reason: share(doubted) for reason, doubted in reasons.items()}


Rows = dict[str, dict[str, float]]


def accuracies(model: cl.nn.Model, examples: Examples, number: int, pool: Any) -> Iterator[Rows]:
    """Yield the rows so far, after every kind of picture."""
    digits, labels = examples.images[-number:, ..., 0], examples.labels[-number:]
    rows: Rows = {}
    for kind, seen in zip(drawings.KINDS, pool.imap(partial(of_kind, digits=digits), drawings.KINDS), strict=True):
        accuracy = share(model.predict(seen.images) == labels)
        clean = rows[drawings.CLEAN]["accuracy"] if rows else accuracy
        rows[kind] = {"accuracy": accuracy, "difference": round(accuracy - clean, 4)} | doubted(model, seen)
        rows[kind]["milliseconds"] = round(1000 * seen.seconds, 1)
        print(f"{kind:38}{100 * accuracy:7.1f} %{100 * (accuracy - clean):+6.1f}   "
              f"any doubt {100 * rows[kind]['any doubt']:5.1f} %", flush=True)  # fmt: skip
        yield rows


def doubts(model: cl.nn.Model, examples: Examples, fonts: Sequence[str], pool: Any) -> dict[str, Any]:
    images = examples.images
    own = doubted(model, Seen(images, np.zeros(len(images), bool), 0.0))
    letters = dict(zip(fonts, pool.imap(of_font, [{**TUNED_ON, **JUDGED_ON}[font] for font in fonts]), strict=True))
    shapes = zip(drawings.SHAPES, pool.imap(of_shape, drawings.SHAPES), strict=True)
    every = Seen(*(np.concatenate(part) for part in list(zip(*letters.values(), strict=True))[:2]), 0.0)
    assert model.doubt is not None
    return {
        "temperature": model.doubt.temperature,
        "false alarms": own,
        "letters": doubted(model, every),
        "fonts": {font: doubted(model, seen) for font, seen in letters.items()},
        "shapes": {name: doubted(model, seen) for name, seen in shapes},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--digits", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    digits = cl.data.load("mnist")
    examples = digits.test if given.split == "test" else digits.validation
    found: dict[str, Any] = {
        "split": given.split,
        "digits": given.digits,
        "model": "cnn, recipe good, seed 0",
        "letters": LETTERS,
        "fonts tuned on": list(TUNED_ON),
        "numerics_version": NUMERICS_VERSION,
    }
    with get_context("spawn").Pool(given.processes) as pool:
        model = cl.models.build("cnn", seed=0)
        fit(model, digits, "good", test=False, progress=False)
        found["doubts"] = doubts(model, examples, list(JUDGED_ON if given.split == "test" else TUNED_ON), pool)
        print(json.dumps(found["doubts"], indent=1))
        for found["pictures"] in accuracies(model, examples, given.digits, pool):
            if given.json is not None:
                given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
