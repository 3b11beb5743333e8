"""The least policies: for the caller, and for the role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .permissions import Need
from .plan import Plan

_CONDITIONED = "iam:PassedToService"  # the one condition that makes an Allow smaller without making the plan smaller


def least_policy(needs: Iterable[Need], plan: Plan) -> dict[str, Any]:
    """Return the policy document that allows no more than these needs.

    Names hold a hash of what they name, so resources are patterns over the versions of this one endpoint.

    Parameters
    ----------
    needs
        Of one principal.
    plan
        What is deployed.
    """
    grouped: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for need in needs:
        resources = tuple(sorted({plan.arn_patterns[one] for one in need.resources}))
        actions = grouped.setdefault((resources, _CONDITIONED in need.context), [])
        if need.action not in actions:
            actions.append(need.action)
    return {
        "Version": "2012-10-17",
        "Statement": [_statement(*key, actions, plan) for key, actions in sorted(grouped.items())],
    }


def _statement(resources: tuple[str, ...], conditioned: bool, actions: list[str], plan: Plan) -> dict[str, Any]:  # noqa: FBT001
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": resources[0] if len(resources) == 1 else list(resources),
    }
    if conditioned:
        statement["Condition"] = {"StringEquals": {_CONDITIONED: plan.context[_CONDITIONED][0]}}
    return statement


def trust_policy() -> dict[str, Any]:
    """Return the policy by which SageMaker may assume a role."""
    principal = {"Service": "sagemaker.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}
