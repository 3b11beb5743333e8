"""What iam:SimulatePrincipalPolicy knows, and what it only seems to know.

Three things that it gets wrong are known from public reports, and are *unknown* here:

* It cannot evaluate an organisation's policies that have conditions. Then it answers ``implicitDeny`` with
  ``AllowedByOrganizations`` false and no matched statement to calls that work (aws/sagemaker-python-sdk, issue 6019).
* A policy may ask for a condition key that the simulation was not given (``MissingContextValues``).
* Resource policies, session policies and resource control policies are not simulated. So where it denies something that
  has just succeeded, none of its implicit denials is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .clients import Clients, ask
from .denial import Denial, PolicyLayer
from .findings import Answer
from .permissions import Need
from .plan import DeploymentPlan
from .refusal import AwsRefusal

_NUMERIC = ("sagemaker:ServerlessMemorySize", "sagemaker:ServerlessMaxConcurrency")
_LISTS = ("sagemaker:InstanceTypes", "aws:TagKeys")


@dataclass(frozen=True)
class SimulationResult:
    """What the simulation says about one need.

    Attributes
    ----------
    answer
        Allowed, denied or unknown.
    evidence
        Why, in words.
    denial
        What decides; None unless denied.
    implicit
        Whether it was denied only because nothing allows it.
    """

    answer: Answer
    evidence: str
    denial: Denial | None = None
    implicit: bool = False


class Simulator:
    """Simulates the policies of a principal.

    Parameters
    ----------
    clients
        The account.
    principal
        ARN of the user or role, not of a role's session.
    plan
        What is deployed.
    """

    def __init__(self, clients: Clients, principal: str, plan: DeploymentPlan) -> None:
        self.principal = principal
        self.plan = plan
        self._simulate = clients("iam").simulate_principal_policy
        self.refusal: AwsRefusal | None = None

    def decide(self, needs: Iterable[Need], plan: DeploymentPlan | None = None) -> dict[Need, SimulationResult]:
        """Return the decision for each need; needs with the same resources and context are asked for together.

        Parameters
        ----------
        needs
            Of this principal.
        plan
            Another plan than the simulator's, such as one with another instance type.
        """
        plan = plan or self.plan
        groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Need]] = {}
        for need in needs:
            groups.setdefault((need.resources, need.context), []).append(need)
        found: dict[Need, SimulationResult] = {}
        for (resources, context), group in groups.items():
            per_need: dict[str, list[SimulationResult]] = {need.action: [] for need in group}
            for resource in resources:
                for action, decision in self._ask(plan, list(per_need), plan.arns[resource], context).items():
                    per_need[action].append(decision)
            found |= {need: _worst(per_need[need.action]) for need in group}
        return found

    def _ask(
        self, plan: DeploymentPlan, actions: list[str], arn: str, context: Sequence[str]
    ) -> dict[str, SimulationResult]:
        """Return the decision for each action on one resource."""
        results: dict[str, Mapping[str, Any]] = {}
        more: dict[str, str] = {}
        while self.refusal is None:
            reply = ask(
                self._simulate,
                PolicySourceArn=self.principal,
                ActionNames=actions,
                ResourceArns=[arn],
                ContextEntries=list(_entries(plan, ("aws:RequestedRegion", *context))),
                **more,
            )
            if isinstance(reply, AwsRefusal):
                self.refusal = reply
                break
            results |= {one["EvalActionName"].lower(): one for one in reply["EvaluationResults"]}
            if not reply.get("IsTruncated"):  # IAM may split an answer wherever it likes
                return {action: _decision(results.get(action.lower()), action, arn) for action in actions}
            more = {"Marker": reply["Marker"]}
        return dict.fromkeys(actions, _not_simulated(self.refusal))


def _not_simulated(refusal: AwsRefusal) -> SimulationResult:
    why = f"{refusal.action} is denied" if refusal.denied else str(refusal)
    return SimulationResult(Answer.UNKNOWN, f"cannot be simulated: {why}")


def _entries(plan: DeploymentPlan, keys: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Yield the context that the request would carry, as the simulator takes it."""
    for key in keys:
        if values := plan.context[key]:
            kind = "stringList" if key in _LISTS else "numeric" if key in _NUMERIC else "string"
            yield {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": kind}


def _decision(result: Mapping[str, Any] | None, action: str, arn: str) -> SimulationResult:
    """Return what one result of the simulation means."""
    if result is None:
        return SimulationResult(Answer.UNKNOWN, "the simulation says nothing about it")
    verdict, missing = result["EvalDecision"], result.get("MissingContextValues", [])
    sources = ", ".join(dict.fromkeys(one["SourcePolicyId"] for one in result.get("MatchedStatements", [])))
    if verdict == "allowed":
        return SimulationResult(Answer.ALLOWED, "simulated: allowed" + (f" by {sources}" if sources else ""))
    if missing:
        return SimulationResult(
            Answer.UNKNOWN, f"simulated: a policy asks for {', '.join(missing)}, which only the real call carries"
        )
    explicit = verdict == "explicitDeny"
    allowed = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations")
    bounded = result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary")
    if allowed is False and not explicit:
        return SimulationResult(
            Answer.UNKNOWN,
            "simulated: not allowed by the organisation, but the simulator cannot evaluate its policies if they have "
            "conditions, and then denies what works",
        )
    layer = (
        PolicyLayer.ORGANISATION
        if allowed is False
        else PolicyLayer.BOUNDARY
        if bounded is False
        else PolicyLayer.IDENTITY
    )
    denial = Denial(action, arn, layer=layer, explicit=explicit, policy=sources if explicit else "")
    return SimulationResult(Answer.DENIED, f"simulated: {denial.decides}", denial, implicit=not explicit)


def _worst(decisions: Sequence[SimulationResult]) -> SimulationResult:
    """Return the decision that counts where an action is needed on several resources."""
    order = (Answer.DENIED, Answer.UNKNOWN, Answer.ALLOWED)
    return min(decisions, key=lambda one: order.index(one.answer))
