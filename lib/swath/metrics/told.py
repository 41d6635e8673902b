"""Receivers of beats besides the run's own file. No failure there may reach the run."""

from typing import Protocol

from swath.metrics.beat import Beat


class Listener(Protocol):
    """A service that takes beats."""

    def tell(self, beat: Beat) -> str:
        """Take a beat; what was wrong, in words, or nothing. Never raises."""
        ...
