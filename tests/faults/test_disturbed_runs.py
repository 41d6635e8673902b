"""Runs to which things happen end whole: the short form of ``make faults``, twenty injections into at most six runs."""

import sys
from pathlib import Path

import pytest
from tests.faults.campaign import Campaign

pytestmark = [pytest.mark.long, pytest.mark.faults, pytest.mark.spark, pytest.mark.slow]
INJECTIONS, MOST_RUNS = 20, 6


@pytest.mark.timeout(1200)
def test_a_disturbed_run_ends_with_every_scene_accounted_for_once_and_every_product_whole(java: None, tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, seed=3, master="local-cluster[2,1,1024]", wave_products=21, tell=_say)
    try:
        campaign.made_without_spark(run_s=4.0)
        # How many a run meets before it ends depends on the machine; what is left goes into another one.
        while (left := INJECTIONS - len(campaign.report.injected)) > 0 and len(campaign.report.exits) < MOST_RUNS:
            campaign.round(min(left, INJECTIONS // 2), hostile=not campaign.report.exits)
    finally:
        campaign.close()
    report = campaign.report
    assert report.broken == []
    assert report.orphans == 0
    assert len(report.injected) == INJECTIONS
    assert sum(map(len, report.exits)) <= 2 * INJECTIONS


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
