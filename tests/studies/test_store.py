"""What was stored stays, whatever happens; a file that is not a store is rejected and left unchanged."""

from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convlens
from convlens.errors import ArtifactError, DataError, OutputError
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import Failure, PlannedTrial, Trial, TrialOutcome

from .examples import all_trials, make_trial, planned_trial


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results" / "trials.sqlite"


def same(a: Trial, b: Trial) -> bool:
    arrays = [(a.predictions, b.predictions), (a.labels, b.labels), (a.curves, b.curves)]
    names = set(Trial.__dataclass_fields__) - {"predictions", "labels", "curves"}
    return all(getattr(a, name) == getattr(b, name) for name in names) and all(
        x.keys() == y.keys() and all(x[s].dtype == y[s].dtype and np.array_equal(x[s], y[s]) for s in x)
        for x, y in arrays
    )


def test_a_trial_comes_back_as_it_was(path):
    trial = make_trial()
    with TrialStore(path) as store:
        assert store.get(trial.key) is None
        assert store.put(trial)
        assert trial.key in store
    with TrialStore(path, read_only=True) as store:
        found = store.get(trial.key)
        assert found is not None
        assert same(found, trial)
        assert len(store) == 1


@given(
    st.dictionaries(st.sampled_from(["a", "b.c", "µ s"]), st.floats(allow_nan=False, allow_infinity=False)),
    st.lists(st.integers(0, 65535), max_size=9),
    st.integers(0, 2**63 - 1),
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)),
)
@settings(max_examples=25, deadline=None)
def test_any_outcome_makes_the_round_trip(tmp_path_factory, metrics, classes, seed, history):
    outcome = TrialOutcome(metrics, history, {"test": np.array(classes, np.uint16)}, provenance={"x": history})
    trial = Trial.of(planned_trial(seed), outcome, created="now")
    with TrialStore(tmp_path_factory.mktemp("round") / "s.sqlite") as store:
        store.put(trial)
        found = store.get(trial.key)
        assert found is not None
        assert same(found, trial)


def test_the_first_of_two_trials_with_one_key_stands(path):
    first = make_trial()
    later = Trial.of(planned_trial(study="later"), TrialOutcome({"test.accuracy": 0.1}), created="later")
    assert first.key == later.key
    with TrialStore(path) as store:
        assert (store.put(first), store.put(later), store.put(first)) == (True, False, False)
        found = store.get(first.key)
        assert found is not None
        assert same(found, first)


@pytest.mark.parametrize("array", [np.arange(12.0).reshape(3, 4), np.float32([[0.5]]), np.zeros((2, 0, 3), bool)])
def test_curves_come_back_with_shape_and_type(path, array):
    trial = Trial.of(planned_trial(), TrialOutcome({}, curves={"by shift": array, "again": array.T}), created="now")
    with TrialStore(path) as store:
        store.put(trial)
        found = store.get(trial.key)
    assert found is not None
    assert same(found, trial)
    assert found.curves["again"].shape == array.T.shape


@pytest.mark.parametrize("wrong", [np.array([np.nan]), np.array(["a"]), [1.0]])
def test_curves_are_finite_numbers(wrong):
    with pytest.raises(DataError, match="curve 'c'"):
        TrialOutcome({}, curves={"c": wrong})


def test_the_last_failure_is_kept_until_the_trial_is_finished(path):
    planned, other = planned_trial(), planned_trial(1)
    with TrialStore(path) as store:
        store.put_failure(planned, Failure("OSError", "first", "now"))
        store.put_failure(planned, Failure("DataError", "second", "later"))
        assert store.failure(planned.key) == Failure("DataError", "second", "later")
        assert store.failure(other.key) is None
        assert planned.key not in store
    with TrialStore(path) as store:
        assert store.failure(planned.key) is not None
        store.put(make_trial())
        assert store.failure(planned.key) is None


OLD = Path(__file__).parent / "stores" / "version-1.sqlite"  # written by the code before there were curves and failures


@pytest.mark.parametrize("read_only", [True, False])
def test_an_old_store_is_read_and_nothing_of_it_is_lost(path, read_only):
    path.parent.mkdir()
    path.write_bytes(OLD.read_bytes())
    for _ in range(2):  # opened for writing, it is given the newer tables once
        with TrialStore(path, read_only=read_only) as store:
            trials = all_trials(store)
            assert [(t.arm, t.seed) for t in trials] == [(arm, seed) for arm in ("3x3", "7x7") for seed in (0, 1)]
            assert all(t.curves == {} and t.predictions["test"].size == 50 for t in trials)
            assert trials[0].metrics == make_trial().metrics
            assert store.failure(trials[0].key) is None
    if read_only:
        assert path.read_bytes() == OLD.read_bytes()
    else:
        with TrialStore(path) as store:
            assert store.put(make_trial(5))
            store.put_failure(planned_trial(9), Failure("OSError", "x", "now"))
            assert len(all_trials(store)) == 5


