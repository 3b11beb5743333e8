"""The claims of the earlier project: arithmetic is shown, measurements decide, nothing is decided beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convlens import NUMERICS_VERSION
from convlens.claims import reproduction
from convlens.claims.rows import ClaimRow, claims, compounds
from convlens.nn.model import lower
from convlens.nn.serialize import layers_from_data
from convlens.program import Program
from convlens.studies.catalog import entry
from convlens.studies.evidence import Evidence, assess
from convlens.studies.executors.training import METRICS
from convlens.studies.runner import plan
from convlens.studies.trial import Trial, TrialOutcome
from tests.rates import rated_entry


def evidence(name: str, accuracies: dict[str, float], profile: str = "standard", seeds: int | None = None) -> Evidence:
    """Return the evidence of trials whose arms had these accuracies, varying a little by seed."""
    listed = rated_entry(name)
    size = listed.profiles[profile]
    size = size if seeds is None else replace(size, seeds=size.seeds[:seeds], looks=())
    trials = []
    for planned in plan(listed.study(), size, numerics_version=NUMERICS_VERSION):
        accuracy = accuracies.get(planned.arm, 0.98) + 1e-4 * (planned.seed % 1000)
        metrics = dict.fromkeys((metric.name for metric in METRICS), 1.0) | {
            "test.accuracy": accuracy,
            "gap.accuracy": 1 - accuracy,
            "rise.validation_loss": 0.01,
        }
        trials.append(Trial.of(planned, TrialOutcome(metrics), created="2026-01-01T00:00:00+00:00"))
    return assess(listed.study(), trials, size)


def rows(
    networks: dict[str, float], kernels: dict[str, float], profile: str = "standard", seeds: int | None = None
) -> dict[str, ClaimRow]:
    found = {
        "baseline-vs-cnn": evidence("baseline-vs-cnn", networks, profile, seeds),
        "kernel-size": evidence("kernel-size", kernels, profile, seeds),
    }
    return {row.claim: row for row in claims(found, "convlens reproduce")}


def word(found: dict[str, ClaimRow], part: str) -> str:
    (row,) = [row for claim, row in found.items() if part in claim]
    return row.verdict.word


def test_arithmetic_is_decided_and_shown() -> None:
    found = rows({}, {})
    assert word(found, "784-128-64-10") == "true"
    assert word(found, "similar parameter counts") == "false"
    assert word(found, "with 5x5 kernels") == "false"
    assert word(found, "with 7x7 kernels") == "false"
    assert word(found, "the kernels' weights grow") == "true"
    assert word(found, "the network's parameters grow") == "false"
    sentences = " ".join(row.verdict.sentence for row in found.values())
    for number in ("109,386", "206,922", "215,370", "228,042"):
        assert number in sentences


@pytest.mark.parametrize(("accuracy", "expected"), [(0.97, "supported"), (0.99, "refuted"), (0.98, "inconclusive")])
def test_claimed_ranges_are_judged_by_what_was_measured(accuracy: float, expected: str) -> None:
    found = rows({"cnn, plain": accuracy - 2e-4}, {})
    assert word(found, "the CNN reaches 96 to 98 % (recipe 'plain')") == expected


def test_the_better_kernel_is_whichever_measured_better() -> None:
    three = rows({}, {"3x3": 0.985, "5x5": 0.98})
    five = rows({}, {"3x3": 0.98, "5x5": 0.985})
    assert word(three, "3x3 is better than 5x5 by") == "supported"
    assert word(five, "3x3 is better than 5x5 by") == "refuted"


def test_stacked_kernels_are_judged_against_the_one_they_replace() -> None:
    levels = {"3x3 stacked to 5x5": 0.985, "5x5": 0.98, "3x3 stacked to 7x7": 0.98, "7x7": 0.985}
    found = rows({}, levels)
    assert word(found, "3x3 is better than 5x5 at equal receptive fields") == "supported"
    assert word(found, "3x3 is better than 7x7 at equal receptive fields") == "refuted"


def find_last(program: Program, op: str) -> str:
    return [node.name for node in program.nodes if node.op == op][-1]


@pytest.mark.parametrize("name", ["5x5", "7x7"])
def test_stacked_kernels_see_as_much_and_are_as_wide(name: str) -> None:
    arms = {arm.name: arm.configuration for arm in entry("kernel-size").study().arms}
    one, stacked = (
        lower(layers_from_data(arms[arm]["model"]["layers"]), (28, 28, 1)) for arm in (name, f"3x3 stacked to {name}")
    )
    fields = [program.receptive_fields()[find_last(program, "max_pool2d")] for program in (one, stacked)]
    assert fields[0] == fields[1]
    widths = [{node.output_shape for node in program.nodes if node.op == "conv2d"} for program in (one, stacked)]
    assert widths[0] == widths[1]


def test_kernels_are_judged_by_seeds_that_nobody_had_seen() -> None:
    """Results of the seeds 0 to 2 were known when the protocol was last changed."""
    profiles = entry("kernel-size").profiles.values()
    assert all(min(profile.seeds) >= 100 for profile in profiles)


def test_one_seed_is_a_preview() -> None:
    found = rows({"cnn, plain": 0.97}, {}, seeds=1)
    measured = [row for row in found.values() if row.interval is not None]
    assert measured
    assert {row.verdict.word for row in measured} == {"preview"}


def test_what_a_profile_does_not_measure_is_incomplete() -> None:
    found = rows({}, {}, profile="quick")
    assert word(found, "the CNN reaches 96 to 98 % (recipe 'plain')") == "incomplete"
    assert word(found, "the CNN is better by more than half a point at equal parameters") == "refuted"


def test_every_row_names_its_command_and_is_plain_data() -> None:
    for row in rows({}, {}).values():
        assert row.command.startswith("convlens ")
        assert row.to_dict()["verdict"]["word"] == row.verdict.word
    assert np.unique([row.number for row in rows({}, {}).values()]).tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("profile", "folder", "command"),
    [
        ("standard", "out/reproduce", "convlens reproduce"),
        ("quick", Path("/tmp/my results"), "convlens reproduce --quick --out '/tmp/my results'"),
    ],
)
def test_the_command_of_a_report_writes_to_the_same_folder(profile: str, folder: str | Path, command: str) -> None:
    assert reproduction._command(profile, folder) == command


def test_a_claim_of_several_parts_has_one_verdict() -> None:
    found = compounds(list(rows({}, {}).values()))
    assert list(found) == [1, 2, 3, 4, 5, 6]
    assert found[1].label == "true"
    assert found[5].label == "false: 3 of 5 parts"  # 690K, 1.5M, and the network's growth
    assert found[4].word == "refuted"
