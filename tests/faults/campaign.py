"""Runs of forty small scenes to which things happen, again and again, until each has ended."""

import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np
from tests.faults.account import broken_promises, leftovers, untold
from tests.faults.driven import Driven
from tests.faults.injections import ENDING, KINDS, SmallDisk, Target
from tests.faults.processes import below, ended
from tests.faults.small_scenes import make_scenes
from tests.faults.told import Injected, Report
from tests.faults.whole_product import MADE, Maker

from swath.config import load_pipeline, prepare
from swath.engine.child.parent import Child, Limits
from swath.inference.registry import Registry
from swath.plain import canonical
from swath.readers.discover import discover
from swath.stores.local import local_store

PIPELINE: Final = "toa"
STRIP_ROWS: Final = 512
#: Share of an undisturbed run's time over which its injections are spread; what comes late hits the next execution.
SPREAD: Final = 0.8
#: A run that does not end within this was lost.
RUN_S: Final = 1500.0
#: What the driver's clock may be wrong by [s]; drawn for each execution.
CLOCKS_S: Final = (0.0, -259_200.0, 259_200.0)
#: Nobody listens there. Every second round has this catalogue.
NO_CATALOGUE: Final = "postgresql://swath@127.0.0.1:1/none"
#: Executions of one run, after which nothing happens to it any more.
MOST_EXECUTIONS: Final = 8
_PLUG_INS = Path(__file__).parent / "plug_ins"