def test_a_reader_sees_newer_tables_that_are_still_in_the_log(path):
    path.parent.mkdir()
    path.write_bytes(OLD.read_bytes())
    trial = make_trial(5)
    trial = dataclasses.replace(trial, curves={"by shift": np.arange(3.0)})
    with TrialStore(path) as store:
        store.put(trial)
        store.put_failure(planned_trial(9), Failure("OSError", "x", "now"))
        assert path.read_bytes()[60:64] == bytes((0, 0, 0, 1))  # the header's version: the upgrade is in the log
        with TrialStore(path, read_only=True) as reader:
            assert reader.failure(planned_trial(9).key) == Failure("OSError", "x", "now")
            found = reader.get(trial.key)
            assert found is not None
            assert found.curves["by shift"].tolist() == [0, 1, 2]


def test_labels_are_kept_once(path):
    with TrialStore(path) as store:
        for seed in range(5):
            store.put(make_trial(seed))
    with sqlite3.connect(path) as connection:
        count = connection.execute("SELECT count(*) FROM arrays").fetchone()[0]
    connection.close()
    assert count == 2  # one of predictions, the same for every seed here, and one of labels


def test_one_writer_and_any_readers(path):
    trial = make_trial()
    with TrialStore(path) as store:
        for again in (path, path.parent / ".." / path.parent.name / path.name):
            with pytest.raises(OutputError, match="being written by another run"):
                TrialStore(again)
        with TrialStore(path, read_only=True) as reader, TrialStore(path, read_only=True) as other:
            assert len(reader) == 0
            store.put(trial)
            assert len(reader) == len(other) == 1
            with pytest.raises(OutputError, match="reading only"):
                reader.put(trial)
    with TrialStore(path) as store:
        assert len(store) == 1


def test_a_closed_store_is_one_plain_file(path):
    with TrialStore(path) as store:
        store.put(make_trial())
    with TrialStore(path, read_only=True) as store:
        assert len(store) == 1
    assert sorted(p.name for p in path.parent.iterdir()) == ["trials.sqlite", "trials.sqlite.lock"]


def test_a_reader_that_outlives_the_writer(path):
    writer = TrialStore(path)
    writer.put(make_trial(0))
    reader = TrialStore(path, read_only=True)
    assert len(reader) == 1
    writer.close()
    writer.close()
    with TrialStore(path) as writer:
        writer.put(make_trial(1))
        assert len(reader) == 2
    reader.close()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_journal_that_a_killed_writer_left_is_undone(path, tmp_path, read_only):
    """Opening and closing switch the log on and off, with a rollback journal; a kill can leave one behind."""
    with TrialStore(path) as store:
        for seed in range(20):
            store.put(make_trial(seed))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA cache_size = 1")  # writes pages before the commit
    connection.execute("UPDATE trials SET arm = 'half done'")
    left = tmp_path / "left.sqlite"
    for end in ("", "-journal"):
        left.with_name(left.name + end).write_bytes(path.with_name(path.name + end).read_bytes())
    connection.rollback()
    connection.close()
    assert b"half done" in left.read_bytes()
    with TrialStore(left, read_only=read_only) as store:
        assert {t.arm for t in all_trials(store)} == {"3x3"}


def test_a_forked_worker_cannot_write(path):
    trial = make_trial()
    with TrialStore(path) as store:
        store._process += 1  # what a fork looks like from inside
        with pytest.raises(OutputError, match="another process"):
            store.put(trial)


def test_reading_what_is_not_there(path):
    with pytest.raises(ArtifactError, match="no trial store at"):
        TrialStore(path, read_only=True)
    assert not path.parent.exists()


def foreign_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE trials (key TEXT); INSERT INTO trials VALUES ('mine');")
    connection.close()


def newer(path: Path) -> None:
    TrialStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 4")
    connection.close()


