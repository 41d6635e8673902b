"""What admission finds wrong with a model, and what it could not look at."""

from dataclasses import dataclass
from typing import Literal

from swath.errors import ConfigError

#: Part of a model, or of what is around it, that admission looks at.
Check = Literal["files", "manifest", "weights", "reference", "licence", "revocation", "signature"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that speaks against a model.

    Args:
        model: Name of the model, as the user named it.
        check: Subject of the check.
        problem: Problem: expected and found.
        remedy: Action to take.
        grave: The model is refused; otherwise the run goes on and its report says so.
    """

    model: str
    check: Check
    problem: str
    remedy: str
    grave: bool = True

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.model}: {self.check}: {self.problem}; {self.remedy}"


def refuse(findings: tuple[Finding, ...]) -> None:
    """Refuse a model for its grave findings.

    Raises:
        ConfigError: There is one; the message names them all.
    """
    grave = [str(f) for f in findings if f.grave]
    if grave:
        raise ConfigError("\n".join(grave))
