"""Results that ship with the package: one JSON file a study, with every trial, and a checksum.

`write_shipped` writes one from a result, `read_shipped` reads it back as the same `StudyResult`, marked as stored. So
the report, the notebook and ``convlens study show`` work at once, offline, with the numbers of the `standard` profile;
nothing in them replaces what a user runs. ``convlens study verify`` runs a stored trial again and compares its bits.

The file holds the declaration of study and profile, and of every trial its metrics, curves (maps in float32) and
history. Predicted classes are kept for the arms of the primary estimand, as differences from the true class, which
compress to almost nothing; for all other arms and contrasts, what their predictions said (`ByImage`). Configurations
are written once an arm, and every trial's key is computed again when it is read. All of it follows from the store of
trials: a result that is read from there and written again is the same file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArtifactError, ConfigurationError, ConvlensError, nearest
from ...files import make_folder, write_atomically
from ...plain import canonical
from ...typing import Array
from ..assessment.by_image import ByImage
from ..assessment.evidence import assess
from ..spec import Arm, Profile, Study
from ..storage.register import DrawnVerdict, Registration
from ..trial import Trial, trial_key
from .result import StudyResult

FOLDER = Path(__file__).parents[1] / "stored"
FORMAT_VERSION = 3
LONGEST_HISTORY, THINNED_HISTORY = 12, 6
"""Rows of the longest history that is kept whole, and about how many of a longer one are: every k-th, and the last."""

_SUM = "sha256"


def write_shipped(result: StudyResult, path: Path) -> None:
    """Write a result as a file that `read_shipped` reads.

    Raises
    ------
    ConfigurationError
        If trials are missing, or arms were left out: what ships is complete.
    OutputError
        If it cannot be written.
    """
    if result.evidence.missing:
        raise ConfigurationError(
            f"the result of {result.name!r} lacks {result.evidence.missing} of its trials; run the study to its end"
        )
    if result.left_out:
        names = ", ".join(result.left_out)
        raise ConfigurationError(f"the result of {result.name!r} is without {names}, which cannot be run here")
    make_folder(path.parent)
    write_atomically(path, _text(_contents(result)).encode())


def read_shipped(name: str, folder: Path = FOLDER) -> StudyResult:
    """Return the stored result of a study.

    Parameters
    ----------
    name
        The study's.
    folder
        Where the files are; by default those of the package.

    Raises
    ------
    ConfigurationError
        If there is none of this name.
    ArtifactError
        If the file is damaged, or was edited.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        known = shipped_names(folder)
        raise ConfigurationError(f"no result of the study {name!r} is stored{nearest(name, known)}")
    try:
        contents = json.loads(path.read_bytes())
        kept = contents.pop(_SUM)
        if hashlib.sha256(canonical(contents).encode()).hexdigest() != kept:
            raise ArtifactError(
                f"{path} does not have the checksum that it states: it was edited or damaged; "
                "install convlens again, or make the results again with “make studies”"
            )
        if contents["format_version"] != FORMAT_VERSION:
            raise ArtifactError(
                f"{path} is of format version {contents['format_version']}, and this convlens reads {FORMAT_VERSION}; "
                f"write it again: convlens study export {name} --format stored --to {folder}"
            )
        return _result(contents)
    except ArtifactError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, ConvlensError) as error:
        raise ArtifactError(f"{path} is damaged ({error}); install convlens again") from error