class Campaign:
    """Everything that the rounds share.

    Args:
        folder: For scenes and outputs.
        seed: Draws injections.
        master: Of the driver's session.
        wave_products: Of the runs.
        tell: Hears of each injection and each end.
    """

    def __init__(
        self, folder: Path, *, seed: int, master: str, wave_products: int = 14, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._folder, self._master, self._tell = folder, master, tell
        self._wave_products = wave_products
        self._rng = np.random.default_rng(seed)
        self.report = Report(seed=seed)
        self._since = time.monotonic()
        self._disk = SmallDisk(folder / "disk")
        self._scenes = make_scenes(folder / "input")
        self._hostile = _hostile_scenes(folder / "hostile")
        plain = prepare(load_pipeline(PIPELINE), registry=Registry.beside(folder)).plain
        self._pipeline = canonical(dict(plain))
        self._driver: Driven | None = None
        self._family: list[int] = []
        self._run_s = 0.0
        self._reference = folder / "reference"

    def close(self) -> None:
        """End the driver, give the disk back."""
        if self._driver is not None:
            self._driver.close()
        self._disk.close()

    def undisturbed(self) -> None:
        """The run that the others are compared with.

        Raises:
            ChildProcessError: It did not make everything.
        """
        driver, since = self._running(), time.monotonic()
        answer = driver.done(self._request(self._reference, run_id="reference"), seconds=RUN_S)
        self._run_s = time.monotonic() - since
        if answer["exit"] != 0:
            msg = f"the undisturbed run ended with {answer}"
            raise ChildProcessError(msg)
        self._tell(f"undisturbed: {self._run_s:.0f} s")

    def made_without_spark(self, *, run_s: float) -> None:
        """Products to compare with, made task by task in one child: cheaper than a run, and not by the code that is disturbed.

        Args:
            run_s: About what a run takes; injections are spread over it.

        Raises:
            ChildProcessError: A scene was not made.
        """
        self._run_s = run_s
        output = local_store(self._reference).folder
        with closing(Child(Limits(memory_mb=1024, seconds=120.0))) as child:
            maker = Maker(child=child, pipeline=self._pipeline, output=output, strip_rows=STRIP_ROWS)
            for href in discover([str(self._scenes.folder)]):
                if (told := maker.make(href))[0] != MADE:
                    msg = f"{href} is not made: {told}"
                    raise ChildProcessError(msg)

    def round(
        self, injections: int, *, kinds: frozenset[str] = frozenset(KINDS), endings: int = 1, hostile: bool = False
    ) -> None:
        """One run, disturbed so many times, until it has ended; then what must hold.

        Args:
            injections: How many.
            kinds: Which ones.
            endings: How many of those that end the driver at most.
            hostile: Whether scenes that crash, hang and take all memory are in the input too.
        """
        number = len(self.report.exits)
        output, run_id = self._disk.folder / f"round-{number}", f"round-{number}"
        self.report.exits.append([])
        output.mkdir()
        left, endings_left, ids = injections, endings, {run_id}
        if number % 2:
            left -= self._note("served catalogue down", "all the time")
        request = self._request(output, run_id=run_id, hostile=hostile)
        while True:
            disturb = len(self.report.exits[number]) < MOST_EXECUTIONS
            chosen = kinds if endings_left else kinds - ENDING
            answer, done, ended = self._execution(request, output, most=left if disturb else 0, kinds=chosen)
            left, endings_left = left - done, endings_left - ended
            self.report.exits[number].append(answer["exit"])
            self._tell(f"round {number}: exit {answer['exit']} {str(answer.get('why', ''))[-300:]}")
            if answer["exit"] in (0, 3):
                break
            if len(self.report.exits[number]) > 2 * MOST_EXECUTIONS:
                self.report.broken.append(f"round {number} does not end: {answer}")
                return
        while left > 0 or self._standing(answer, hostile=hostile):
            # Injections that came too late, and scenes whose child was killed twice: a new run picks them up.
            # One that a full disk ended is continued under its own name.
            if answer["exit"] in (0, 3):
                run_id = f"round-{number}-{len(ids)}"
                ids.add(run_id)
            if len(self.report.exits[number]) > 4 * MOST_EXECUTIONS:
                self.report.broken.append(f"round {number} does not end: {answer}")
                return
            again = self._request(output, run_id=run_id, hostile=hostile)
            answer, done, _ = self._execution(again, output, most=left, kinds=kinds - ENDING)
            left = left - done if done else 0
            self.report.exits[number].append(answer["exit"])
        self._check(output, number=number, ids=frozenset(ids), hostile=hostile)
        shutil.rmtree(output)

    def _execution(self, request: dict[str, Any], output: Path, *, most: int, kinds: frozenset[str]) -> tuple[Any, int, int]:
        """One execution: its answer, how many injections it took, and how many of them ended the driver."""
        driver = self._running()
        target = self._target(driver, output)
        clock_s = float(self._rng.choice(CLOCKS_S)) if most else 0.0
        driver.ask({**request, "clock_s": clock_s})
        gap_s = SPREAD * self._run_s / max(most, 1)
        since, done, ended = time.monotonic(), 0, 0
        if clock_s:
            done += self._note("driver's clock wrong", f"{clock_s / 3600:+.0f} h")
        answer = None
        while answer is None:
            answer = driver.poll(float(self._rng.uniform(0.0, 2.0 * gap_s)) if done < most else 5.0)
            if time.monotonic() - since > RUN_S:
                answer = {"exit": -1, "why": f"not done within {RUN_S:.0f} s"}
            if answer is None and done < most:
                # A dead driver's children have another parent: they are noted while it lives.
                self._family = below(driver.pid) or self._family
                kind, what = self._inject(target, kinds)
                if what is not None:
                    done += self._note(kind, what)
                    if kind in ENDING:
                        ended, kinds = ended + 1, kinds - ENDING
        if answer.get("died") or answer["exit"] not in (0, 3, 5):
            self._lose(driver)
        return answer, done, ended

    def _note(self, kind: str, what: str) -> int:
        at = time.monotonic() - self._since
        self.report.injected.append(Injected(round=len(self.report.exits) - 1, at_s=at, kind=kind, what=what))
        self._tell(f"{at:7.1f} s  {kind}: {what}")
        return 1

    def _inject(self, target: Target, kinds: frozenset[str]) -> tuple[str, str | None]:
        names = [k for k in KINDS if k in kinds]
        weights = np.array([KINDS[k][1] for k in names])
        kind = str(self._rng.choice(names, p=weights / weights.sum()))
        return kind, KINDS[kind][0](target)

    def _standing(self, answer: dict[str, Any], *, hostile: bool) -> bool:
        expected = len(self._hostile) if hostile else 0
        return len(answer["summary"]["quarantine"]) > expected if "summary" in answer else True

    def _check(self, output: Path, *, number: int, ids: frozenset[str], hostile: bool) -> None:
        hrefs = frozenset(map(str, self._hostile)) if hostile else frozenset[str]()
        scenes = self._scenes.count + len(hrefs)
        broken = broken_promises(output, reference=self._reference, scenes=scenes, hostile=hrefs, runs=ids)
        if number % 2:
            broken += [f"nobody will tell the catalogue of {p}" for p in sorted(untold(output))]
        left = leftovers(output)
        found = self._running().done({"op": "janitor", "output": str(output)}, seconds=300.0)
        unknown = left - set(found["scratch"]) - set(found["unnamed"])
        broken += [f"{path} is left and the janitor does not find it" for path in sorted(unknown)]
        self.report.leftover += len(left)
        self.report.broken += [f"round {number}: {b}" for b in broken]
        self.report.seconds = time.monotonic() - self._since
        self._tell(f"round {number}: {len(broken)} promises broken, {len(left)} files left {sorted(left)[:5]}")
        for line in broken[:20]:
            self._tell(f"  BROKEN {line}")

    def _running(self) -> Driven:
        if self._driver is None or self._driver.process.poll() is not None:
            if self._driver is not None:
                self._driver.close()
            self._driver = Driven(self._master, log=self._folder / "driver.log", plug_ins=(_PLUG_INS,))
        return self._driver

    def _lose(self, driver: Driven) -> None:
        """Nothing of a dead driver may go on working."""
        driver.close()
        deadline = time.monotonic() + 60
        gone = [ended(pid, seconds=max(deadline - time.monotonic(), 0.0)) for pid in self._family]
        self.report.orphans += gone.count(False)
        self._driver = None

    def _target(self, driver: Driven, output: Path) -> Target:
        return Target(
            pid=driver.pid, output=output, items=self._scenes.items, pipeline=self._pipeline, strip_rows=STRIP_ROWS,
            rng=self._rng, small_disk=self._disk.mounted,
        )  # fmt: skip

    def _request(self, output: Path, *, run_id: str, hostile: bool = False) -> dict[str, Any]:
        inputs = [str(self._scenes.folder), *([str(self._hostile[0].parent)] if hostile else [])]
        request = {
            "pipeline": PIPELINE, "inputs": inputs, "output": str(output), "run_id": run_id, "tile_size": STRIP_ROWS,
            "wave_products": self._wave_products,
        }  # fmt: skip
        if len(self.report.exits) % 2 == 0 and self.report.exits:
            request["catalog"] = NO_CATALOGUE
        return {**request, "strip_seconds": 10.0, "worker_memory_mb": 768} if hostile else request


def _hostile_scenes(folder: Path) -> tuple[Path, ...]:
    folder.mkdir()
    for word in ("crash", "hog", "hang"):
        (folder / f"{word}.hostile").write_text(word, encoding="utf-8")
    return tuple(sorted(folder.iterdir()))
