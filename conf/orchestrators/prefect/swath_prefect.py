"""One run of a job of swath as a Prefect flow: start, wait, gate. Tried with Prefect 3.9.1.

Works from the file that `swath render JOB --site SITE --out FOLDER` writes, and with the command `swath`, which finds the run
by the id of the flow's run: a flow that is retried goes on with the run that is there.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.runtime import flow_run

#: The longest that a flow may last [s]; a job's max_duration must be below it.
LONGEST_S = 86_400
RETRY_DELAY_S = float(os.environ.get("SWATH_RETRY_DELAY_S", "60"))
#: Codes of `swath` that another try may mend: 1 crashed, 6 a store or a database was away.
PASSING = (1, 6)
#: Codes of a run that came to its end: the gate judges how many scenes may be in quarantine.
ENDED = (0, 3)


class SwathError(Exception):
    """`swath` ended with a code that its caller does not take.

    Args:
        code: Exit code.
        told: What it said last.
    """

    def __init__(self, code: int, told: str) -> None:
        super().__init__(f"swath ended with {code}: {told}")
        self.code = code


def passes(_task: Any, _run: Any, state: Any) -> bool:
    """Whether a task is tried again."""
    try:
        state.result()
    except SwathError as error:
        return error.code in PASSING
    return False


def swath(*words: str, program: str, conf: str, good: tuple[int, ...] = (0,)) -> str:
    """Run the command; what it printed.

    Raises:
        SwathError: It ended with a code that is not good.
    """
    with subprocess.Popen(
        [program, *words], env={**os.environ, "SWATH_CONF": conf}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        lines = [line.rstrip() for line in process.stdout or ()]
    for line in lines:
        get_run_logger().info(line)
    if process.returncode not in good:
        raise SwathError(process.returncode, lines[-1] if lines else "nothing was said")
    return lines[-1] if lines else ""


@task(retries=2, retry_delay_seconds=RETRY_DELAY_S, retry_condition_fn=passes)
def start(job: str, *where: str, program: str, conf: str) -> None:
    """Submit; an existing run of this name is this run."""
    swath("submit", job, *where, program=program, conf=conf)


@task(retries=2, retry_delay_seconds=RETRY_DELAY_S, retry_condition_fn=passes)
def wait(job: str, *where: str, program: str, conf: str) -> None:
    """Wait for the end; what the platform cut short is started again from its stored plan."""
    swath("submit", job, *where, "--wait", "--retries", "1", program=program, conf=conf, good=ENDED)


@task
def gate(job: str, *where: str, max_quarantined: float, max_age: str, program: str, conf: str) -> dict[str, Any]:
    """Judge the run."""
    limits = ("--max-quarantined", str(max_quarantined), "--max-age", max_age)
    return dict(json.loads(swath("gate", job, *where, *limits, program=program, conf=conf)))


@flow(name="swath", timeout_seconds=LONGEST_S)
def swath_flow(
    rendered: str, site: str, conf: str, program: str = "swath", max_quarantined: float = 0.05, max_age: str = "26h"
) -> dict[str, Any]:
    """Run a job once, and judge it.

    Args:
        rendered: File that `swath render --out` wrote.
        site: Name of the site that is meant.
        conf: Folder with jobs/ and sites/.
        program: The command.
        max_quarantined: Largest share of quarantined scenes.
        max_age: Longest time from the run's end to the gate.

    Raises:
        ValueError: The file is of another site, or its job may last longer than a flow.
    """
    file = json.loads(Path(rendered).read_text(encoding="utf-8"))
    if file["site"] != site:
        raise ValueError(f"{rendered} is rendered for site {file['site']}, not for {site}: render it again")
    if file["max_duration_s"] >= LONGEST_S:
        raise ValueError(f"{rendered}: max_duration is {file['max_duration_s']} s, a flow may last {LONGEST_S} s")
    job, where = file["job"], ("--site", site, "--run-of", str(flow_run.id))
    start(job, *where, program=program, conf=conf)
    wait(job, *where, program=program, conf=conf)
    return gate(job, *where, max_quarantined=max_quarantined, max_age=max_age, program=program, conf=conf)
