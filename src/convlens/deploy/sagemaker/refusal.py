"""What AWS refuses, as values, and what can be done about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import DeploymentError
from ...names import shown
from .denial import Denial, parse_denial

LONGEST_MESSAGE = 300  # characters of an error of AWS's in a line of ours
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled", "403")
_MISSING = ("404", "NoSuchEntity", "NoSuchBucket", "NoSuchKey", "NotFound", "ResourceNotFound")
_MISSING_TOO = ("NoSuchResourceException", "ResourceNotFoundException", "NoSuchBucketPolicy")
_EXISTING = ("BucketAlreadyOwnedByYou", "ConditionalRequestConflict", "PreconditionFailed", "ResourceInUse")
_BUSY = ("RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException")
_SIGN_IN = (
    "they have expired: sign in again (aws sso login; in a learner lab, start the lab and copy its credentials anew), "
    "and repeat the command"
)
_KEY = (
    "check that they are whole and still valid (aws sts get-caller-identity), and that the account has enabled the "
    "region {region}"
)
_SIGNATURE = "check the secret key, and that this machine's clock is right"
CREDENTIALS = {
    "AuthFailure": _KEY,
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "IncompleteSignature": _SIGNATURE,
    "InvalidAccessKeyId": _KEY,
    "InvalidClientTokenId": _KEY,
    "InvalidSignatureException": _SIGNATURE,
    "InvalidToken": _KEY,
    "OptInRequired": _KEY,
    "RequestExpired": _SIGN_IN,
    "RequestTimeTooSkewed": _SIGNATURE,
    "SignatureDoesNotMatch": _SIGNATURE,
    "TokenRefreshRequired": _SIGN_IN,
    "UnrecognizedClientException": _KEY,
}
"""What to do, by the code of each refusal that is about the credentials; ``{region}`` is the call's."""


@dataclass(frozen=True)
class AwsRefusal:
    """An error that AWS answered with.

    Attributes
    ----------
    code, message
        As AWS gives them: ``"AccessDeniedException"`` and a sentence.
    status
        Of HTTP.
    action
        The call as IAM names it, ``"sagemaker:CreateModel"``.
    repeated
        Whether boto3 had made the call before, and its reply was lost.
    """

    code: str
    message: str
    status: int
    action: str
    repeated: bool = False

    @property
    def denied(self) -> bool:
        """Whether a policy said no, rather than the service."""
        return self.code in _DENIED or (
            self.code == "ValidationException" and "not authorized to perform" in self.message
        )

    @property
    def missing(self) -> bool:
        """Whether what was asked about does not exist."""
        gone = self.code in ("ValidationException", "ValidationError") and re.search(
            r"could not find|does not exist|not found", self.message, re.IGNORECASE
        )
        return self.code in (*_MISSING, *_MISSING_TOO) or bool(gone)

    @property
    def exists(self) -> bool:
        """Whether what was to be made is there already, as after a call whose reply was lost."""
        return self.code in _EXISTING or "already exist" in self.message

    @property
    def unanswered(self) -> bool:
        """Whether AWS has failed rather than answered: the call may have been carried out, or not."""
        return self.status >= 500 or self.code in _BUSY

    @property
    def in_progress(self) -> bool:
        """Whether the endpoint is changing at this moment, and takes no orders."""
        return bool(re.search(r"in-progress|in progress|is being", self.message, re.IGNORECASE))

    @property
    def denial(self) -> Denial:
        """What AWS's sentence says about the policy that decides."""
        return parse_denial(self.message, self.action)

    def __str__(self) -> str:
        return f"{self.action}: {shown(self.message, LONGEST_MESSAGE)} ({self.code})"


class UnreachableError(DeploymentError):
    """AWS could not be asked: it cannot be reached, or does not accept the credentials.

    Nothing is known of what a call has done. A script tells it from a refusal by its exit code.
    """

    exit_code = 6


def refused(refusal: AwsRefusal, doing: str = "") -> DeploymentError:
    """Return the error for a refusal: what decides, where a policy does; else AWS's own words.

    It is an UnreachableError where AWS has failed rather than answered.
    """
    before = f"{doing}: " if doing else ""
    if refusal.unanswered:
        return UnreachableError(f"{before}AWS cannot answer now ({refusal}); wait some minutes, and repeat the command")
    if not refusal.denied:
        return DeploymentError(f"{before}AWS refuses {refusal}")
    denial = refusal.denial
    on = f" on {denial.resource}" if denial.resource else ""
    return DeploymentError(
        f"{before}{denial.action} is denied{on}: {denial.decides}; run convlens sagemaker doctor for what would help"
    )
