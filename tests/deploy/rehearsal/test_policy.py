"""The policy engine against AWS's written rules, as plain loops over random policies."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlens.deploy.rehearsal.conditions import Condition, matches
from convlens.deploy.rehearsal.policy import Policies, Policy, Request, decide
from convlens.errors import ConfigurationError

ACTIONS = ("s3:GetObject", "s3:PutObject", "sagemaker:CreateModel", "iam:PassRole")
RESOURCES = ("arn:aws:s3:::mine/a", "arn:aws:s3:::yours/a", "arn:aws:iam::1:role/x")
KEY = "iam:PassedToService"
VALUES = ("sagemaker.amazonaws.com", "ec2.amazonaws.com")

statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(("Allow", "Deny")),
        "Action": st.lists(st.sampled_from((*ACTIONS, "*", "s3:*", "s3:Get*")), min_size=1, max_size=2),
        "Resource": st.lists(st.sampled_from((*RESOURCES, "*", "arn:aws:s3:::mine/*")), min_size=1, max_size=2),
    },
    optional={"Condition": st.sampled_from([{"StringEquals": {KEY: [VALUES[0]]}}, {"Null": {KEY: "true"}}])},
)
documents = st.lists(statements, max_size=3).map(lambda found: {"Statement": found})
requests = st.builds(
    Request,
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    st.sampled_from([{}, {KEY: (VALUES[0],)}, {KEY: (VALUES[1],)}]),
)


def applies(statement: dict[str, Any], request: Request) -> bool:
    """Say by other means whether a statement of the strategy applies."""
    value = request.context.get(KEY.lower(), (None,))[0]
    condition = statement.get("Condition", {})
    if "StringEquals" in condition and value != VALUES[0]:
        return False
    if "Null" in condition and value is not None:
        return False
    return any(fnmatch.fnmatchcase(request.action, one) for one in statement["Action"]) and any(
        fnmatch.fnmatchcase(request.resource, one) for one in statement["Resource"]
    )


def effects(document: dict[str, Any], request: Request) -> set[str]:
    return {one["Effect"] for one in document["Statement"] if applies(one, request)}


@settings(max_examples=100)
@given(documents, st.none() | documents, st.none() | documents, st.none() | documents, requests)
def test_every_layer_has_its_say(
    identity: Any, boundary: Any, organisation: Any, resource: Any, request: Request
) -> None:
    own, limits = effects(identity, request), [boundary, organisation]
    other = set() if resource is None else effects(resource, request)
    every = [own, other, *(effects(one, request) for one in limits if one is not None)]
    passed = all("Allow" in effects(one, request) for one in limits if one is not None)

    def layer(document: Any) -> tuple[Policy, ...]:
        return () if document is None else (Policy.parse("any", document),)

    found = decide(request, Policies(layer(identity), layer(boundary), layer(organisation), layer(resource)))
    if any("Deny" in one for one in every):
        assert found.outcome == "explicitDeny"
        assert all(one.effect == "Deny" for one in found.matched)
        assert found.matched
    elif passed and "Allow" in own | other:
        assert found.outcome == "allowed"
        assert found.layer is None
    else:
        assert found.outcome == "implicitDeny"
        assert found.layer is not None
    for limit, said in ((boundary, found.boundary), (organisation, found.organisation)):
        assert said == (None if limit is None else effects(limit, request) == {"Allow"})


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_wildcards_are_those_of_file_names(pattern: str, text: str) -> None:
    assert matches(pattern, text) == fnmatch.fnmatchcase(text, pattern)


def test_brackets_and_dots_are_themselves() -> None:
    assert matches("[a].*", "[a].x")
    assert not matches("[a].x", "a.x")
    assert not matches("a.c", "abc")


# AWS's documentation: negated operators hold for a key that is absent; of several values, the qualifier says how many.
CASES = [
    ("StringEquals", ["a"], ["a"], True),
    ("StringEquals", ["a"], None, False),
    ("StringEqualsIfExists", ["a"], None, True),
    ("StringNotEquals", ["a"], None, True),
    ("StringNotEquals", ["a"], ["a"], False),
    ("StringEqualsIgnoreCase", ["A"], ["a"], True),
    ("StringEquals", ["A"], ["a"], False),
    ("StringLike", ["ml.m5.*"], ["ml.m5.large"], True),
    ("StringNotLike", ["ml.m5.*"], ["ml.m5.large"], False),
    ("ForAnyValue:StringNotLike", ["ml.m5.*"], ["ml.m5.large", "ml.t2.medium"], True),
    ("ForAnyValue:StringEquals", ["a"], None, False),
    ("ForAllValues:StringEquals", ["a"], ["a", "b"], False),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a"], None, True),
    ("ArnLike", ["arn:aws:iam::*:role/x"], ["arn:aws:iam::1:role/x"], True),
    ("ArnNotLike", ["arn:aws:iam::*:role/x"], ["arn:aws:iam::1:role/x"], False),
    ("Bool", ["true"], ["True"], True),
    ("Null", ["true"], None, True),
    ("Null", ["false"], None, False),
    ("Null", ["false"], ["a"], True),
]


@pytest.mark.parametrize(("operator", "wanted", "values", "holds"), CASES)
def test_conditions(operator: str, wanted: list[str], values: list[str] | None, holds: bool) -> None:
    context = {} if values is None else {"aws:key": tuple(values)}
    assert Condition(operator, "aws:Key", tuple(wanted)).holds(context) is holds


def test_an_unknown_operator_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=re.escape("did you mean 'StringEquals'?")):
        Condition("StringEqual", "aws:Key", ("a",))


def test_a_statement_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'Resource'"):
        Policy.parse("mine", {"Statement": [{"Effect": "Allow", "Action": "*", "Resorce": "*"}]})


def test_what_is_left_out_is_everything_else() -> None:
    statement = {"Effect": "Allow", "NotAction": "s3:*", "NotResource": "arn:aws:iam::1:role/x"}
    mine = Policies((Policy.parse("mine", {"Statement": statement}),))
    assert decide(Request("iam:GetRole", "arn:aws:iam::1:role/y"), mine).allowed
    assert not decide(Request("iam:GetRole", "arn:aws:iam::1:role/x"), mine).allowed
    assert not decide(Request("s3:GetObject", "arn:aws:iam::1:role/y"), mine).allowed


def test_reasons_are_in_awss_words() -> None:
    nothing = {"Statement": []}
    everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    denied = {"Statement": [everything["Statement"], {"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    mine, none, no = (Policy.parse("any", one) for one in (everything, nothing, denied))
    reasons = {
        "because no identity-based policy allows the iam:PassRole action": Policies((none,)),
        "because no permissions boundary allows the iam:PassRole action": Policies((mine,), (none,)),
        "because no service control policy allows the iam:PassRole action": Policies((mine,), (), (none,)),
        "with an explicit deny in an identity-based policy": Policies((no,)),
        "with an explicit deny in a permissions boundary": Policies((mine,), (no,)),
        "with an explicit deny in a service control policy": Policies((mine,), (), (no,)),
        "with an explicit deny in a resource-based policy": Policies((mine,), (), (), (no,)),
    }
    for words, policies in reasons.items():
        assert decide(Request("iam:PassRole"), policies).reason("iam:PassRole") == words
