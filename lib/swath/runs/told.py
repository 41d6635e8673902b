"""Listeners of a run: the command line prints its messages, and the run's log keeps them."""

from typing import Protocol, runtime_checkable


class Told(Protocol):
    """Progress messages of a run."""

    def wave(self, number: int, waves: int, products: int) -> None:
        """A wave begins."""
        ...

    def stage(self, name: str, done: int, total: int) -> None:
        """So many tasks of a stage are done."""
        ...

    def say(self, text: str) -> None:
        """One line."""
        ...


@runtime_checkable
class Expecting(Protocol):
    """A listener that also gets the expected duration of a wave."""

    def expect(self, number: int, seconds: float) -> None:
        """The estimate of a wave, by its number among all [s]."""
        ...
