"""Runs inside Airflow's own environment: parses a DAG as its processor does, and runs it once for each of some days.

python airflow_run.py DAG.py DAYS

Prints one JSON object: CPU seconds of the parse, import errors, and of each run its id, its state and those of its tasks.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag  # type: ignore[import-not-found]  # of the other environment


def main(path: str, days: str) -> None:
    since = time.process_time()
    bag = DagBag(path, bundle_path=Path(path).parent)
    told = {"parsed_cpu_s": time.process_time() - since, "import_errors": bag.import_errors, "runs": []}
    for dag in bag.dags.values():
        told |= {"dag_id": dag.dag_id, "catchup": dag.catchup, "max_active_runs": dag.max_active_runs}
        for day in range(int(days)):
            night = datetime(2026, 11, 1, 2, 15, tzinfo=UTC) + timedelta(days=day)
            run = dag.test(run_after=night, logical_date=night)
            tasks = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
            told["runs"].append({"run_id": run.run_id, "state": str(run.state), "tasks": tasks})
    sys.stdout.write(json.dumps(told) + "\n")


main(*sys.argv[1:])
