"""One reason not to run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteRefusal:
    """Why not, and what to do.

    Args:
        code: Stable short name, for tests and for searching the guide.
        reason: Fault, without a full stop.
        remedy: Action to take, without a full stop.
    """

    code: str
    reason: str
    remedy: str
