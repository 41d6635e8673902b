"""``swath plan``: what a run would make, its tasks, memory and time. Nothing is made."""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

import click

from swath.cli.columns import show
from swath.cli.output import session as in_session
from swath.cli.progress import telling
from swath.cli.run_options import run_options
from swath.cli.run_request import RunOptions, request_of
from swath.report.cost import Cost
from swath.report.summary import reason_of
from swath.report.text import plain, size
from swath.runs.own_children import own_children
from swath.runs.planned_changes import CHANGED, GONE, NEW, REUSED
from swath.runs.request import RunRequest
from swath.runs.told import Told
from swath.spark.start.processors import processors
from swath.spark.start.settings import DEFAULT_MASTER, cores_of

if TYPE_CHECKING:
    from swath.runs.hands import Hands
    from swath.spark.start.session import SparkSession

#: Set where spark-submit has started a JVM.
_SUBMITTED = "PYSPARK_GATEWAY_PORT"
_MARKS = {NEW: "+", CHANGED: "~", GONE: "-", REUSED: "="}


@click.command("plan")
@run_options
@click.option("--list", "listing", is_flag=True, help="List each product and asset: new, reused, changed and why, gone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def plan_command(*, as_json: bool, listing: bool, **options: Any) -> None:
    """Say what `swath run` with the same arguments would make, without making it."""
    asked = RunOptions(**options)
    cores = cores_of(asked.master or DEFAULT_MASTER, machine=processors()) if _SUBMITTED not in os.environ else None
    with own_children(cores=cores) if cores is not None else nullcontext() as hands, telling() as told:
        told.say("reading the metadata and taking the digests of the inputs")
        found = _planned(asked, hands=hands, told=told, listing=listing)
    if as_json:
        click.echo(json.dumps(found))
        return
    _show(found)


def _planned(asked: RunOptions, *, hands: "Hands | None", told: Told, listing: bool) -> dict[str, Any]:
    from swath.runs.estimate import look  # noqa: PLC0415  as above

    request = request_of(asked, create=False)
    with ExitStack() as ends:

        def session() -> "SparkSession":
            told.say("starting Spark")
            return ends.enter_context(in_session("plan", asked.master, output=request.output))

        found = look(request, session=session, hands=hands, say=told.say, progress=told.stage, listing=listing)
        return found | _models_of(request)


def _models_of(request: RunRequest) -> dict[str, Any]:
    """The lock that a run of this request would keep to, where it has models."""
    return {"models_lock": json.loads(request.models_lock)} if request.models_lock else {}


def _show(found: dict[str, Any]) -> None:
    status, rows = found["status"], []
    rows.append(("to make", str(status.get("make", 0))))
    rows.append(("already there", str(status.get("made", 0))))
    rows.append(("given twice", str(status.get("duplicate", 0))))
    rows.append(("refused", str(status.get("refused", 0))))
    rows.append(("tasks", str(found["tasks"])))
    rows.append(("waves", f"{found['waves']}, of at most {found['wave_products']} products"))
    rows.append(("files", f"{found['assets']}, {size(found['bytes_at_most'])} before compression"))
    rows.append(("memory of a worker", f"about {found['peak_mb_per_worker']} MiB"))
    rows.append(("time", f"about {found['wall_s']} s ({found['cpu_s']} CPU s)"))
    if "cost" in found:
        rows.append(("cost", f"about {Cost(**found['cost'])}"))
    for reference, model in found.get("models_lock", {}).get("models", {}).items():
        rows.append((f"model {reference}", f"{model['name']} {model['version']}, sha256 {model['digest'][:12]}"))
    show(("what", "how many"), rows, form=None)
    for line in changed_lines(found.get("changes", ())):
        click.echo(line)
    for refusal in found["refused"]:
        click.echo(f"would be quarantined: {_told(**refusal)}")


def changed_lines(changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of ``plan --list``: a product a line, then each of its assets that is not reused."""
    for change in changes:
        name = plain(change["product_id"] or change["scene_id"])
        if change["state"] == REUSED:
            yield f"= {name}: unchanged, {change['count']} assets"
            continue
        assets = change["assets"]
        counts = Counter(asset["state"] for asset in assets.values())
        yield f"{_MARKS[change['state']]} {name}: " + ", ".join(f"{n} {state}" for state, n in counts.items())
        if change["state"] == CHANGED:
            yield from _asset_lines(assets)


def _asset_lines(assets: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """A line for all assets that differ in the same way."""
    alike: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, asset in assets.items():
        alike[asset["state"], asset.get("why", "")].append(name)
    for (state, why), names in alike.items():
        if state != REUSED:
            yield f"    {_MARKS[state]} {', '.join(names)}" + (f": {plain(why)}" if why else "")


def _told(*, scene_id: str, message: str) -> str:
    return f"{plain(scene_id)}: {plain(reason_of(message, scene_id=scene_id))}"
