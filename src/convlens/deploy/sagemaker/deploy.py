"""A model's endpoint: made, or updated, or found as it should be; or nothing left behind.

What is made, in this order: the bucket, the archive in it, the model, the endpoint configuration, the endpoint. Each is
looked for first, and its name holds a hash of what it is; so a deployment that was killed anywhere goes on when the
command is repeated, and a finished one is repeated without a change. Two deployments of the same model at once, with
journals of their own, make one endpoint: each thing is made by one of them and used by both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import DeploymentError
from .clients import Clients
from .deployment_run import Deployment, DeploymentRun
from .doctor import Diagnosis, doctor
from .findings import Answer, DoctorVerdict
from .journal import FOLDER, Journal
from .plan import Archive, DeploymentPlan, EndpointSettings
from .resources import ARCHIVE, BUCKET, CONFIG, ENDPOINT, KINDS, MODEL
from .waiting import Patience


@dataclass(frozen=True)
class Step:
    """What a deployment does about one thing: ``keep``, ``make``, ``update`` or ``replace``."""

    what: str
    name: str
    action: str


def planned_steps(clients: Clients, plan: DeploymentPlan) -> list[Step]:
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
    settings: EndpointSettings | None = None,
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
        If it is denied, or the endpoint fails; the message says what decides. What was made is removed again. Also if
        another process is at work with the same journal; then nothing was made.
    ConfigurationError
        If a setting cannot be right.
    """
    diagnosis = doctor(clients, settings, archive)
    if diagnosis.role is None or (check and diagnosis.verdict is DoctorVerdict.NO_GO):
        raise DeploymentError(_no_go(diagnosis))
    patience = patience or Patience()
    plan = diagnosis.plan
    with Journal.held(folder, plan.identity.account, plan.region, plan.endpoint) as journal:
        run = DeploymentRun(clients, plan, journal, patience, diagnosis.role)
        if plan.settings.tags and not plan.tagged:
            run.notes.append("made without tags: sagemaker:AddTags is denied")
        return run.deployment()


def _no_go(diagnosis: Diagnosis) -> str:
    denied = [one for one in diagnosis.having(Answer.DENIED) if not one.optional]
    denied += [one for one in diagnosis.having(Answer.UNKNOWN) if one.what == "role"]
    advice = dict.fromkeys(one.advice for one in denied if one.advice)  # several may need the same
    return f"nothing was made, because this cannot succeed: {'; '.join([*map(str, denied), *advice])}"
