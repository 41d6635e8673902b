"""The log of a run, kept beside its result: its messages, each with the time of day."""

from datetime import UTC, datetime

from swath.redaction import redacted
from swath.runs.told import Expecting, Told
from swath.stores.base import Store

#: A log keeps its end [bytes].
MOST = 1 << 20


def log_path(run_id: str) -> str:
    """Below the output."""
    return f"reports/{run_id}.log"


class RunLog:
    """Tells on, and remembers.

    Args:
        told: Function that also receives the progress.
    """

    def __init__(self, told: Told) -> None:
        self._told = told
        self._lines: list[str] = []
        self._stage: tuple[str, int, int] | None = None

    def wave(self, number: int, waves: int, products: int) -> None:
        """A wave begins."""
        self.note(f"wave {number} of {waves}: {products} products")
        self._stage = None
        self._told.wave(number, waves, products)

    def expect(self, number: int, seconds: float) -> None:
        """The estimate of a wave, which its log keeps: what came of it is in the report."""
        self.note(f"wave {number}: about {seconds:.0f} s at measured rates")
        if isinstance(self._told, Expecting):
            self._told.expect(number, seconds)

    def stage(self, name: str, done: int, total: int) -> None:
        """So many tasks of a stage are done; the last is worth a line."""
        if done == total and self._stage != (name, done, total):
            self.note(f"{name}: {total} tasks done")
        self._stage = (name, done, total)
        self._told.stage(name, done, total)

    def say(self, text: str) -> None:
        """One line."""
        self.note(text)
        self._told.say(text)

    def note(self, text: str) -> None:
        """A line for the log alone."""
        self._lines.append(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {redacted(text)}\n")

    def keep(self, store: Store, *, run_id: str) -> None:
        """Write it; a run that is continued adds to its log. A store that fails now costs the log, and nothing else."""
        path = log_path(run_id)
        try:
            before = store.read(path) or b""
            store.write(path, (before + "".join(self._lines).encode())[-MOST:])
        except Exception as error:  # noqa: BLE001  stores have errors of their own; the run's own error must be the one that is reported
            self._told.say(f"{path} could not be written: {error}")
        self._lines = []
