"""What an orchestrator gets of a job at a site: one file, from which it starts any number of runs without swath.

An orchestrator writes its own run id in the place of the one in the file, wherever that is.
"""

import json
from pathlib import Path
from typing import Any

from swath import __version__
from swath.deploy.engine import engine_of
from swath.deploy.render.order import Order
from swath.deploy.site.duration import seconds
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.names import RUN_LIMIT
from swath.deploy.site.site import Site


def handover(job: JobSpec, *, site: Site) -> dict[str, Any]:
    """The file's content: what to start, where, for how long, and the run id that represents the orchestrator's.

    Raises:
        ConfigError: The engine starts nothing for others, or would refuse the job.
    """
    # as long as a run id may be: what fits with it fits with every other
    run_id = f"{job.job}-{'0' * (RUN_LIMIT - len(job.job) - 1)}"
    order = Order(job=job, site=site, run_id=run_id)
    return {
        "swath": __version__,
        "job": job.job,
        "site": site.site,
        "engine": site.engine,
        "run_id": run_id,
        "schedule": job.schedule,
        "max_duration_s": seconds(job.max_duration),
        "region": site.cluster.region,
        "start": dict(engine_of(site).hand_over(order)),
    }


def handover_text(job: JobSpec, *, site: Site) -> str:
    """The file's text."""
    return json.dumps(handover(job, site=site), indent=2) + "\n"


def write_handover(job: JobSpec, *, site: Site, folder: Path) -> Path:
    """Write ``folder/<job>.<site>.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{job.job}.{site.site}.json"
    path.write_text(handover_text(job, site=site), encoding="utf-8")
    return path
