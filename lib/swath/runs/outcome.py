"""What a run did."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime

from pyspark.sql import Row

from swath.account import Account
from swath.readers.passed_over import PassedOver
from swath.runs.request import RunRequest
from swath.runs.results import Results
from swath.runs.work import ProductWork, StageTime
from swath.sinks.served.delivery import DeliveryOutcome

#: A row of a plan.
PlanRow = Row


@dataclass(slots=True, kw_only=True)
class RunOutcome:
    """What a run did.

    Args:
        request: Request of the run.
        account: Account over all waves.
        results: Entries of its scenes.
        made: First products of the run, those of an earlier execution that was cut short first.
        stages: Stages of all waves.
        own: Account over the waves of this execution.
        made_bytes: Size of the files that this execution made.
        touched: Collections and days that got a product.
        started: Aware.
        ended: Aware.
        not_scenes: Files of the inputs that are no scene.
        step_cpu_s: CPU time by step of the products of this execution [s].
        delivered: Delivery to the served catalogue; None without one.
    """

    request: RunRequest
    account: Account
    results: Results
    started: datetime
    ended: datetime
    made: list[ProductWork] = field(default_factory=list)
    stages: list[StageTime] = field(default_factory=list)
    own: Account = field(default_factory=Account)
    made_bytes: int = 0
    touched: set[tuple[str, date]] = field(default_factory=set)
    not_scenes: PassedOver = field(default_factory=PassedOver)
    step_cpu_s: Counter[str] = field(default_factory=Counter)
    delivered: DeliveryOutcome | None = None