def shipped_names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the studies whose results are stored."""
    return sorted(path.stem for path in folder.glob("*.json"))


def thinned(history: Any) -> Any:
    """Return a history of at most `LONGEST_HISTORY` rows as it is, and about `THINNED_HISTORY` rows of a longer one."""
    if not isinstance(history, Sequence) or len(history) <= LONGEST_HISTORY:
        return history
    step = -(-len(history) // THINNED_HISTORY)
    return list(history)[::-step][::-1]


def _text(contents: Mapping[str, Any]) -> str:
    """Return sorted JSON, a part or a trial on a line, so that a change of one is a change of one line."""
    whole = {**contents, _SUM: hashlib.sha256(canonical(contents).encode()).hexdigest()}
    parts = {name: _line(part) for name, part in whole.items()}
    trials = ",\n".join(map(_line, whole["trials"]))
    parts["trials"] = f"[\n{trials}\n]"
    return "{\n" + ",\n".join(f'"{name}":{parts[name]}' for name in sorted(parts)) + "\n}\n"


def _line(part: Any) -> str:
    return json.dumps(part, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _contents(result: StudyResult) -> dict[str, Any]:
    evidence = result.evidence
    primary = evidence.primary.estimand
    labels: dict[str, Any] = {}
    provenances: dict[str, int] = {}
    trials = []
    for arm in result.arms:
        whole = arm.name in (primary.arm, primary.reference)
        for trial in arm.trials:
            told = {key: value for key, value in trial.provenance.items() if key not in ("started", "finished")}
            number = provenances.setdefault(canonical(told), len(provenances))
            other = {} if trial.study == result.name else {"study": trial.study}
            trials.append({**_trial(arm.name, trial, number, labels if whole else None), **other})
    return {
        "format_version": FORMAT_VERSION,
        "study": evidence.declared.to_dict(),
        "profile": evidence.profile.to_dict(),
        "numerics_version": evidence.numerics_version,
        "command": f"convlens study run {result.name} --profile {evidence.profile.name}",  # in anybody's folder
        "started": result.started if result.stored else _first_start(result),
        "networks": dict(result.networks),
        "by_image": evidence.by_image.to_dict(),
        "declared": [one.to_dict() for one in result.declared],
        "drawn": [one.to_dict() for one in result.drawn],
        "labels": labels,
        "provenance": [json.loads(text) for text in provenances],
        "trials": trials,
    }


def _first_start(result: StudyResult) -> str:
    """Return when the first of the trials was started, ISO 8601, UTC: reading them from a store is no measurement."""
    return min(str(trial.provenance.get("started", trial.created)) for trial in result.trials)


def _trial(arm: str, trial: Trial, provenance: int, labels: dict[str, Any] | None) -> dict[str, Any]:
    """Return a trial as plain JSON; its predictions only if there are `labels` to add the true classes to."""
    found: dict[str, Any] = {
        "arm": arm,
        "seed": trial.seed,
        "key": trial.key,
        "created": trial.created,
        "metrics": dict(trial.metrics),
        "provenance": provenance,
    }
    if trial.history:
        found |= _history(thinned(trial.history))
    if "seconds.train" not in trial.metrics and "started" in trial.provenance:
        found["started"] = trial.provenance["started"]  # of no other trial is anything else known of its time
    if trial.curves:
        found["curves"] = {name: _curve(array) for name, array in trial.curves.items()}
    for split in ("test",) if labels is not None else ():
        if split in trial.predictions and split in trial.labels:
            true = trial.labels[split]
            name = hashlib.sha256(true.tobytes()).hexdigest()[:16]
            assert labels is not None
            labels.setdefault(name, {"type": true.dtype.str, "values": _packed(true)})
            wrong = (trial.predictions[split].astype(np.int32) - true).astype(np.int16)
            found |= {"labels": {split: name}, "wrong": {split: _packed(wrong)}}
    return found


def _curve(array: Array) -> dict[str, Any]:
    """Return a curve as plain JSON: its numbers; of a map, float32 and packed, because maps are most of a file."""
    if array.ndim < 2:
        return {"shape": list(array.shape), "type": array.dtype.str, "values": array.ravel().tolist()}
    return {"shape": list(array.shape), "type": "<f4", "packed": _packed(array.astype(np.float32))}


def _curve_of(given: Mapping[str, Any]) -> Array:
    """Return the curve that `_curve` wrote."""
    kind = given["type"]
    flat = _unpacked(given["packed"], kind) if "packed" in given else np.array(given["values"], np.dtype(kind))
    return flat.reshape(given["shape"])


def _history(rows: Any) -> dict[str, Any]:
    """Return a history as columns, which say every name once; as it is, if its rows differ in their names."""
    alike = isinstance(rows, list) and all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows)
    return {"columns": {name: [row[name] for row in rows] for name in rows[0]}} if alike else {"history": rows}


def _rows(given: Mapping[str, Any]) -> Any:
    """Return the history that `_history` wrote; None without one."""
    if "columns" not in given:
        return given.get("history")
    columns = given["columns"]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _packed(array: Array) -> str:
    little_endian = array.astype(array.dtype.newbyteorder("<"))
    return base64.b64encode(zlib.compress(little_endian.tobytes(), 9)).decode()


def _unpacked(text: str, kind: str) -> Array:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.dtype(kind))


def _result(contents: Mapping[str, Any]) -> StudyResult:
    study, profile = Study.from_dict(contents["study"]), Profile.from_dict(contents["profile"])
    arms = {arm.name: arm for arm in study.under(profile).arms}
    labels = {name: _unpacked(one["values"], one["type"]) for name, one in contents["labels"].items()}
    version = int(contents["numerics_version"])
    trials = [
        _read(
            {"study": study.name, **one}, arms[one["arm"]], version, labels, contents["provenance"][one["provenance"]]
        )
        for one in contents["trials"]
    ]
    return StudyResult(
        assess(study, trials, profile, kept=ByImage.from_dict(contents["by_image"])),
        trials,
        (),
        contents["command"],
        0.0,
        contents["started"],
        tuple(Registration(**one) for one in contents["declared"]),
        tuple(DrawnVerdict(**one) for one in contents["drawn"]),
        stored=True,
        networks=contents["networks"],
    )


def _read(
    given: Mapping[str, Any], arm: Arm, version: int, labels: Mapping[str, Array], provenance: Mapping[str, Any]
) -> Trial:
    if trial_key(arm.configuration, given["seed"], version) != given["key"]:
        raise ValueError(f"trial {arm.name!r}, seed {given['seed']}, is not of the configuration of its arm")
    true = {split: labels[name] for split, name in given.get("labels", {}).items()}
    predicted = {
        split: (_unpacked(text, "<i2") + true[split]).astype(true[split].dtype)
        for split, text in given.get("wrong", {}).items()
    }
    curves = {name: _curve_of(one) for name, one in given.get("curves", {}).items()}
    return Trial(
        study=given["study"],
        arm=given["arm"],
        seed=given["seed"],
        configuration=arm.configuration,
        numerics_version=version,
        metrics=given["metrics"],
        history=_rows(given),
        predictions=predicted,
        labels=true,
        curves=curves,
        provenance={**provenance, **({"started": given["started"]} if "started" in given else {})},
        created=given["created"],
    )
