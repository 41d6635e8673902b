"""What happened to runs, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """One injection."""

    round: int
    at_s: float
    kind: str
    what: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What happened and what came of it.

    Args:
        seed: Drew it.
        injected: In order.
        exits: Exit codes of all executions, by round.
        broken: Promises that did not hold, by round.
        leftover: Files that were left in scratch or unnamed, all found by the janitor.
        orphans: Processes of a dead driver that outlived it by a minute.
        seconds: Wall time.
    """

    seed: int
    injected: list[Injected] = field(default_factory=list)
    exits: list[list[int]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    leftover: int = 0
    orphans: int = 0
    seconds: float = 0.0

    def table(self) -> str:
        """Markdown."""
        counts = Counter(i.kind for i in self.injected)
        ends = Counter(code for codes in self.exits for code in codes)
        lines = ["| injection | times |", "|---|---|", *(f"| {kind} | {n} |" for kind, n in sorted(counts.items()))]
        lines += [f"| **all** | **{len(self.injected)}** |", ""]
        told = ", ".join(f"{code} ({n} times)" for code, n in sorted(ends.items()))
        lines.append(f"Runs: {len(self.exits)}; executions: {sum(map(len, self.exits))}; their exit codes: {told}.")
        lines.append(f"Promises broken: {len(self.broken)}. Files left over, all known to the janitor: {self.leftover}.")
        return "\n".join([*lines, f"Seed {self.seed}, {self.seconds:.0f} s."])
