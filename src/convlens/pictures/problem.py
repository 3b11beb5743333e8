"""The error of a picture that cannot be used, in parts: a folder of thousands gives other advice than one picture."""

from __future__ import annotations

from ..errors import DataError


class PictureError(DataError):
    """A picture that cannot be used.

    Attributes
    ----------
    name
        The file's name, or what stands for it in messages.
    problem
        What is wrong with it: ``"is empty"``.
    advice
        What to do about it, if it is the only picture.
    """

    def __init__(self, name: str, problem: str, advice: str) -> None:
        super().__init__(f"{name}: {problem}; {advice}")
        self.name, self.problem, self.advice = name, problem, advice

    def __reduce__(self) -> tuple[type[PictureError], tuple[str, str, str]]:
        return type(self), (self.name, self.problem, self.advice)
