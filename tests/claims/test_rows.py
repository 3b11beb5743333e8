"""The claims of the earlier project: arithmetic is shown, measurements decide, nothing is decided beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from convlens import NUMERICS_VERSION
from convlens.claims import reproduction
from convlens.claims.questions import questions
from convlens.claims.rows import ClaimRow, claims, compounds, stored_compounds, studies_of_claims
from convlens.nn.model import lower
from convlens.nn.serialize import layers_from_data
from convlens.program import Program
from convlens.studies.assessment.evidence import Evidence, assess
from convlens.studies.catalog import entry
from convlens.studies.executors.training import METRICS
from convlens.studies.runner import plan
from convlens.studies.trial import Trial, TrialOutcome
from tests.report.reproductions import make_all, study


def evidence(name: str, accuracies: dict[str, float], profile: str = "standard") -> Evidence:
    """Return the evidence of trials whose arms had these accuracies, varying a little by seed."""
    declared = entry(name).profile(profile)
    declared = replace(declared, seeds=tuple(range(5)), looks=())
    trials = []
    for planned in plan(study(name), declared, numerics_version=NUMERICS_VERSION):
        accuracy = accuracies.get(planned.arm, 0.98) + 1e-4 * planned.seed
        metrics = dict.fromkeys((*(metric.name for metric in METRICS), *planned.metrics), 1.0) | {
            "test.accuracy": accuracy,
            "gap.accuracy": 1 - accuracy,
        }
        trials.append(Trial.of(planned, TrialOutcome(metrics), created="2026-01-01T00:00:00+00:00"))
    return assess(study(name), trials, declared)


def rows(networks: dict[str, float], kernels: dict[str, float]) -> dict[str, ClaimRow]:
    found = {
        "baseline-vs-cnn": evidence("baseline-vs-cnn", networks),
        "kernel-size": evidence("kernel-size", kernels),
    }
    return {row.name: row for row in claims(found, "convlens reproduce")}


def word(found: dict[str, ClaimRow], name: str) -> str:
    return found[name].verdict.word


def test_arithmetic_is_decided_and_shown() -> None:
    found = {row.name: row for row in claims({}, "convlens reproduce")}
    words = {name: row.verdict.word for name, row in found.items() if row.metric is None}
    assert {name for name, verdict in words.items() if verdict == "false"} == {
        "similar-size", "size-5x5", "size-7x7", "network-square", "stack-weights-5x5", "stack-weights-7x7"
    }  # fmt: skip
    assert set(words.values()) == {"true", "false"}
    sentences = " ".join(row.verdict.sentence for row in found.values())
    for number in (
        "109,386", "206,922", "215,370", "228,042", "16,272 against 13,200", "27,792 against 25,872",
        "18 C² against 25 C²", "27 C² against 49 C²", "1 + 3 * (3 − 1) = 7", "5 ReLUs against 3", "2.48 times",
    ):  # fmt: skip
        assert number in sentences


def test_weights_of_stacks_are_what_the_sum_says() -> None:
    """C to C: layers of 3x3 have 9 weights for each pair of channels, of 5x5 25 and of 7x7 49."""
    found = {row.name: row.verdict.sentence for row in claims({}, "")}
    pairs = 8 * 8 + 16 * 16
    assert f"{2 * 9 * pairs:,} against {25 * pairs:,}" in found["stack-weights-same-5x5"]
    assert f"{3 * 9 * pairs:,} against {49 * pairs:,}" in found["stack-weights-same-7x7"]
    assert 9 * (1 * 16 + 16 * 16 + 16 * 32 + 32 * 32) == 16_272
    assert 25 * (1 * 16 + 16 * 32) == 13_200


@pytest.mark.parametrize("one", questions(), ids=lambda one: one.name)
def test_every_question_is_an_estimand_of_the_catalogue(one) -> None:  # type: ignore[no-untyped-def]
    assert one.estimand in {estimand.name for estimand in study(one.study).estimands}


def test_there_are_ten_claims_and_names_are_lasting() -> None:
    found = claims({}, "convlens reproduce")
    assert sorted({row.number for row in found}) == list(range(1, 11))
    assert len({row.name for row in found}) == len(found)
    assert all(set(row.name) <= set("abcdefghijklmnopqrstuvwxyzFLOP0123456789-") for row in found)


@pytest.mark.parametrize(("accuracy", "expected"), [(0.97, "supported"), (0.99, "refuted"), (0.98, "inconclusive")])
def test_claimed_ranges_are_judged_by_what_was_measured(accuracy: float, expected: str) -> None:
    found = rows({"cnn, plain": accuracy - 2e-4}, {})
    assert word(found, "cnn-accuracy-plain") == expected
    assert found["cnn-accuracy-plain"].claimed == "between 96.00 and 98.00 %"


def test_the_better_kernel_is_whichever_measured_better() -> None:
    three = rows({}, {"3x3": 0.985, "5x5": 0.98})
    five = rows({}, {"3x3": 0.98, "5x5": 0.985})
    assert word(three, "3x3-over-5x5") == "supported"
    assert word(five, "3x3-over-5x5") == "refuted"


def test_stacked_kernels_are_judged_against_the_one_they_replace() -> None:
    levels = {"3x3 stacked to 5x5": 0.985, "5x5": 0.98, "3x3 stacked to 7x7": 0.98, "7x7": 0.985}
    found = rows({}, levels)
    assert word(found, "3x3-over-5x5-equal-receptive-fields") == "supported"
    assert word(found, "3x3-over-7x7-equal-receptive-fields") == "refuted"


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
    measured = [row for row in make_all((0,), profile="quick").claims if row.interval is not None]
    assert measured
    assert {row.verdict.word for row in measured} == {"preview"}


def test_every_row_names_its_command_and_is_plain_data() -> None:
    for row in make_all().claims:
        assert row.command.startswith("convlens ")
        found = row.to_dict()
        assert (found["verdict"]["word"], found["stored"]) == (row.verdict.word, None)
        assert (found["metric"] is None) == (row.verdict.word in ("true", "false"))


def test_units_are_those_of_the_metrics() -> None:
    found = {row.name: row for row in claims({}, "")}
    assert found["7x7-rise"].claimed == "greater than +0.01 nats"
    assert found["invariance"].claimed == "greater than 99.00 %"
    assert found["equivariance"].claimed == "less than 0.001 %"
    assert found["locality-dense"].claimed == "within 0.30 points of zero"


def test_what_is_not_trained_here_says_what_trains_it() -> None:
    found = {row.name: row for row in make_all().claims}
    left = found["3x3-over-7x7"]
    assert (left.interval, left.verdict.label, left.left_out) == (None, "incomplete: not trained here", True)
    assert left.command == "convlens study run kernel-size"
    assert found["3x3-over-5x5"].command == "convlens reproduce"
    assert not found["3x3-over-5x5"].left_out


def test_a_study_that_cannot_be_run_says_what_is_missing() -> None:
    found = [row for row in make_all(without=["not-for-convolution"]).claims if row.number == 10]
    assert {row.verdict.label for row in found} == {"incomplete: not possible here"}
    assert all("needs: patience" in row.verdict.sentence for row in found)
    assert compounds(found)[10].word == "incomplete"


def test_stored_results_stand_beside_what_was_measured_and_never_instead() -> None:
    without, made = make_all(), make_all(stored=["kernel-size"])
    for before, row in zip(without.claims, made.claims, strict=True):
        assert replace(row, stored=None) == before
        of_kernels = row.metric is not None and row.number == 6
        assert (row.stored is not None) == of_kernels
        if row.stored is not None:
            assert row.stored.interval.n in (5, 10)
            assert row.to_dict()["stored"]["verdict"]["word"] == row.stored.verdict.word
    seven = next(row for row in made.claims if row.name == "3x3-over-7x7")
    assert (seven.interval, seven.verdict.word) == (None, "incomplete")
    assert seven.stored is not None
    assert seven.stored.verdict.word != "incomplete"


@pytest.mark.parametrize(
    ("profile", "folder", "command"),
    [
        ("standard", "out/studies", "convlens reproduce"),
        ("quick", Path("/tmp/my results"), "convlens reproduce --quick --out '/tmp/my results'"),
    ],
)
def test_the_command_of_a_report_writes_to_the_same_folder(profile: str, folder: str | Path, command: str) -> None:
    assert reproduction._command(profile, folder) == command


def test_a_claim_of_several_parts_has_one_verdict() -> None:
    found = compounds(make_all().claims)
    assert list(found) == list(range(1, 11))
    assert found[1].label == "true"
    assert found[4].label == "false"  # the contrasts stand beside it
    assert found[5].label == "false: 3 of 5 parts"  # 690K, 1.5M, and the network's growth
    assert found[7].word == "refuted"
    assert found[8].label == "supported"


def test_what_stands_beside_a_claim_does_not_decide_it() -> None:
    made = list(make_all().claims)
    (place,) = [i for i, row in enumerate(made) if row.name == "cnn-over-baseline"]
    refuted = next(row.verdict for row in made if row.verdict.word == "refuted")
    made[place] = replace(made[place], verdict=refuted)
    assert compounds(made)[4].label == "false"
    made[place] = replace(made[place], beside=False)
    assert compounds(made)[4].word == "refuted"


def test_a_claim_is_decided_by_stored_results_only_if_all_its_parts_are_stored() -> None:
    found = stored_compounds(make_all(stored=["kernel-size"]).claims)
    assert sorted(found) == [1, 2, 4, 5, 6]
    every = make_all(stored=studies_of_claims()).claims
    assert sorted(stored_compounds(every)) == list(range(1, 11))
