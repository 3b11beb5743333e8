"""Event files: the bytes that TensorBoard's own library writes, and read back by it where it is installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from convlens import report
from convlens.cli.main import app
from convlens.errors import OutputError
from convlens.studies import catalog, run_study, write_events
from convlens.studies.pools.pool import LocalPool
from convlens.studies.results import tensorboard
from convlens.studies.results.result import StudyResult
from convlens.studies.spec import Arm, Profile

from .examples import THREE, configuration, execute, make_study, make_trial

# Written by tensorboard 2.21 with protobuf 7.36 (RecordWriter, Event, Summary): loss and accuracy at step 1, loss at
# step 150, two metrics at step 150.
GOLDEN = (
    "1800000000000000a37f4b22090000006021ddd9411a0d627261696e2e4576656e743a32679874db3c00000000000000c8b7a3520900000060"
    "21ddd94110012a2f0a110a0a6c6f73732f747261696e150000003f0a1a0a1361636375726163792f76616c69646174696f6e150000803e3947"
    "03662100000000000000017becf6090000006021ddd9411096012a130a110a0a6c6f73732f747261696e150000003ee7750bc7430000000000"
    "0000b18525a0090000006021ddd9411096012a350a170a1066696e616c2f706172616d657465727315000010410a1a0a1366696e616c2f7465"
    "73742e6163637572616379150000403f4d51bec5"
)


@pytest.fixture
def result(tmp_path: Path) -> StudyResult:
    return run_study(make_study(), THREE, folder=tmp_path / "trials", pool=LocalPool(execute))


def test_the_bytes_of_the_reference_implementation() -> None:
    history = [{"epoch": 1, "train.loss": 0.5, "validation.accuracy": 0.25}, {"epoch": 150, "train.loss": 0.125}]
    metrics = {"test.accuracy": 0.75, "parameters": 9.0}
    assert tensorboard.events(replace(make_trial(), metrics=metrics, history=history)).hex() == GOLDEN


@pytest.mark.parametrize(
    ("content", "crc"),
    [(bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E), (b"123456789", 0xE3069283)],
)
def test_checksums_are_those_of_rfc_3720(content: bytes, crc: int) -> None:
    assert tensorboard.crc32c(content) == crc


def test_a_folder_for_each_arm_and_seed_and_the_same_bytes_again(result: StudyResult, tmp_path: Path) -> None:
    written = write_events(result, tmp_path / "events")
    names = sorted(str(path.parent.relative_to(tmp_path / "events")) for path in written)
    assert names == [f"kernel-size-standard/{k}x{k}/seed-{seed}" for k in (3, 5, 7) for seed in range(3)]
    before = {path: path.read_bytes() for path in written}
    assert write_events(result, tmp_path / "events") == written
    assert {path: path.read_bytes() for path in (tmp_path / "events").rglob("*") if path.is_file()} == before


def test_names_that_are_no_folders_and_histories_that_are_no_tables(tmp_path: Path) -> None:
    study = make_study(arms=(Arm("a/b: c", configuration(3)), *make_study().arms[1:]), primary=replace(
        make_study().primary, arm="a/b: c"), secondary=())  # fmt: skip
    found = run_study(study, Profile("one", (0,)), folder=tmp_path / "trials", pool=LocalPool(execute))
    assert (tmp_path / "kernel-size-one" / "a_b_ c" / "seed-0") in [p.parent for p in write_events(found, tmp_path)]
    for history in (None, "text", [1, None], [{"epoch": 1, "note": "text", "rate": None}]):
        assert b"final/test.accuracy" in tensorboard.events(replace(make_trial(), history=history))


def test_a_folder_that_cannot_be_written(result: StudyResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_events(result, tmp_path / "file")


def test_the_command_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = catalog.StudyEntry("kernel-size", make_study, {"standard": THREE})
    monkeypatch.setattr(catalog, "entries", lambda *_: {"kernel-size": toy})
    monkeypatch.setattr(report, "write_study", lambda *_: [tmp_path / "report.html"])
    words = ["study", "run", "kernel-size", "--threads", "1", "--out", str(tmp_path), "--tensorboard"]
    assert CliRunner().invoke(app, [*words, str(tmp_path / "events")]).exception is None
    assert len(list((tmp_path / "events").rglob(tensorboard.FILE))) == 9


def test_tensorboard_reads_them(result: StudyResult, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = [{"epoch": e, "train.loss": 1 / e, "learning_rate": 0.01} for e in range(1, 400)]
    (tmp_path / tensorboard.FILE).write_bytes(tensorboard.events(replace(make_trial(), history=history)))
    found = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert found.Tags()["scalars"] == [
        "loss/train", "training/learning_rate", "final/parameters", "final/test.accuracy"
    ]  # fmt: skip
    read = found.Scalars("loss/train")
    assert [one.step for one in read] == list(range(1, 400))
    assert read[2].value == pytest.approx(1 / 3)
    assert found.Scalars("final/test.accuracy")[0].step == 399
