"""A run whose input is a queue: it takes what has come, and deletes each message whose scenes have a row."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from swath.account import Account
from swath.cli.output import session
from swath.cli.run_request import QUEUE, RunOptions, absolute, reach
from swath.config import load_pipeline
from swath.deploy.events.kept import KEEP_S, kept
from swath.deploy.events.message import Arrival
from swath.deploy.events.queue import RefusedMessage, SqsQueue
from swath.report.summary import RunSummary
from swath.runs.run_id import run_id_of
from swath.runs.told import Told
from swath.stores.lock import output_lock
from swath.stores.registry import open_store

#: Messages of one run: what comes later is for the next.
MOST = 10_000
Execute = Callable[[RunOptions], RunSummary]


def drain(options: RunOptions, *, told: Told, execute: Execute) -> RunSummary | None:
    """Take what a queue has, run, and delete what has a row; a queue that is empty leaves a result of no scenes.

    None when there was nothing to do and the run is there already: its result stays.

    A message whose scene got no row comes back, and after some times goes to the dead letters.

    Args:
        options: Options of the run; its one input is the queue.
        told: Hears of the progress.
        execute: Runs.

    Raises:
        LockError: Another run is at work on this output: nothing was taken.
        ServiceError: The queue does not answer.
        SwathError: The run ended with this error; all messages are in the queue again.
    """
    reach(options.site)
    _refuse_busy(options)
    queue = SqsQueue(options.inputs[0].removeprefix(QUEUE))
    taken = list(queue.take(most=options.limit or MOST, keep_s=KEEP_S))
    for refused in (t for t in taken if isinstance(t, RefusedMessage)):
        told.say(f"message {refused.message_id} left for the dead letters: {refused.reason}")
    arrivals = [t for t in taken if isinstance(t, Arrival)]
    uris = tuple(dict.fromkeys(uri for a in arrivals for uri in a.uris))
    queue.delete(a for a in arrivals if not a.uris)
    waiting = [a for a in arrivals if a.uris]
    told.say(f"{queue.url}: {len(waiting)} messages of {len(uris)} objects")
    if not uris:
        return _nothing(options, told=told)
    try:
        with kept(queue, waiting, say=told.say):
            summary = execute(replace(options, inputs=uris, limit=None))
            done = _with_rows(waiting, options=options)
    except BaseException:
        queue.keep(waiting, seconds=0)
        raise
    queue.delete(done)
    back = [a for a in waiting if a not in done]
    queue.keep(back, seconds=0)
    told.say(f"{len(done)} messages deleted, {len(back)} back in the queue: their objects have no row")
    return summary


def _nothing(options: RunOptions, *, told: Told) -> RunSummary | None:
    """The result of a run without scenes, so that a gate has something to judge."""
    from swath.runs.beats import stream_of  # noqa: PLC0415  a second of imports
    from swath.runs.ingest import run_path  # noqa: PLC0415
    from swath.runs.recorded import recorded  # noqa: PLC0415
    from swath.runs.report_files import write_report  # noqa: PLC0415
    from swath.runs.request import RunRequest  # noqa: PLC0415
    from swath.runs.summary_head import summary_head  # noqa: PLC0415

    run_id, output, began = run_id_of(options.run_id), absolute(options.output), datetime.now(UTC)
    store = open_store(output)
    if any(store.size(path) is not None for path in (f"reports/{run_id}.json", run_path(run_id, "plan/_SUCCESS"))):
        return None
    name = load_pipeline(options.pipeline).name
    request = RunRequest(run_id=run_id, pipeline={"name": name}, inputs=options.inputs, output=output, site=options.site)
    with recorded(run_id, output=output, told=told) as log, stream_of(request, say=log.say) as metrics:
        metrics.begin()
        log.say(f"run {run_id}: the queue is empty")
        head = summary_head(request, pipeline=name, account=Account(), stages=(), started=began, ended=datetime.now(UTC))
        return write_report(head)


def _refuse_busy(options: RunOptions) -> None:
    """See that no run is at work, before a message is taken: each time counts towards the dead letters."""
    with output_lock(open_store(options.output), run_id=options.run_id or f"drain-{uuid.uuid4().hex[:8]}"):
        pass


def _with_rows(arrivals: list[Arrival], *, options: RunOptions) -> list[Arrival]:
    from swath.ledger.delta import NeedsSparkError  # noqa: PLC0415  Spark, a second of imports
    from swath.ledger.hrefs import hrefs_with_rows  # noqa: PLC0415
    from swath.ledger.open import open_tables  # noqa: PLC0415

    store, uris = open_store(options.output), {uri for a in arrivals for uri in a.uris}
    try:
        rows = hrefs_with_rows(open_tables(None, store), uris)
    except NeedsSparkError:
        with session("drain", options.master, output=options.output) as spark:
            rows = hrefs_with_rows(open_tables(spark, store), uris)
    return [a for a in arrivals if rows.issuperset(a.uris)]
