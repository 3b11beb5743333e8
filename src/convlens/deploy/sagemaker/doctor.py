"""Whether a deployment can succeed, before anything is made.

For every permission in `permissions.NEEDS`, the strongest evidence counts: a call that reads and was just made; a
probe, if wanted; what iam:SimulatePrincipalPolicy says, where that can be believed. Without evidence the answer is
*unknown*.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .account import Identity, NoRoleError, Role, find_role, identify
from .checks import Observed, check_bucket, check_image, check_quota, check_trust, look_at_bucket, observe
from .clients import Clients
from .denial import PolicyLayer
from .findings import Answer, DoctorVerdict, Finding, remedy, verdict_of
from .permissions import CALLER, ROLE, Need, applicable
from .plan import NO_ARCHIVE, OTHER_TYPES, Archive, DeploymentPlan, EndpointSettings, make_plan
from .policies import least_policy, trust_policy
from .price import Price, price_of
from .probe import probe as probe_all
from .refusal import AwsRefusal
from .simulation import SimulationResult, Simulator

_CONFIG = "sagemaker:CreateEndpointConfig"
_ROLE_WORDS = "no role for the endpoint is known"


@dataclass(frozen=True)
class Diagnosis:
    """What is known about a deployment before anything is made.

    Attributes
    ----------
    plan
        What would be deployed, with the first instance type that is not forbidden, and tags only if they are not.
    role
        The role that the endpoint would run as; None if none is known.
    findings
        Every answer.
    price
        Of an hour.
    policies
        The least policies: ``"caller"``, ``"role"`` and, for the role, ``"trust"``.
    """

    plan: DeploymentPlan
    role: Role | None
    findings: tuple[Finding, ...]
    price: Price
    policies: Mapping[str, Mapping[str, Any]]

    @property
    def verdict(self) -> DoctorVerdict:
        """Go, no-go or unsure."""
        return verdict_of(self.findings)

    def having(self, answer: Answer) -> list[Finding]:
        """Return the findings with an answer."""
        return [one for one in self.findings if one.answer is answer]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "verdict": str(self.verdict),
            "account": self.plan.identity.account,
            "caller": self.plan.identity.arn,
            "region": self.plan.region,
            "role": self.role.arn if self.role else None,
            "role_found": self.role.source if self.role else None,
            "endpoint": self.plan.endpoint,
            "hourly_price": self.price.hourly,
            "price": str(self.price),
            "findings": [one.to_dict() for one in self.findings],
            "policies": {name: dict(one) for name, one in self.policies.items()},
        }


def doctor(
    clients: Clients, settings: EndpointSettings | None = None, archive: Archive = NO_ARCHIVE, *, probe: bool = False
) -> Diagnosis:
    """Find out whether a deployment can succeed. Reads only.

    Parameters
    ----------
    clients
        The account.
    settings, archive
        What would be deployed, and how.
    probe
        Whether to make the calls of `probe.PROBES` too, which cannot create anything.

    Raises
    ------
    DeploymentError
        If there are no credentials, or AWS cannot be reached.
    ConfigurationError
        If a setting cannot be right, or the image's address in this region is not known.
    """
    settings = settings or EndpointSettings()
    identity = identify(clients)
    role, found = _role(clients, identity, settings)
    plan = make_plan(identity, clients.region, role.arn if role else "", settings, archive)
    examination = _Examination(clients, plan, role)
    found += examination.permissions(probe=probe)
    found += examination.conditions()
    findings = tuple(found)
    return Diagnosis(
        _adapted(plan, findings),
        role,
        findings,
        examination.price,
        {
            "caller": least_policy((one for one in examination.needs if one.who == CALLER), plan),
            "role": least_policy((one for one in examination.needs if one.who == ROLE), plan),
            "trust": trust_policy(),
        },
    )


def _role(clients: Clients, identity: Identity, settings: EndpointSettings) -> tuple[Role | None, list[Finding]]:
    """Return the role, and a finding if there is none."""
    try:
        return find_role(clients, identity, settings.role), []
    except NoRoleError as error:
        answer = Answer.DENIED if error.certain else Answer.UNKNOWN
        return None, [Finding("role", settings.role or "-", CALLER, answer, str(error))]


def _adapted(plan: DeploymentPlan, findings: tuple[Finding, ...]) -> DeploymentPlan:
    """Return the plan without what is forbidden and can be done without."""
    for one in findings:
        if one.what == "sagemaker:AddTags" and one.answer is Answer.DENIED:
            plan = plan.without_tags()
        if one.what in (_CONFIG, "quota") and one.answer is Answer.DENIED and one.optional:
            plan = plan.with_type(one.passing[0])
    return plan


class _Examination:
    """One examination of an account: what was read, simulated and probed, and the findings made of it."""

    def __init__(self, clients: Clients, plan: DeploymentPlan, role: Role | None) -> None:
        self.clients, self.plan, self.role = clients, plan, role
        self.bucket_refusal, self.bucket_region = look_at_bucket(clients, plan)
        new = self.bucket_refusal is not None
        self.needs = applicable({"bucket is new": new, "tags": plan.tagged})
        self.price = price_of(clients, plan)
        self.quota, quota_refusal = check_quota(clients, plan)
        self.observed: Observed = observe(clients, plan)
        if quota_refusal is None or quota_refusal.denied:
            self.observed["servicequotas:ListServiceQuotas"] = quota_refusal
        if role is not None and role.trust is not None:
            self.observed["iam:GetRole"] = None
        if self.bucket_refusal is None or self.bucket_refusal.missing:
            self.observed["s3:ListBucket"] = None
        self.caller = Simulator(clients, plan.identity.principal, plan)
        self._answers: dict[str, Answer] = {}

    def permissions(self, *, probe: bool) -> list[Finding]:
        """Return a finding for every permission."""
        decisions = self._decisions()
        probed = probe_all(self.clients, self.plan) if probe else {}
        findings = []
        for need in self.needs:
            finding = self._finding(need, decisions[need])
            tried = probed.get(need.action) if need.who == CALLER else None
            if tried is not None and need.action not in self.observed and tried.answer is not Answer.UNKNOWN:
                finding = dataclasses.replace(tried, resource=finding.resource, optional=finding.optional)
            self._answers[f"{need.who} {need.action}"] = finding.answer
            findings.append(finding)
        return findings

    def conditions(self) -> list[Finding]:
        """Return the findings about all that is no permission."""
        listing = self._answers[f"{CALLER} s3:ListBucket"]
        found = [
            check_bucket(self.plan, self.bucket_refusal, self.bucket_region, listing=listing),
            check_image(self.clients, self.plan),
            self._quota(),
        ]
        return [check_trust(self.role), *found] if self.role else found

    def _decisions(self) -> dict[Need, SimulationResult]:
        """Return what simulation says about every need, as far as it can be believed."""
        decisions = self._simulated(CALLER, self.caller)
        contradicted = next(
            (
                need.action
                for need, one in decisions.items()
                if one.implicit and need.action in self.observed and self.observed[need.action] is None
            ),
            None,
        )
        if contradicted is not None:
            doubt = f", but so is {contradicted}, which has just worked"
            decisions = {
                need: dataclasses.replace(one, answer=Answer.UNKNOWN, evidence=one.evidence + doubt)
                if one.implicit
                else one
                for need, one in decisions.items()
            }
        if self.plan.role:
            decisions |= self._simulated(ROLE, Simulator(self.clients, self.plan.role, self.plan))
        else:
            unknown = SimulationResult(Answer.UNKNOWN, _ROLE_WORDS)
            decisions |= {need: unknown for need in self.needs if need.who == ROLE or "role" in need.resources}
        return decisions

    def _simulated(self, who: str, simulator: Simulator) -> dict[Need, SimulationResult]:
        needs = [one for one in self.needs if one.who == who and (self.plan.role or "role" not in one.resources)]
        if simulator.principal.endswith(":root"):
            words = "the account's root user may do everything that its organisation allows; that cannot be simulated"
            return dict.fromkeys(needs, SimulationResult(Answer.UNKNOWN, words))
        return simulator.decide(needs)

    def _finding(self, need: Need, decision: SimulationResult) -> Finding:
        """Return the finding for a need: what was seen counts more than what was simulated."""
        resource = " and ".join(self.plan.arns[one] for one in need.resources) or "-"
        if need.who == CALLER and need.action == "iam:SimulatePrincipalPolicy":
            return self._about_simulation(need, resource)
        if need.who == CALLER and need.action in self.observed:
            refusal = self.observed[need.action]
            if refusal is None:
                return Finding(need.action, resource, CALLER, Answer.ALLOWED, "the call works", optional=need.optional)
            return self._refused(need, resource, refusal, decision)
        denial = decision.denial
        passing: tuple[str, ...] = ()
        if denial is not None and need.action == _CONFIG and not self.plan.settings.serverless:
            passing = self._passing(need)
        fallback = tuple(one for one in self.plan.settings.instance_types[1:] if one in passing)
        return Finding(
            need.action,
            denial.resource if denial else resource,
            need.who,
            decision.answer,
            decision.evidence,
            denial.layer if denial else None,
            denial.explicit if denial else False,
            _advice(need, remedy(denial, need.who, fallback or passing) if denial else "", fallback),
            need.optional or bool(fallback),
            fallback or passing,
        )

    def _about_simulation(self, need: Need, resource: str) -> Finding:
        """Return the finding about simulation itself: what it answered when it was used."""
        if self.caller.refusal is None:
            return Finding(need.action, resource, CALLER, Answer.ALLOWED, "the call works", optional=True)
        return self._refused(need, resource, self.caller.refusal, SimulationResult(Answer.UNKNOWN, ""))

    def _refused(self, need: Need, resource: str, refusal: AwsRefusal, decision: SimulationResult) -> Finding:
        """Return the finding for a call that was just refused; simulation may know the layer where AWS does not say."""
        if not refusal.denied:
            return Finding(need.action, resource, need.who, Answer.UNKNOWN, f"tried: {refusal}", optional=need.optional)
        denial = refusal.denial
        if denial.layer is PolicyLayer.UNNAMED and decision.denial is not None:
            denial = decision.denial
        return Finding(
            need.action,
            denial.resource or resource,
            need.who,
            Answer.DENIED,
            f"tried: {denial.decides}",
            denial.layer,
            denial.explicit,
            _advice(need, remedy(denial, need.who), ()),
            need.optional,
        )

    def _passing(self, need: Need) -> tuple[str, ...]:
        """Return the instance types that would be allowed: those to fall back on, then other usual ones."""
        wanted = dict.fromkeys((*self.plan.settings.instance_types[1:], *OTHER_TYPES))
        wanted.pop(self.plan.instance_type, None)
        plans = {one: self.plan.with_type(one) for one in wanted}
        return tuple(
            one for one, plan in plans.items() if self.caller.decide([need], plan)[need].answer is Answer.ALLOWED
        )

    def _quota(self) -> Finding:
        """Return the finding about the quota; if it has no room, the first type to fall back on whose quota has."""
        if self.quota.answer is Answer.DENIED and not self.plan.settings.serverless:
            for one in self.plan.settings.instance_types[1:]:
                if check_quota(self.clients, self.plan.with_type(one))[0].answer is Answer.ALLOWED:
                    return dataclasses.replace(self.quota, optional=True, passing=(one,), advice=f"falls back on {one}")
        return self.quota


def _advice(need: Need, words: str, fallback: tuple[str, ...]) -> str:
    """Return what to do about a denied need; one that can be done without says what is lost."""
    if fallback:
        return f"falls back on {fallback[0]}"
    if not words or not need.without:
        return words
    return f"not needed: {need.without}; {words}"