def cut(path: Path) -> None:
    with TrialStore(path) as store:
        for seed in range(40):
            store.put(make_trial(seed))
    os.truncate(path, path.stat().st_size // 2)


def scribbled(path: Path) -> None:
    with TrialStore(path) as store:
        for seed in range(40):
            store.put(make_trial(seed))
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("key,accuracy\n"), "not a trial store"),
        (lambda path: path.write_bytes(b""), "not a trial store"),
        (foreign_sqlite, "another program"),
        (newer, r"schema version 4.*reads versions 1 to 3.*newer"),
        (cut, "damaged"),
        (scribbled, "damaged"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_is_no_store_is_refused_and_left_alone(path, make, message, read_only):
    path.parent.mkdir()
    make(path)
    before = path.read_bytes()
    with pytest.raises(ArtifactError, match=message) as raised:
        TrialStore(path, read_only=read_only)
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [True, False])
def test_a_store_that_has_lost_a_table_is_damaged(path, read_only):
    """Its rights and the free space have nothing to do with it."""
    with TrialStore(path) as store:
        store.put(make_trial())
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE arrays")
    connection.close()
    with (
        pytest.raises(ArtifactError, match="is damaged: no such table: arrays; restore it from a copy"),
        TrialStore(path, read_only=read_only) as store,
    ):
        store.get(make_trial().key)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_text_that_is_none_is_damage(path, read_only):
    with TrialStore(path) as store:
        store.put(make_trial())
    data = path.read_bytes()
    assert b"2025-01-01T" in data
    path.write_bytes(data.replace(b"2025-01-01T", b"2025-\xff1-01T"))
    with (
        pytest.raises(ArtifactError, match="is damaged: a text that is not UTF-8; restore it from a copy"),
        TrialStore(path, read_only=read_only) as store,
    ):
        store.get(make_trial().key)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trials SET configuration = '{}'",
        "UPDATE trials SET metrics = '{'",
        "UPDATE arrays SET content = x'00'",
        "DELETE FROM arrays",
    ],
)
def test_a_trial_changed_by_hand_is_noticed(path, change):
    with TrialStore(path) as store:
        store.put(make_trial())
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    with (
        TrialStore(path, read_only=True) as store,
        pytest.raises(ArtifactError, match=r"trial .* is damaged"),
    ):
        store.get(make_trial().key)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_folder_is_no_store(tmp_path, read_only):
    with pytest.raises(ArtifactError, match="cannot read"):
        TrialStore(tmp_path, read_only=read_only)


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot make the folder") as raised:
        TrialStore(tmp_path / "file" / "trials.sqlite")
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which even root cannot write")
def test_a_folder_without_the_right_to_write():
    with pytest.raises(OutputError, match="cannot write in /proc/"):
        TrialStore("/proc/self/trials.sqlite")


def test_a_full_disk_costs_the_trial_and_not_the_store(path):
    with TrialStore(path) as store:
        store.put(make_trial(0))
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        large = Trial.of(planned_trial(1), TrialOutcome({}, history="x" * 100_000), created="now")
        with pytest.raises(OutputError, match=r"full.*free space") as raised:
            store.put(large)
        assert "\n" not in str(raised.value)
        assert large.key not in store
        store._connection.execute("PRAGMA max_page_count = 100000")
        assert store.put(large)


def test_another_thread_is_a_programming_error_and_not_a_damaged_file(path):
    caught: list[BaseException] = []
    with TrialStore(path) as store:

        def use() -> None:
            try:
                len(store)
            except sqlite3.ProgrammingError as error:
                caught.append(error)

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert len(caught) == 1


WRITER = """
import sys
import numpy as np
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import PlannedTrial, Trial, TrialOutcome

store = TrialStore(sys.argv[1])
for seed in range(int(sys.argv[2]), 10**6):
    planned = PlannedTrial("kill", "arm", seed, {"a": 1}, 1)
    classes = np.full(20_000, seed % 200, np.uint8)
    store.put(Trial.of(planned, TrialOutcome({"x": float(seed)}, "h" * 5000, {"test": classes}), "now"))
    print(seed, flush=True)
"""


def kill_after(path: Path, first_seed: int, lines: int) -> list[int]:
    """Kill a writer once it has acknowledged that number of trials; return all that it acknowledged."""
    environment = {**os.environ, "PYTHONPATH": str(Path(convlens.__path__[0]).parent)}
    command = [sys.executable, "-c", WRITER, str(path), str(first_seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    return acknowledged


def test_a_killed_writer_leaves_every_acknowledged_trial(path):
    first = 0
    for lines in (1, 7, 30, 13):
        acknowledged = kill_after(path, first, lines)
        with TrialStore(path, read_only=True) as store:
            trials = all_trials(store)
            assert [t.seed for t in trials] == list(range(len(trials)))
            assert acknowledged[-1] + 1 <= len(trials) <= acknowledged[-1] + 2
            assert all(t.metrics["x"] == t.seed and (t.predictions["test"] == t.seed % 200).all() for t in trials)
        first = len(trials)
    with TrialStore(path) as store:  # the lock went with its holder
        assert store.put(Trial.of(PlannedTrial("kill", "b", 1, {"b": 1}, 1), TrialOutcome({}), "now"))


def test_a_kill_before_the_first_trial_leaves_a_store_or_none(tmp_path):
    """Stop the making of a store before its last step: the next one starts afresh."""
    path = tmp_path / "trials.sqlite"
    (tmp_path / "trials.sqlite.new").write_bytes(b"SQLite format 3\0 half of a header")
    with TrialStore(path) as store:
        assert store.put(make_trial())
    assert not (tmp_path / "trials.sqlite.new").exists()
