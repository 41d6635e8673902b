"""What a request that cannot be done is answered. Light: workers import it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A SceneError, or what stops a run, as it crosses processes.

    Args:
        error_class: Class of the error: what ``swath retry`` selects by.
        message: Problem, expected, got, and remedy.
        scene_id: The scene's own id, where the request did not know it; empty otherwise.
        stage: Part of the work that refused; empty when that is the request as a whole.
    """

    error_class: str
    message: str
    scene_id: str = ""
    stage: str = ""

    def to_plain(self) -> Json:
        """JSON-able; what is empty is left out."""
        more = {"scene_id": self.scene_id, "stage": self.stage}
        return {"class": self.error_class, "message": self.message, **{k: v for k, v in more.items() if v}}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        return cls(plain["class"], plain["message"], plain.get("scene_id", ""), plain.get("stage", ""))

    @classmethod
    def within(cls, answer: Mapping[str, Any]) -> Self | None:
        """The refusal that an answer is; None for other answers."""
        told = answer.get("refused")
        return cls.from_plain(told) if told is not None else None

    def answer(self) -> Json:
        """The refusal as an answer."""
        return {"refused": self.to_plain()}
