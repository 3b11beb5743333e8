"""Conditions and wildcards of AWS's policy language: pure functions on strings.

Written after AWS's *IAM JSON policy elements: Condition operators*. Operators on strings, ARNs, booleans and presence
are known, with ``IfExists``, ``ForAnyValue:`` and ``ForAllValues:``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...errors import ConfigurationError, nearest

_QUALIFIERS = ("ForAnyValue", "ForAllValues")


@dataclass(frozen=True)
class Condition:
    """One condition: a key of the request's context compared with the policy's values.

    Parameters
    ----------
    operator
        Such as ``StringEquals``, ``ForAnyValue:StringNotLike`` or ``ArnLikeIfExists``.
    key
        Such as ``iam:PassedToService``; letter case does not matter.
    values
        Any one of them may match; with a negated operator, none may.

    Raises
    ------
    ConfigurationError
        If the operator is not known here.
    """

    operator: str
    key: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        name = self._name
        if name != "Null" and name.replace("Not", "", 1) not in _COMPARISONS:
            known = [*_COMPARISONS, "Null"]
            raise ConfigurationError(f"unknown condition operator {self.operator!r} in a policy{nearest(name, known)}")

    def holds(self, context: Mapping[str, Sequence[str]]) -> bool:
        """Return whether it holds in a context, whose keys are in lower case."""
        values = context.get(self.key.lower())
        if self._name == "Null":
            return str(values is None).lower() == self.values[0].lower()
        negated = "Not" in self._name
        if values is None:
            return negated or self.operator.endswith("IfExists") or self.operator.startswith("ForAllValues")
        compare = _COMPARISONS[self._name.replace("Not", "", 1)]
        found = [any(compare(wanted, value) for wanted in self.values) is not negated for value in values]
        if self.operator.startswith("ForAllValues"):
            return all(found)
        return any(found)

    @property
    def _name(self) -> str:
        qualifier, _, rest = self.operator.partition(":")
        return (rest if qualifier in _QUALIFIERS else self.operator).removesuffix("IfExists")


def matches(pattern: str, text: str) -> bool:
    """Return whether a text fits a pattern in which ``*`` is any text and ``?`` any one character.

    >>> matches("arn:aws:s3:::*sagemaker*", "arn:aws:s3:::sagemaker-us-east-1-123456789012")
    True
    """
    return _compiled(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    known = {"*": ".*", "?": "."}
    return re.compile("".join(known.get(one) or re.escape(one) for one in pattern), re.DOTALL)


def _same(wanted: str, value: str) -> bool:
    return wanted == value


def _same_letters(wanted: str, value: str) -> bool:
    return wanted.lower() == value.lower()


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _same_letters,
    "StringLike": matches,
    "ArnEquals": matches,  # as AWS documents: both ARN operators take wildcards
    "ArnLike": matches,
    "Bool": _same_letters,
}
