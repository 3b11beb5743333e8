"""The studies as the page has them: every number is the stored result's."""

from __future__ import annotations

import json

import pytest

from convlens.lab.site import site
from convlens.lab.stored_studies import described
from convlens.studies.results.shipped import read_shipped, shipped_names


@pytest.mark.parametrize("name", shipped_names())
def test_a_study_is_what_is_stored(name: str) -> None:
    result = read_shipped(name)
    found = described(result)
    primary = result.evidence.primary
    interval = primary.adjusted or primary.interval
    assert interval is not None
    first = found["estimands"][0]
    assert found["question"] == result.evidence.study.question
    assert found["verdict"]["sentence"] == result.verdict.sentence
    assert primary.interval is not None
    scale = first["mean"] / primary.interval.mean
    assert scale == pytest.approx(100) or scale == pytest.approx(1)
    cuts = primary.estimand.cuts
    assert len(found["expectations"]) == len(cuts) + 1
    places = {sum(cut <= end for cut in cuts) for end in (interval.low, interval.high)}
    assert found["found"] == (places.pop() if len(places) == 1 else None)
    seeds = [len(arm["values"][metric]["seeds"]) for arm in found["arms"] for metric in arm["values"]]
    assert min(seeds) >= 1


def test_the_page_has_every_stored_study() -> None:
    page = site(live=False)
    listed = json.loads(page.read("api/studies.json") or b"")["studies"]
    assert [one["name"] for one in listed] == shipped_names()
    for one in listed:
        assert json.loads(page.read(one["address"]) or b"")["name"] == one["name"]
