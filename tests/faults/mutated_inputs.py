"""Mutated deliveries through a worker's child, from metadata to the published item: made, or refused with a reason."""

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from tests.faults.mutations import draw
from tests.faults.whole_product import MADE, Maker

from swath.config import load_pipeline, prepare
from swath.engine.child.parent import Child, Limits
from swath.errors import InfrastructureError, InternalError
from swath.inference.registry import Registry
from swath.plain import canonical
from swath.simulator.simulate import Kind, simulate
from swath.stores.local import local_store

#: No step of a scene this small may take longer; one that does is ``HUNG``.
LONGEST_S: Final = 20.0
HUNG: Final = "timeout"
#: Refusals after which the child is another one.
DEATHS: Final = frozenset({"crash", "oom", HUNG})
SIZES: Final[dict[Kind, int]] = {"landsat9": 96, "sentinel2": 120, "stac": 96}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one mutated delivery.

    Args:
        sensor: Which delivery.
        number: Draws the same damage again, with the seed.
        damage: What was done to it.
        result: ``made``, or the class of the refusal.
        message: Of the refusal.
        escape: An error that no SceneError tells of; empty for none.
        seconds: Wall time.
    """

    sensor: str
    number: int
    damage: str
    result: str
    message: str
    escape: str
    seconds: float


@dataclass(slots=True, kw_only=True)
class Deliveries:
    """Whole deliveries, of which damaged copies are made."""

    folder: Path
    originals: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def simulated(cls, folder: Path) -> "Deliveries":
        """One of each kind."""
        made = cls(folder=folder)
        for kind, size in SIZES.items():
            made.originals[kind] = simulate(kind=kind, folder=folder / kind, size=size, truth=False).delivery
        return made

    def href(self, delivery: Path) -> str:
        """As ``discover`` names the scene: a folder, or the only item in it."""
        items = [p for p in sorted(delivery.glob("*.json")) if not p.name.upper().endswith("_MTL.JSON")]
        return str(items[0]) if len(items) == 1 and not list(delivery.glob("*MTL*")) else str(delivery)


def outcomes(*, seed: int, count: int, folder: Path, numbers: range | None = None) -> Iterator[Outcome]:
    """Damage, and try, ``count`` deliveries in turns; the same seed damages the same way.

    Raises:
        ChildProcessError: Not even the whole deliveries are made.
    """
    deliveries = Deliveries.simulated(folder / "whole")
    plain = prepare(load_pipeline("ard"), registry=Registry.beside(folder))
    child = Child(Limits(memory_mb=1024, seconds=LONGEST_S))
    output = local_store(folder / "out").folder
    maker = Maker(child=child, pipeline=canonical(dict(plain.plain)), output=output)
    try:
        for sensor, whole in deliveries.originals.items():
            if (why := maker.make(deliveries.href(whole)))[0] != MADE:
                msg = f"the whole {sensor} delivery is not made: {why}"
                raise ChildProcessError(msg)
        kinds = sorted(deliveries.originals)
        for number in numbers or range(count):
            sensor = kinds[number % len(kinds)]
            with tempfile.TemporaryDirectory(dir=folder) as place:
                copy = Path(place) / deliveries.originals[sensor].name
                shutil.copytree(deliveries.originals[sensor], copy)
                href = deliveries.href(copy).replace(str(copy), "{}")
                damage = draw(copy, rng=np.random.default_rng([seed, number]))
                outcome = _outcome(href.format(copy), maker=maker, sensor=sensor, number=number, damage=damage)
            yield outcome
            if outcome.result in DEATHS:  # the next one shall not pay for the start of a new child
                maker.make(deliveries.href(deliveries.originals[sensor]))
    finally:
        child.close()


def _outcome(href: str, *, maker: Maker, sensor: str, number: int, damage: str) -> Outcome:
    since, escape, message = time.monotonic(), "", ""
    try:
        result, told = maker.make(href)
    except InfrastructureError as error:
        result, escape = "escaped", str(error)
    else:
        if result == MADE:
            json.loads((Path(maker.output) / told).read_bytes())
        elif result == InternalError.error_class:
            escape = told
        else:
            message = told
    seconds = time.monotonic() - since
    return Outcome(sensor=sensor, number=number, damage=damage, result=result, message=message, escape=escape, seconds=seconds)


def table(found: list[Outcome]) -> str:
    """Markdown: results by delivery."""
    sensors = sorted({o.sensor for o in found})
    counts = Counter((o.result, o.sensor) for o in found)
    lines = [f"| result | {' | '.join(sensors)} | all |", f"|---|{'---|' * (len(sensors) + 1)}"]
    for result in [MADE, *sorted({o.result for o in found} - {MADE})]:
        numbers = [counts[result, s] for s in sensors]
        lines.append(f"| {result} | {' | '.join(map(str, numbers))} | {sum(numbers)} |")
    slowest = max((o.seconds for o in found), default=0.0)
    return "\n".join([*lines, "", f"Slowest: {slowest:.1f} s."])
