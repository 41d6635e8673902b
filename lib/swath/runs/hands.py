"""What reads the metadata of few scenes: tasks of Spark, or children of this process, which start in a second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import SparkSession

from swath.engine.child.crew import Crew
from swath.engine.child.nursery import Nursery
from swath.engine.ingested import Ingest, SceneFound
from swath.engine.message import answer_to
from swath.engine.refused import Refused
from swath.errors import BrokenInstallationError
from swath.runs.ingest import INPUTS, IngestRequest, StageProgress, inputs_read, tasks_for
from swath.spark.breaker import Breaker
from swath.spark.stage import opened, run_stage, settle
from swath.spark.tally import Outcomes, broken, outcome, together

Answers = list[SceneFound | Refused]


class Hands(Protocol):
    """What reads scenes."""

    @property
    def session(self) -> SparkSession | None:
        """The session that they work in, if any."""
        ...

    @property
    def cores(self) -> int:
        """Cores that work at once."""
        ...

    def read(self, requests: Sequence[Ingest], *, asked: IngestRequest, progress: StageProgress | None) -> Answers:
        """Read the metadata of scenes; answers in their order.

        Args:
            requests: A scene each.
            asked: Name and limits of the run that the tasks belong to.
            progress: Told how many of how many inputs are read.

        Raises:
            ServiceError: A store was away for longer than we wait.
            ConfigError: The configuration does not fit a scene.
            BrokenInstallationError: Too many scenes ended by an unexpected error.
        """
        ...


@dataclass(frozen=True, slots=True)
class SparkHands:
    """Tasks of a session.

    Args:
        session: The session.
    """

    session: SparkSession

    @property
    def cores(self) -> int:
        """Those of the cluster."""
        return int(self.session.sparkContext.defaultParallelism)

    def read(self, requests: Sequence[Ingest], *, asked: IngestRequest, progress: StageProgress | None) -> Answers:
        """See ``Hands``."""
        answers = run_stage(
            self.session,
            requests,
            limits=asked.limits,
            name=f"{asked.run_id} ingest",
            tasks=tasks_for(len(requests), cores=self.cores),
            breaker=Breaker(self.session, limit=asked.internal_limit),
            progress=inputs_read(progress, scenes=len(requests)),
        )
        return opened(answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHands:
    """Children of this process.

    Args:
        cores: Number of children.
        nursery: Forks them; None lets each load its libraries itself.
    """

    cores: int
    nursery: Nursery | None = None

    @property
    def session(self) -> None:
        """None."""

    def read(self, requests: Sequence[Ingest], *, asked: IngestRequest, progress: StageProgress | None) -> Answers:
        """See ``Hands``."""
        told: Outcomes = {}
        done = 0

        def heard(request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
            nonlocal told, done
            told, done = together(told, outcome(request, answer)), done + 1
            if progress is not None:
                progress(INPUTS, done, len(requests))
            if found := broken(told, limit=asked.internal_limit):
                raise BrokenInstallationError(found)

        with Crew(min(self.cores, len(requests)), limits=asked.limits, nursery=self.nursery) as crew:
            plain = crew.answers([r.to_plain() for r in requests], heard=heard)
        answers = [answer_to(request, answer) for request, answer in zip(requests, plain, strict=True)]
        settle(answers)
        return answers
