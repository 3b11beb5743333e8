"""Event files for TensorBoard: the history and the metrics of every finished trial, grouped by study and arm.

They are made from finished trials, so a run that is killed loses nothing, and the same trials make the same bytes:
writing again replaces the files. TensorBoard itself is not needed; it reads them with ``tensorboard --logdir DIR``.

An event file is a sequence of TFRecords: length (8 bytes), its checksum, an ``Event`` in protocol-buffer encoding, its
checksum. Libraries that write them name a file by the time and the machine, so that writing twice gives every curve
twice, and bring 3 MiB (tensorboardX with protobuf) or 60 (tensorboard with gRPC) for the five fields below. Sources:
TensorFlow's ``lib/io/record_writer.h``, ``util/event.proto`` and ``framework/summary.proto``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ...files import make_folder, write_atomically
from ..trial import Trial
from .result import StudyResult

FILE = "events.out.tfevents.0.convlens"
"""Name of the file of each trial; TensorBoard takes any with ``tfevents`` in it."""

_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')  # of folders, on one system or another
_POLYNOMIAL = 0x82F63B78  # of CRC-32C, reflected
_MASK = 0xA282EAD8


def write_events(result: StudyResult, folder: str | Path) -> list[Path]:
    """Write ``folder/STUDY-PROFILE/ARM/seed-N`` for every trial of a result; return the paths of the files.

    Each has the metrics after every epoch (``accuracy/train``, ``loss/validation``: one chart for all splits beside
    each other) and, at the last epoch, those of the trial (``final/test.accuracy``).

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    top, written = Path(folder) / f"{result.name}-{result.evidence.profile.name}", []
    for arm in result.arms:
        for trial in arm.trials:
            path = top / _NOT_IN_NAMES.sub("_", arm.name) / f"seed-{trial.seed}" / FILE
            make_folder(path.parent)
            write_atomically(path, events(trial))
            written.append(path)
    return written


def events(trial: Trial) -> bytes:
    """Return the content of a trial's event file."""
    seconds = datetime.fromisoformat(trial.created).timestamp()
    records = [_record(_double(1, seconds) + _bytes(3, b"brain.Event:2"))]
    last = 0
    for number, row in enumerate(_rows(trial), 1):
        last = int(row.get("epoch", number))
        found = {_tag(name): value for name, value in row.items() if name != "epoch"}
        records.append(_record(_event(seconds, last, found)))
    final = {f"final/{name}": value for name, value in sorted(trial.metrics.items())}
    records.append(_record(_event(seconds, last, final)))
    return b"".join(records)


def _rows(trial: Trial) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the history that are mappings: other executors may keep something else there."""
    for row in trial.history if isinstance(trial.history, list) else []:
        if isinstance(row, Mapping):
            yield row


def _tag(name: str) -> str:
    """Return the name under which splits share a chart: ``train.loss`` becomes ``loss/train``."""
    split, dot, what = name.partition(".")
    return f"{what}/{split}" if dot else f"training/{name}"


def _event(seconds: float, step: int, scalars: Mapping[str, Any]) -> bytes:
    """Return an ``Event``: wall_time = 1, step = 2, summary = 5; of its values: tag = 1, simple_value = 2."""
    values = b"".join(
        _bytes(1, _bytes(1, tag.encode()) + _key(2, 5) + struct.pack("<f", value))
        for tag, value in scalars.items()
        if isinstance(value, int | float)
    )
    return _double(1, seconds) + _key(2, 0) + _varint(step) + _bytes(5, values)


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _bytes(field: int, content: bytes) -> bytes:
    return _key(field, 2) + _varint(len(content)) + content


def _key(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(number: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first; all but the last have the high bit set."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes((*groups, number))


def _record(content: bytes) -> bytes:
    """Return a TFRecord."""
    length = struct.pack("<Q", len(content))
    return length + _checksum(length) + content + _checksum(content)


def _checksum(content: bytes) -> bytes:
    """Return the masked CRC-32C: rotated right by 15 bits, plus a constant."""
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)


def crc32c(content: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes, as in RFC 3720."""
    crc, table = 0xFFFFFFFF, _table()
    for byte in content:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        entry = byte
        for _ in range(8):
            entry = entry >> 1 ^ (_POLYNOMIAL if entry & 1 else 0)
        table.append(entry)
    return tuple(table)
