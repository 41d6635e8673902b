"""How much of a cluster a run keeps at work: a discrete simulation of waves, tasks and the driver, from measured costs.

``python -m benchmarks.scheduling`` prints a table. Costs of the driver were measured on runs of small scenes (docs/scale.md);
seconds of a scene and their spread are assumed: 25 s, a quarter of the scenes over 31 s (CV 0.5).
"""

import heapq
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import Final

from swath.runs.flight import IN_FLIGHT
from swath.wave_width import wave_width


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a run costs beside its pixels.

    Args:
        scene_s: Mean time of a scene on a core [s].
        spread: Standard deviation of that time over its mean.
        read_s: Reading the plan of a wave [s].
        commit_s: Committing a wave, but for its scenes [s].
        driver_s: Python of the driver a scene, half of it before a wave and half of it in its commit [s].
        launch_s: Between two tasks that the driver launches [s].
    """

    scene_s: float = 25.0
    spread: float = 0.5
    read_s: float = 0.39
    commit_s: float = 1.3
    driver_s: float = 0.003
    launch_s: float = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How waves are made.

    Args:
        name: For people.
        width: Scenes of a wave; None for ``wave_width`` of the cores.
        in_flight: Waves at work at once.
    """

    name: str
    width: int | None
    in_flight: int


WAYS: Final = (
    Way(name="waves of 32, one at a time", width=32, in_flight=1),
    Way(name="waves of 4,096, one at a time", width=4096, in_flight=1),
    Way(name="3 x cores, one at a time", width=None, in_flight=1),
    Way(name="3 x cores, two in flight", width=None, in_flight=2),
    Way(name=f"3 x cores, {IN_FLIGHT} in flight (swath)", width=None, in_flight=IN_FLIGHT),
)
CLUSTERS: Final = ((8, 2_000), (64, 10_000), (1_000, 100_000))


@dataclass(slots=True)
class _Wave:
    """One wave: scenes that wait for a core, and how many are not done."""

    waiting: deque[float]
    left: int
    size: int


def share_at_work(scenes: int, *, cores: int, way: Way, costs: Costs, seed: int = 1) -> float:
    """Share of the cores that is at work from the first plan to the last commit.

    Args:
        scenes: Number of scenes.
        cores: Number of cores.
        way: How waves are made.
        costs: What things cost.
        seed: Of the scenes' times.
    """
    times = list(_times(scenes, costs, seed=seed))
    return sum(times) / (cores * _Run(times, cores=cores, way=way, costs=costs).ends())


def _times(scenes: int, costs: Costs, *, seed: int) -> Iterator[float]:
    chance, sigma = random.Random(seed), sqrt(log(1 + costs.spread**2))  # noqa: S311  no secret
    for _ in range(scenes):
        yield costs.scene_s * chance.lognormvariate(-(sigma**2) / 2, sigma)


class _Run:
    """The events of one run."""

    def __init__(self, times: Sequence[float], *, cores: int, way: Way, costs: Costs) -> None:
        width = way.width or wave_width(cores)
        self._todo = deque(times[n : n + width] for n in range(0, len(times), width))
        self._free, self._way, self._costs = cores, way, costs
        self._flying: deque[_Wave] = deque()
        self._events: list[tuple[float, int, str, _Wave | None]] = []
        self._number, self._launched, self._driver = 0, 0.0, 0.0
        self._committing = False

    def ends(self) -> float:
        """Time of the last commit [s]."""
        now = 0.0
        for _ in range(self._way.in_flight):
            self._take_off(now)
        while self._events:
            now, _, what, wave = heapq.heappop(self._events)
            if what == "ready" and wave is not None:
                self._flying.append(wave)
            elif what == "done" and wave is not None:
                self._free += 1
                wave.left -= 1
            elif what == "committed":
                self._committing = False
                self._flying.popleft()
                self._take_off(now)
            self._commit(now)
            self._launch(now)
        return now

    def _take_off(self, now: float) -> None:
        if not self._todo:
            return
        times = self._todo.popleft()
        # Plans are read one after the other; a wave that is ahead is read while another is at work.
        ready = max(now, self._driver) + self._costs.read_s + len(times) * self._costs.driver_s / 2
        self._driver = ready
        self._at(ready, "ready", _Wave(deque(times), len(times), len(times)))

    def _commit(self, now: float) -> None:
        if self._flying and not self._flying[0].left and not self._committing:
            self._committing = True
            took = self._costs.commit_s + self._flying[0].size * self._costs.driver_s / 2
            self._at(now + took, "committed", None)

    def _launch(self, now: float) -> None:
        for wave in self._flying:
            while self._free and wave.waiting:
                self._free -= 1
                self._launched = max(self._launched, now) + self._costs.launch_s
                self._at(self._launched + wave.waiting.popleft(), "done", wave)

    def _at(self, moment: float, what: str, wave: _Wave | None) -> None:
        self._number += 1
        heapq.heappush(self._events, (moment, self._number, what, wave))


def table(costs: Costs) -> Iterator[str]:
    """Lines of the table."""
    yield "| way | " + " | ".join(f"{cores:,} cores, {scenes:,} scenes" for cores, scenes in CLUSTERS) + " |"
    yield "|---" * (len(CLUSTERS) + 1) + "|"
    for way in WAYS:
        shares = (share_at_work(scenes, cores=cores, way=way, costs=costs) for cores, scenes in CLUSTERS)
        yield f"| {way.name} | " + " | ".join(f"{share:.2f}" for share in shares) + " |"


def main() -> None:
    """Print the tables: with the measured driver, and with one that is slow."""
    for title, costs in (("3 ms of driver a scene", Costs()), ("20 ms of driver a scene", replace(Costs(), driver_s=0.020))):
        print(f"\n{title}\n")
        for line in table(costs):
            print(line)


if __name__ == "__main__":
    main()
