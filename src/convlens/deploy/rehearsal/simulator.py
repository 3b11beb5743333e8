"""IAM's SimulatePrincipalPolicy: what a user or a role would be allowed, by the same engine that decides real calls.

Like AWS's, it takes no condition key for granted: without ``iam:PassedToService``, a permission to pass a role that
asks for it does not apply, and the answer is implicitDeny although the call would work.
"""

from __future__ import annotations

from typing import Any

from .account import Account
from .policy import Decision, Policies, Policy, Request, decide
from .wire import AwsError, Members

_ORDER = ("explicitDeny", "implicitDeny", "allowed")


def simulate(account: Account, given: Members) -> Members:
    """Return the reply to SimulatePrincipalPolicy."""
    source = given["PolicySourceArn"]
    if ":assumed-role/" in source or not any(kind in source for kind in (":user/", ":role/", ":group/")):
        message = f"Invalid Entity Arn: {source} does not clearly define entity type and name."
        raise AwsError("InvalidInput", message)
    context = {one["ContextKeyName"]: tuple(one["ContextKeyValues"]) for one in given.get("ContextEntries", ())}
    more = tuple(Policy.parse(f"PolicyInputList.{n}", one) for n, one in enumerate(given.get("PolicyInputList", ()), 1))
    found = []
    for action in given["ActionNames"]:
        each = {}
        for resource in given.get("ResourceArns") or ["*"]:
            policies = account.policies(source, resource)
            with_more = Policies((*policies.identity, *more), policies.boundary, policies.organisation)
            each[resource] = decide(Request(action, resource, context), with_more)
        found.append(_result(source, action, each))
    return {"EvaluationResults": found, "IsTruncated": False}


def _result(source: str, action: str, each: dict[str, Decision]) -> Members:
    """Return the result for an action: the strictest decision, and that of each resource."""
    resource, worst = min(each.items(), key=lambda one: _ORDER.index(one[1].outcome))
    specific = [
        {"EvalResourceName": name, "EvalResourceDecision": one.outcome, **_detail(source, one)}
        for name, one in each.items()
    ]
    organisation: dict[str, Any] = {}
    if worst.organisation is not None:
        organisation["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": worst.organisation}
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": worst.outcome,
        **_detail(source, worst),
        **organisation,
        "ResourceSpecificResults": specific,
    }


def _detail(source: str, decision: Decision) -> Members:
    kind, name = source.rpartition(":")[2].split("/")[0], source.rpartition("/")[2]
    deciding = decision.matched if decision.layer in (None, "identity-based policy") else ()
    matched = [{"SourcePolicyId": f"{kind}_{name}_{one.policy}", "SourcePolicyType": kind} for one in deciding]
    found: Members = {"MatchedStatements": matched, "MissingContextValues": list(decision.missing)}
    if decision.boundary is not None:
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": decision.boundary}
    return found
