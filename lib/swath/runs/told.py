"""Who follows a run: the edge prints what a run says, and the run's log keeps it."""

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
    """Who also wants to know how long a wave will take."""

    def expect(self, number: int, seconds: float) -> None:
        """The estimate of a wave, by its number among all [s]."""
        ...
