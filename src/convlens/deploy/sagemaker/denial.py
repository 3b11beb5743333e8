"""Which policy said no: AWS's sentences about denied access, taken apart.

The sentence is ``User: ARN is not authorized to perform: ACTION on resource: ARN because no LAYER allows the ACTION
action``, or ``... with an explicit deny in a LAYER``, since 2026 followed by the policy's own ARN. Some services say
less. Sources: "Troubleshoot access denied error messages" in the IAM User Guide, and the AWS Security Blog, "Enhanced
access denied error messages with policy ARNs".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """The kind of rule that decides. A request needs the consent of every layer that applies to it."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    ORGANISATION = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    RESOURCE = "resource-based policy"
    SESSION = "session policy"
    VPC_ENDPOINT = "VPC endpoint policy"
    TRUST = "trust policy"
    QUOTA = "service quota"
    UNNAMED = "a layer that AWS does not name"


_POLICIES = (
    Layer.IDENTITY,
    Layer.BOUNDARY,
    Layer.ORGANISATION,
    Layer.RESOURCE_CONTROL,
    Layer.RESOURCE,
    Layer.SESSION,
    Layer.VPC_ENDPOINT,
)
_SENTENCE = re.compile(
    r"(?:User: (?P<principal>\S+) is )?not authorized to perform: (?P<action>[\w-]+:[\w*]+)"
    r"(?: on resource: (?:\"(?P<quoted>[^\"]*)\"|(?P<resource>(?:(?:user|role|group|policy) )?[^\s\"]+)))?"
    r"(?P<reason>.*)",
    re.DOTALL,
)
_NO_ALLOW = re.compile(r"because no (?P<layer>.+?) allows ")
_DENY = re.compile(r"with an explicit deny(?: in an? (?P<layer>[A-Za-z -]+))?(?:: (?P<policy>arn:\S+))?")


@dataclass(frozen=True)
class Denial:
    """A denied request.

    Attributes
    ----------
    action, resource, principal
        Who was not allowed to do what, and on what; the last two are empty where AWS does not say.
    layer
        The kind of policy that decides.
    explicit
        Whether it is a Deny statement, which no Allow overrides; otherwise an Allow is missing.
    policy
        ARN of the policy, where AWS names it.
    """

    action: str
    resource: str = ""
    principal: str = ""
    layer: Layer = Layer.UNNAMED
    explicit: bool = False
    policy: str = ""

    @property
    def decides(self) -> str:
        """What decides, in words: ``an explicit deny in a service control policy``."""
        if self.layer is Layer.UNNAMED:
            found = "an explicit deny in" if self.explicit else "a missing allow in"
            return f"{found} {self.layer}"
        article = "an" if self.layer is Layer.IDENTITY else "a"
        words = f"an explicit deny in {article} {self.layer}" if self.explicit else f"no {self.layer} allows it"
        return f"{words} ({self.policy})" if self.policy else words


def parse_denial(message: str, action: str = "") -> Denial:
    """Return what AWS's sentence says.

    Parameters
    ----------
    message
        The error's message.
    action
        The action that was asked for, where the sentence names none (S3 often says only ``Access Denied``).

    Examples
    --------
    >>> found = parse_denial(
    ...     "User: arn:aws:iam::1:user/ann is not authorized to perform: sagemaker:AddTags on resource: "
    ...     "arn:aws:sagemaker:eu-west-1:1:model/m because no permissions boundary allows the sagemaker:AddTags action"
    ... )
    >>> found.action, found.layer.value, found.explicit
    ('sagemaker:AddTags', 'permissions boundary', False)
    """
    sentence = _SENTENCE.search(message)
    if sentence is None:
        return Denial(action)
    reason, layer, explicit, policy = sentence["reason"], "", False, ""
    if missing := _NO_ALLOW.search(reason):
        layer = missing["layer"]
    elif deny := _DENY.search(reason):
        layer, explicit, policy = deny["layer"] or "", True, (deny["policy"] or "").rstrip(".")
    resource = sentence["quoted"] or (sentence["resource"] or "").rstrip(".,")
    return Denial(sentence["action"], resource, sentence["principal"] or "", _layer(layer), explicit, policy)


def _layer(words: str) -> Layer:
    return next((one for one in _POLICIES if words.strip().lower().startswith(one.lower())), Layer.UNNAMED)
