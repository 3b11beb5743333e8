"""A model's endpoint: made, or updated, or found as it should be; or nothing left behind.

What is made, in this order: the bucket, the archive in it, the model, the endpoint configuration, the endpoint. Each is
looked for first, and its name holds a hash of what it is; so a deployment that was killed anywhere goes on when the
command is repeated, and a finished one is repeated without a change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ConvlensError, DeploymentError
from .account import Role
from .clients import Clients, Refusal, UnreachableError, ask, refused
from .doctor import Diagnosis, doctor
from .findings import Answer, Verdict
from .journal import FOLDER, Entry, Journal, State
from .logs import last_lines
from .model_data import explain_model_data, is_about_model_data
from .plan import Archive, Plan, Settings, is_ours
from .removal import remove
from .resources import ARCHIVE, BUCKET, CONFIG, ENDPOINT, KINDS, MODEL, Kind, behind_endpoint
from .waiting import CHANGING, DeadlineError, Patience, wait_for_rest

_CONSISTENT_TRIES = 10  # describes of a configuration that was just made, before the endpoint is: AWS may need seconds
_NO_CAPACITY = re.compile(r"capacity|unable to provision", re.IGNORECASE)
_LIMIT = "ResourceLimitExceeded"


class InstanceTypeError(DeploymentError):
    """An instance type that cannot be had: forbidden, without quota, or exhausted."""


@dataclass(frozen=True)
class Step:
    """What a deployment does about one thing: ``keep``, ``make``, ``update`` or ``replace``."""

    what: str
    name: str
    action: str


@dataclass(frozen=True)
class Deployment:
    """A complete deployment.

    Attributes
    ----------
    plan
        What is deployed, as it was really made.
    action
        ``"created"``, ``"updated"`` or ``"unchanged"``.
    notes
        What a user should know: tags left out, an instance type fallen back on, what of an older version is left.
    """

    plan: Plan
    action: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "endpoint": self.plan.endpoint,
            "action": self.action,
            "region": self.plan.region,
            "configuration": self.plan.config,
            "model": self.plan.model,
            "archive": self.plan.url,
            "role": self.plan.role,
            "image": self.plan.image.uri,
            "instance_type": None if self.plan.settings.serverless else self.plan.instance_type,
            "notes": list(self.notes),
        }


def steps(clients: Clients, plan: Plan) -> list[Step]:
    """Return what a deployment would do now, as ``--dry-run`` shows it. Reads only."""
    found = {one: one.find(clients, one.named(plan), plan.identity.account) for one in KINDS.values()}
    listed = [
        Step(one.name, one.named(plan), "make" if found[one] is None else "keep")
        for one in (BUCKET, ARCHIVE, MODEL, CONFIG)
    ]
    endpoint = found[ENDPOINT]
    action = "make"
    if endpoint is not None:
        same = endpoint["EndpointConfigName"] == plan.config
        action = "replace" if endpoint["EndpointStatus"] == "Failed" else "keep" if same else "update"
    return [*listed, Step(ENDPOINT.name, plan.endpoint, action)]


def deploy(
    clients: Clients,
    archive: Archive,
    settings: Settings | None = None,
    *,
    folder: Path = FOLDER,
    patience: Patience | None = None,
    check: bool = True,
) -> Deployment:
    """Deploy an archive: make its endpoint, or update the one of this name.

    Parameters
    ----------
    clients
        The account.
    archive
        What `package` made.
    settings
        How it is deployed.
    folder
        Of the journals.
    patience
        How long each wait may take, and who hears of progress.
    check
        Whether `doctor` must not say no-go; if it is *unsure*, the deployment is tried.

    Raises
    ------
    DeploymentError
        If it is denied, or the endpoint fails; the message says what decides. What was made is removed again.
    ConfigurationError
        If a setting cannot be right.
    """
    diagnosis = doctor(clients, settings, archive)
    if diagnosis.role is None or (check and diagnosis.verdict is Verdict.NO_GO):
        raise DeploymentError(_no_go(diagnosis))
    patience = patience or Patience()
    plan = diagnosis.plan
    journal = Journal.of(folder, plan.identity.account, plan.region, plan.endpoint)
    run = _Run(clients, plan, journal, patience, diagnosis.role)
    if plan.settings.tags and not plan.tagged:
        run.notes.append("made without tags: sagemaker:AddTags is denied")
    return run.deployment()


def _no_go(diagnosis: Diagnosis) -> str:
    denied = [one for one in diagnosis.having(Answer.DENIED) if not one.optional]
    denied += [one for one in diagnosis.having(Answer.UNKNOWN) if one.what == "role"]
    words = "; ".join(f"{one}" + (f"; {one.advice}" if one.advice else "") for one in denied)
    return f"nothing was made, because this cannot succeed: {words}"


class _Run:
    """One run of a deployment."""

    def __init__(self, clients: Clients, plan: Plan, journal: Journal, patience: Patience, role: Role | None) -> None:
        self.clients, self.plan, self.journal, self.patience, self.role = clients, plan, journal, patience, role
        self.notes: list[str] = []
        self.action = "unchanged"

    def deployment(self) -> Deployment:
        """Deploy with the first instance type that can be had; on failure, remove what was made."""
        try:
            self._adopt()
            self._with_some_type()
        except (DeadlineError, UnreachableError):
            raise  # it may still come up: nothing is removed, and the command can be repeated
        except ConvlensError as error:
            removal = remove(
                self.clients, self.plan.identity.account, self.journal, self.journal.unsettled(), self.patience
            )
            raise DeploymentError(f"{error}; {removal}") from error
        self._settle()
        return Deployment(self.plan, self.action, tuple(self.notes))

    def _adopt(self) -> None:
        """Take over an endpoint of ours, with what is behind it; refuse one of this name that is not ours."""
        found = wait_for_rest(self.clients, self.plan.endpoint, self.patience)
        if found is None:
            return
        config, ours = found["EndpointConfigName"], self.journal.has(ENDPOINT.name, self.plan.endpoint)
        if not (ours or is_ours(config, self.plan.endpoint)):
            raise DeploymentError(
                f"there is an endpoint {self.plan.endpoint} that convlens did not make (configuration {config}); give "
                "another name with --name"
            )
        if found["EndpointStatus"] == "InService" and not ours:
            for kind, name in ((ENDPOINT, self.plan.endpoint), *behind_endpoint(self.clients, found)):
                self.journal.mark(kind.name, name, State.SETTLED)

    def _with_some_type(self) -> None:
        """Make everything, with the first instance type in the settings, from the plan's on, that can be had."""
        types = self.plan.settings.instance_types
        first = types.index(self.plan.instance_type) if self.plan.instance_type in types else 0
        for number, instance_type in enumerate(types[first:], first + 1):
            self.plan = self.plan.with_type(instance_type)
            try:
                self._make_all()
            except InstanceTypeError as error:
                if number == len(types):
                    raise
                self.notes.append(f"falls back on {types[number]}: {error}")
                self.patience.progress(self.notes[-1])
                useless = [one for one in self.journal.unsettled() if one.kind in (ENDPOINT.name, CONFIG.name)]
                remove(self.clients, self.plan.identity.account, self.journal, useless, self.patience)
            else:
                return

    def _make_all(self) -> None:
        for kind in (BUCKET, ARCHIVE, MODEL, CONFIG):
            self._ensure(kind)
        self._bring_up()

    def _ensure(self, kind: Kind) -> None:
        """Make a thing unless it exists."""
        name = kind.named(self.plan)
        if kind.find(self.clients, name, self.plan.identity.account) is None:
            self._make(kind)
            self.patience.progress(f"made the {kind.name} {name}")

    def _make(self, kind: Kind) -> None:
        """Make a thing, written down before and after; without tags, if only these are denied."""
        name = kind.named(self.plan)
        self.journal.mark(kind.name, name, State.INTENDED)
        reply = kind.make(self.clients, self.plan)
        if isinstance(reply, Refusal) and reply.denied and reply.denial.action == "sagemaker:AddTags":
            self.notes.append(f"made without tags: sagemaker:AddTags is denied ({reply.denial.decides})")
            self.plan = self.plan.without_tags()
            reply = kind.make(self.clients, self.plan)
        if isinstance(reply, Refusal) and not reply.exists:
            self.journal.forget(kind.name, name)
            raise self._error(kind, reply)
        self.journal.mark(kind.name, name, State.MADE)

    def _error(self, kind: Kind, reply: Refusal) -> DeploymentError:
        """Return the error for a thing that AWS does not make."""
        error = refused(reply, f"making the {kind.name} {kind.named(self.plan)}")
        forbidden = kind is CONFIG and reply.denied and reply.denial.action == reply.action
        if (forbidden or reply.code == _LIMIT) and not self.plan.settings.serverless:
            return InstanceTypeError(str(error))
        if is_about_model_data(reply.message):
            return DeploymentError(f"{error}{self._causes()}")
        return error

    def _bring_up(self) -> None:
        """Make the endpoint, or update it, and wait until it is in service with this plan's configuration."""
        ordered = False
        while True:
            found = wait_for_rest(self.clients, self.plan.endpoint, self.patience)
            if found is None:
                self._await_config()
                self._make(ENDPOINT)
                self.action, ordered = "created", True
                continue
            status, same = found["EndpointStatus"], found["EndpointConfigName"] == self.plan.config
            if status == "InService" and same:
                return
            if status == "Failed" and not ordered:
                self._remove_failed()
            elif status == "InService" and not ordered:
                self._update()
                self.action, ordered = "updated", True
            elif status not in CHANGING:
                raise self._failure(found)

    def _await_config(self) -> None:
        """Wait until SageMaker finds the configuration that was just made."""
        for _ in range(_CONSISTENT_TRIES):
            if CONFIG.find(self.clients, self.plan.config, "") is not None:
                return
            self.patience.clock.sleep(1.0)

    def _update(self) -> None:
        self._await_config()
        reply = ask(
            self.clients("sagemaker").update_endpoint,
            EndpointName=self.plan.endpoint,
            EndpointConfigName=self.plan.config,
        )
        if isinstance(reply, Refusal):
            raise self._error(ENDPOINT, reply)

    def _remove_failed(self) -> None:
        """Remove an endpoint that failed earlier: nothing else can be done with one."""
        entry = Entry(ENDPOINT.name, self.plan.endpoint, State.MADE)
        removal = remove(self.clients, self.plan.identity.account, self.journal, [entry], self.patience)
        if removal.left:
            raise DeploymentError(f"the endpoint {self.plan.endpoint} failed earlier, and cannot be removed: {removal}")

    def _failure(self, found: Mapping[str, Any]) -> DeploymentError:
        """Return the error for an endpoint that did not come up, with every reason that can be found."""
        reason = str(found.get("FailureReason", "")).rstrip(".") or "AWS gives no reason"
        status = found["EndpointStatus"]
        words = f"the endpoint {self.plan.endpoint} is {status}: {reason}"
        if status == "InService":
            words = f"the update failed and was rolled back to {found['EndpointConfigName']}: {reason}"
        if is_about_model_data(reason):
            words += self._causes()
        elif lines := last_lines(self.clients, self.plan.endpoint):
            words += f"; its log ends: {' | '.join(lines)}"
        if _NO_CAPACITY.search(reason) and not self.plan.settings.serverless:
            return InstanceTypeError(words)
        return DeploymentError(words)

    def _causes(self) -> str:
        found = explain_model_data(self.clients, self.plan, self.role)
        return "".join(f"; cause ({one.answer}): {one}" for one in found)

    def _settle(self) -> None:
        """Mark what is in use, and remove what earlier versions made."""
        used = {(kind.name, kind.named(self.plan)) for kind in KINDS.values()}
        old = [one for one in self.journal.entries if (one.kind, one.name) not in used]
        for entry in self.journal.entries:
            if (entry.kind, entry.name) in used and entry.state is not State.SETTLED:
                self.journal.mark(entry.kind, entry.name, State.SETTLED)
        removal = remove(self.clients, self.plan.identity.account, self.journal, old, self.patience)
        if removal.left:
            self.notes.append(f"of an older version, left behind: {'; '.join(removal.left)}")
