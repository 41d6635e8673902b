"""The one table of alarms. Each has a shape that CloudWatch and Prometheus can both say."""

from dataclasses import dataclass
from typing import Literal

Shape = Literal["above", "silent", "lasting", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """When a person should look.

    Args:
        name: Name in CamelCase.
        shape: ``above``: the newest number is above the threshold. ``lasting``: it was above it all the time. ``silent``: the
            metric was not told in all the time. ``dead``: a run is at work, and nothing was heard of it in all the time.
        metric: Name in the table of metrics.
        threshold: The most that is good; not used by ``silent`` and ``dead``.
        over_s: All the time [s]; not used by ``above``.
        summary: Event, in one line.
        remedy: Action to take.
    """

    name: str
    shape: Shape
    metric: str
    summary: str
    remedy: str
    threshold: float = 0.0
    over_s: int = 0


#: Cost of one run above which the shipped alarms speak, in the currency of the site's price file.
BUDGET = 100.0

ALARMS = (
    Alarm(
        name="QuarantinedShare",
        shape="above",
        metric="QuarantinedShare",
        threshold=0.2,
        summary="More than a fifth of a run's scenes are in quarantine",
        remedy="swath report OUT: error classes and messages; then swath retry OUT",
    ),
    Alarm(
        name="NoRunEnded",
        shape="silent",
        metric="RunsEnded",
        over_s=26 * 3600,
        summary="No run has succeeded for 26 hours",
        remedy="swath status JOB --site SITE; check the schedule",
    ),
    Alarm(
        name="DeadRun",
        shape="dead",
        metric="RunOpen",
        over_s=15 * 60,
        summary="A run has stopped without a result",
        remedy="swath status and swath logs; swath submit --again goes on from its stored plan",
    ),
    Alarm(
        name="AccountOutOfBalance",
        shape="above",
        metric="AccountRemainder",
        summary="A run has scenes that nothing accounts for",
        remedy="Start no further run into this output; report it with OUT/reports/<run_id>.json",
    ),
    Alarm(
        name="CatalogueOutboxStays",
        shape="lasting",
        metric="OutboxWaiting",
        over_s=24 * 3600,
        summary="The served catalogue has lacked products for a day",
        remedy="swath doctor --site SITE; swath catalog replay OUT",
    ),
    Alarm(
        name="LinkCut",
        shape="above",
        metric="ReceiptAge",
        threshold=48 * 3600.0,
        summary="swath forward has sent nothing for two days",
        remedy="Check the link, and the command that runs swath forward",
    ),
    Alarm(
        name="RunOverBudget",
        shape="above",
        metric="RunCost",
        threshold=BUDGET,
        summary="A run cost more than its budget",
        remedy="Compare the stages and core hours of the report with the number of scenes",
    ),
)
