"""One reason not to run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteRefusal:
    """Why not, and what to do.

    Args:
        code: Stable short name, for tests and for searching the guide.
        reason: What is wrong, without a full stop.
        remedy: What to do, without a full stop.
    """

    code: str
    reason: str
    remedy: str
