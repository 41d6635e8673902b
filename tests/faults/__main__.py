"""The long form of these tests, with a seed: ``python -m tests.faults --help``. Ends with 1 when a promise broke."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults.campaign import Campaign
from tests.faults.faulty_s3 import FaultyS3
from tests.faults.mutated_inputs import HUNG, Outcome, outcomes, table
from tests.faults.s3_work import broken_files, broken_products
from tests.faults.s3_work import table as faults_met
from tests.faults.told import Report

#: Injections into one run of forty scenes.
A_ROUND = 50
LOCAL, CLUSTER = "local[2,4]", "local-cluster[2,1,1024]"


def main() -> int:
    """Run both, print both tables."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="swath-faults-") as folder:
        found = damaged(Path(folder) / "damaged", seed=asked.seed, count=asked.mutations)
        lost = failing_store(Path(folder), seed=asked.seed, scenes=asked.s3_scenes)
        reports = disturbed(Path(folder), seed=asked.seed, injections=asked.injections)
    broken = lost + [b for report in reports for b in report.broken] + [f"{r.orphans} orphans" for r in reports if r.orphans]
    escaped = [o for o in found if o.escape or o.result == HUNG]
    for line in (*broken, *(f"{o.sensor} {o.number} ({o.damage}): {o.escape}" for o in escaped)):
        print(line)
    return 1 if broken or escaped else 0


def damaged(folder: Path, *, seed: int, count: int) -> list[Outcome]:
    """Damaged deliveries, and their table."""
    folder.mkdir()
    found = []
    for outcome in outcomes(seed=seed, count=count, folder=folder):
        found.append(outcome)
        if outcome.escape:
            _say(f"escaped: {outcome.sensor} {outcome.number} ({outcome.damage})")
    print(f"\n## {len(found)} damaged deliveries (seed {seed})\n\n{table(found)}\n", flush=True)
    return found


def failing_store(folder: Path, *, seed: int, scenes: int) -> list[str]:
    """Products and large files on an S3 that fails, and the table of its faults."""
    broken = []
    met: Counter[tuple[str, str]] = Counter()
    for number, work in enumerate((broken_products, broken_files)):
        place, faulty = folder / f"s3-{number}", FaultyS3(share=0.2, seed=seed + number)
        place.mkdir()
        broken += work(faulty, folder=place, count=scenes, seed=seed)
        met += faulty.met
    print(f"\n## {scenes} products and {scenes} large files on a failing S3\n\n{faults_met(met)}\n", flush=True)
    return broken


def disturbed(folder: Path, *, seed: int, injections: int) -> list[Report]:
    """Disturbed runs, half of the injections on each master, and their tables."""
    reports = []
    for number, master in enumerate((CLUSTER, LOCAL)):
        place = folder / f"runs-{number}"
        place.mkdir()
        campaign = Campaign(place, seed=seed + number, master=master, tell=_say)
        try:
            campaign.undisturbed()
            while (left := injections // 2 - len(campaign.report.injected)) > 0:
                campaign.round(min(left, A_ROUND), endings=2, hostile=not campaign.report.exits)
        finally:
            campaign.close()
        reports.append(campaign.report)
        print(f"\n## Runs on `{master}`\n\n{campaign.report.table()}\n", flush=True)
    return reports


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description="Disturb runs, damage deliveries; print what came of it."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--injections", type=int, default=200)
    parser.add_argument("--s3-scenes", type=int, default=30)
    parser.add_argument("--mutations", type=int, default=1000)
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
