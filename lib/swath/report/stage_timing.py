"""What the stages of a run cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTiming:
    """What a stage cost.

    Args:
        name: Name of the stage.
        wall_s: Wall time from start to end [s].
        cpu_s: CPU time of all its processes [s].
        tasks: Number of tasks.
        peak_mb: Most memory of one of its processes [MiB]; None when not measured.
    """

    name: str
    wall_s: float
    cpu_s: float
    tasks: int
    peak_mb: float | None = None

    def to_plain(self) -> dict[str, Any]:
        """JSON-able, times to the millisecond."""
        return {
            "name": self.name,
            "wall_s": round(self.wall_s, 3),
            "cpu_s": round(self.cpu_s, 3),
            "tasks": self.tasks,
            "peak_mb": self.peak_mb,
        }


def stages_together(timings: Iterable[StageTiming]) -> tuple[StageTiming, ...]:
    """Timings of the same stage (of several waves) added up, in the order in which stages first appear."""
    found: dict[str, StageTiming] = {}
    for timing in timings:
        before = found.get(timing.name)
        found[timing.name] = timing if before is None else _added(before, timing)
    return tuple(found.values())


def _added(one: StageTiming, other: StageTiming) -> StageTiming:
    peaks = [p for p in (one.peak_mb, other.peak_mb) if p is not None]
    return StageTiming(
        name=one.name,
        wall_s=one.wall_s + other.wall_s,
        cpu_s=one.cpu_s + other.cpu_s,
        tasks=one.tasks + other.tasks,
        peak_mb=max(peaks, default=None),
    )
