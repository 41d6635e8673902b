"""Releases of EMR on EKS that swath is tested with, and how long AWS supports them.

Source: Amazon EMR on EKS, "EmrRelease versions" and the support dates of each release.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class EmrRelease:
    """A release, without its date.

    Args:
        name: Label without the date.
        tested: Dated label that swath was tested with.
        spark: Version of Spark.
        delta: Version of Delta.
        scala: Version of Scala that Spark and Delta are built with.
        ends: Last day of support.
    """

    name: str
    tested: str
    spark: str
    delta: str
    scala: str
    ends: date


RELEASES: Final = (
    EmrRelease(
        name="emr-spark-8.0.0",
        tested="emr-spark-8.0.0-20260421",
        spark="4.0.2",
        delta="4.0.0",
        scala="2.13",
        ends=date(2027, 5, 20),
    ),
    EmrRelease(
        name="emr-7.13.0", tested="emr-7.13.0-20260410", spark="3.5.6", delta="3.3.2", scala="2.12", ends=date(2028, 4, 21)
    ),
)


def release_of(label: str) -> EmrRelease | None:
    """The release of a dated label; None for one that swath was not tested with."""
    return next((release for release in RELEASES if label.rpartition("-")[0] == release.name), None)
