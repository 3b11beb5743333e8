"""One run of a deployment: everything made in its order, or found; on failure, what was made is removed again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ConvlensError, DeploymentError
from .account import Role
from .clients import Clients, ask
from .journal import EntryState, Journal, JournalEntry
from .logs import last_lines
from .model_data import explain_model_data, is_about_model_data
from .ownership import Ownership
from .plan import DeploymentPlan
from .refusal import AwsRefusal, UnreachableError, refused
from .removal import Removal, remove_entries, users_elsewhere
from .resources import ARCHIVE, BUCKET, CONFIG, ENDPOINT, KINDS, MODEL, ResourceKind, behind_endpoint
from .waiting import CHANGING, DeadlineError, Patience, wait_for_rest

_CONSISTENT_TRIES = 10  # describes of a configuration that was just made, before the endpoint is: AWS may need seconds
_ROUNDS = 3  # in which everything is made, if another process removes some of it meanwhile
_NO_CAPACITY = re.compile(r"capacity|unable to provision", re.IGNORECASE)
_LIMIT = "ResourceLimitExceeded"


class InstanceTypeError(DeploymentError):
    """An instance type that cannot be had: forbidden, without quota, or exhausted."""


class VanishedError(DeploymentError):
    """Something was there, and another process has removed it before it was used."""


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

    plan: DeploymentPlan
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


class DeploymentRun:
    """One run of a deployment."""

    def __init__(
        self, clients: Clients, plan: DeploymentPlan, journal: Journal, patience: Patience, role: Role | None
    ) -> None:
        self.clients, self.plan, self.journal, self.patience, self.role = clients, plan, journal, patience, role
        self.owner = Ownership(clients, plan.identity.account, plan.endpoint)
        self.notes: list[str] = []
        self.action = "unchanged"

    def deployment(self) -> Deployment:
        """Deploy with the first instance type that can be had; on failure, remove what was made."""
        try:
            self._refuse_strangers()
            self._with_some_type()
        except (DeadlineError, UnreachableError):
            raise  # it may still come up: nothing is removed, and the command can be repeated
        except ConvlensError as error:
            raise DeploymentError(f"{error}; {self._remove(self.journal.unsettled())}") from error
        self._settle()
        return Deployment(self.plan, self.action, tuple(self.notes))

    def _remove(self, entries: Sequence[JournalEntry]) -> Removal:
        """Remove what is of no use any more, except what another deployment uses."""
        users = users_elsewhere(self.owner, self.plan, entries)
        return remove_entries(self.owner, self.journal, entries, self.patience, users)

    def _refuse_strangers(self) -> None:
        """Raise if there is an endpoint of this name that is not ours."""
        found = wait_for_rest(self.clients, self.plan.endpoint, self.patience)
        if found is None:
            return
        if doubt := self.owner.doubt(ENDPOINT, self.plan.endpoint, found):
            raise DeploymentError(
                f"there is an endpoint {self.plan.endpoint} that convlens did not make ({doubt}); give another name "
                "with --name"
            )

    def _take_over(self, found: Mapping[str, Any]) -> None:
        """Write down an endpoint in service, with what is behind it, that another journal has made."""
        for kind, name in ((ENDPOINT, self.plan.endpoint), *behind_endpoint(self.clients, found)):
            if not self.journal.has(kind.name, name):
                self.journal.mark(kind.name, name, EntryState.SETTLED)

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
                self._remove(useless)
            else:
                return

    def _make_all(self) -> None:
        """Make everything; what another process removes meanwhile is made again."""
        for number in range(1, _ROUNDS + 1):
            try:
                for kind in (BUCKET, ARCHIVE, MODEL, CONFIG):
                    self._ensure(kind)
                self._bring_up()
            except VanishedError as error:
                if number == _ROUNDS:
                    raise
                self.patience.progress(f"{error}; it is made again")
            else:
                return

    def _ensure(self, kind: ResourceKind) -> None:
        """Make a thing unless it exists."""
        if kind.find(self.clients, kind.named(self.plan), self.owner.account) is None:
            self._make(kind)

    def _make(self, kind: ResourceKind) -> bool:
        """Make a thing, written down before and after; without tags, if only these are denied.

        Returns
        -------
        bool
            Whether it was made here; otherwise another deployment was faster, and it is not ours to remove.
        """
        name = kind.named(self.plan)
        known = self.journal.has(kind.name, name)
        self.journal.mark(kind.name, name, EntryState.INTENDED)
        reply = kind.make(self.clients, self.plan)
        if isinstance(reply, AwsRefusal) and reply.denied and reply.denial.action == "sagemaker:AddTags":
            self.notes.append(f"made without tags: sagemaker:AddTags is denied ({reply.denial.decides})")
            self.plan = self.plan.without_tags()
            reply = kind.make(self.clients, self.plan)
        if isinstance(reply, AwsRefusal):
            return self._refused(kind, reply, known=known)
        self.owner.made.add((kind.name, name))
        self.journal.mark(kind.name, name, EntryState.MADE)
        self.patience.progress(f"made the {kind.name} {name}")
        return True

    def _refused(self, kind: ResourceKind, reply: AwsRefusal, *, known: bool) -> bool:
        """Return whether a thing that AWS does not make is there already, and ours; raise if it is not there."""
        name = kind.named(self.plan)
        if reply.unanswered:
            raise refused(reply, f"making the {kind.name} {name}")  # and it stays in the journal: it may be there
        if reply.exists and (known or reply.repeated):  # a call of ours has made it, whose reply was lost
            self.journal.mark(kind.name, name, EntryState.MADE)
            return True
        self.journal.forget(kind.name, name)
        if reply.exists:
            self.patience.progress(f"another deployment has just made the {kind.name} {name}")
            return False
        raise self._error(kind, reply)

    def _error(self, kind: ResourceKind, reply: AwsRefusal) -> DeploymentError:
        """Return the error for a thing that AWS does not make."""
        for earlier in list(KINDS.values())[: list(KINDS).index(kind.name)]:
            if earlier.find(self.clients, earlier.named(self.plan), self.owner.account) is None:
                return VanishedError(f"the {earlier.name} {earlier.named(self.plan)} was removed meanwhile")
        error = refused(reply, f"making the {kind.name} {kind.named(self.plan)}")
        forbidden = kind is CONFIG and reply.denied and reply.denial.action == reply.action
        if (forbidden or reply.code == _LIMIT) and not self.plan.settings.serverless:
            return InstanceTypeError(str(error))
        if is_about_model_data(reply.message):
            return DeploymentError(f"{error}{self._causes()}")
        return error

    def _bring_up(self) -> None:
        """Make the endpoint, or update it, and wait until it is in service with this plan's configuration."""
        ordered, before = False, ""
        while True:
            found = wait_for_rest(self.clients, self.plan.endpoint, self.patience)
            if found is None:
                self._await_config()
                if self._make(ENDPOINT):
                    self.action = "created"
                else:
                    self.patience.clock.sleep(1.0)  # SageMaker may need seconds to show what another has just made
                ordered = True
                continue
            status, config = found["EndpointStatus"], found["EndpointConfigName"]
            if status == "InService" and config == self.plan.config:
                return self._take_over(found)
            if status == "Failed" and not ordered:
                self._remove_failed()
            elif status == "InService" and not ordered:
                self._take_over(found)
                ordered, before = self._update(), config
            elif status not in CHANGING:
                raise self._failure(found, before)

    def _await_config(self) -> None:
        """Wait until SageMaker finds the configuration that was just made."""
        for _ in range(_CONSISTENT_TRIES):
            if CONFIG.find(self.clients, self.plan.config, "") is not None:
                return
            self.patience.clock.sleep(1.0)

    def _update(self) -> bool:
        """Put this plan's configuration behind the endpoint; return False if it is changing just now."""
        self._await_config()
        reply = ask(
            self.clients("sagemaker").update_endpoint,
            EndpointName=self.plan.endpoint,
            EndpointConfigName=self.plan.config,
        )
        if not isinstance(reply, AwsRefusal):
            self.action = "updated"
            return True
        if reply.in_progress:  # another deployment was faster
            self.patience.clock.sleep(1.0)
            return False
        raise self._error(ENDPOINT, reply)

    def _remove_failed(self) -> None:
        """Remove an endpoint that failed earlier: nothing else can be done with one."""
        entry = JournalEntry(ENDPOINT.name, self.plan.endpoint, EntryState.MADE)
        removal = self._remove([entry])
        if removal.left:
            raise DeploymentError(f"the endpoint {self.plan.endpoint} failed earlier, and cannot be removed: {removal}")

    def _failure(self, found: Mapping[str, Any], before: str) -> DeploymentError:
        """Return the error for an endpoint that did not come up, with every reason that can be found.

        Parameters
        ----------
        found
            What describes the endpoint.
        before
            The configuration that was behind it before it was updated.
        """
        config = found["EndpointConfigName"]
        if found["EndpointStatus"] == "InService" and config != before:
            return DeploymentError(
                f"another deployment has put the configuration {config} behind the endpoint {self.plan.endpoint} "
                "meanwhile; agree on one, and repeat the command"
            )
        reason = str(found.get("FailureReason", "")).rstrip(".") or "AWS gives no reason"
        status = found["EndpointStatus"]
        words = f"the endpoint {self.plan.endpoint} is {status}: {reason}"
        if status == "InService":
            words = f"the update failed and was rolled back to {config}: {reason}"
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
            if (entry.kind, entry.name) in used and entry.state is not EntryState.SETTLED:
                self.journal.mark(entry.kind, entry.name, EntryState.SETTLED)
        removal = self._remove(old)
        if removal.left:
            self.notes.append(f"of an older version, left behind: {'; '.join(removal.left)}")
