"""``swath render | submit | status | cancel | logs``: one job, every site."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click

from swath.cli.run_name import run_name_options
from swath.deploy.engine import engine_of, launcher_for
from swath.deploy.handover import write_handover
from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.result import RunResult, read_result
from swath.deploy.operate.retrying import may_retry, told_code
from swath.deploy.operate.run_status import RunState, RunStatus
from swath.deploy.operate.watching import Patience, watch
from swath.deploy.render.command import Foreground
from swath.deploy.render.order import Order
from swath.deploy.rendering import border_table, render, write_pod_templates
from swath.deploy.site.duration import seconds
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.names import new_run_id
from swath.errors import ConfigError, StoppedError
from swath.runs.origin import submitter

_SITE = click.option("--site", "site_name", required=True, metavar="NAME|FILE", help="Where to run.")


def _order(job_name: str, *, site_name: str, run_id: str | None, attempt: int = 1) -> Order:
    job, site = load_job(job_name), load_site(site_name)
    return Order(job=job, site=site, run_id=run_id or new_run_id(job.job), attempt=attempt)


@click.command("render")
@click.argument("job")
@_SITE
@run_name_options
@click.option("--egress", is_flag=True, help="Print the flows that may cross the site's border instead.")
@click.option("--pod-templates", type=click.Path(path_type=Path), help="Also write the site's pod templates into this folder.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write the files that an orchestrator starts runs from into this folder instead.",
)
@click.option("--template", is_flag=True, help="Only objects that start runs on a schedule, for Flux; a run itself is refused.")
def render_command(
    job: str, *, site_name: str, run_id: str | None, egress: bool, pod_templates: Path | None, out: Path | None, template: bool
) -> None:
    """Print what the site's engine would be given for JOB; nothing is sent."""
    if out:
        click.echo(f"wrote {write_handover(load_job(job), site=load_site(site_name), folder=out)}")
        return
    order = _order(job, site_name=site_name, run_id=run_id)
    if template and not order.job.schedule:
        raise ConfigError(
            f"job {order.job.job} has no schedule: Flux would make its run again after it is gone, and at any change"
        )
    if pod_templates:
        for path in write_pod_templates(order.site, folder=pod_templates):
            click.echo(f"wrote {path}", err=True)
    if egress:
        for line in border_table(order):
            click.echo(f"{line.flow.value:<13} {line.verdict:<10} {line.how}\n{'':<24} {line.content}")
        return
    click.echo(render(order), nl=False)
    _say_who_ends_it(order)


@click.command("submit")
@click.argument("job")
@_SITE
@run_name_options
@click.option("--wait", is_flag=True, help="Wait for the end; exit codes as `swath run`.")
@click.option("--retries", type=click.IntRange(0, 5), default=0, help="With --wait: start again after a failure of the platform.")
@click.option("--again", is_flag=True, help="Start a run that has ended again, from its stored plan.")
def submit_command(job: str, *, site_name: str, run_id: str | None, wait: bool, retries: int, again: bool) -> None:
    """Start JOB. The same --run-id twice starts one run."""
    order = _order(job, site_name=site_name, run_id=run_id)
    command = engine_of(order.site).in_foreground(order)
    if command is not None:
        sys.exit(_run(order, command=command))
    order = _submit(replace(order, submitted_by=submitter()), again=again)
    if wait:
        sys.exit(_wait(order, retries=retries))
    _say_who_ends_it(order)


def _run(order: Order, *, command: Foreground) -> int:
    """Run in the foreground, for as long as the job may last."""
    with subprocess.Popen(command.words, env={**os.environ, **command.variables}) as run:
        try:
            return run.wait(seconds(order.job.max_duration))
        except subprocess.TimeoutExpired:
            click.echo(f"{order.name} has run for longer than max_duration {order.job.max_duration}: ending it", err=True)
            run.terminate()
        except KeyboardInterrupt:
            # The terminal sent Ctrl-C to the run as well, which says itself how it goes on.
            return run.wait()
    return 1


def _say_who_ends_it(order: Order) -> None:
    """Some engines end a late run themselves."""
    if not engine_of(order.site).ends_late_runs:
        longest, engine = order.job.max_duration, order.site.engine
        click.echo(
            f"{engine} ends no run: only `submit --wait` or `status --wait` cancels one after max_duration {longest}", err=True
        )


def _submit(order: Order, *, again: bool = False) -> Order:
    """Submit; with ``again`` as the first attempt that was not there, once the one before it has ended."""
    launcher = launcher_for(order.site, order=order)
    made = launcher.submit()
    if again and not made.created:
        status = launcher.status(order.name)
        if not status.state.final:
            raise ConfigError(f"{status.text}: it has not ended, so it is not started again")
        return _submit(replace(order, attempt=order.attempt + 1), again=True)
    click.echo(f"{order.name} {'submitted' if made.created else 'already exists'} ({made.handle})", err=True)
    click.echo(order.name)
    return order


def _wait(order: Order, *, retries: int) -> int:
    """Wait for the end, and say in an exit code of ours how it was."""
    status = _follow(order)
    result, seen = None, True
    try:
        result = read_result(order.output, run_id=order.run_id, site=order.site)
    except LaunchError as error:
        click.echo(f"the result cannot be read from here, so only the engine's state is known: {error}", err=True)
        seen = False
    if retries and may_retry(status, result=result):
        following = replace(order, attempt=order.attempt + 1)
        click.echo(f"{status.text}; starting again as {following.name}", err=True)
        return _wait(_submit(following), retries=retries - 1)
    return _code(result, status=status) if seen else _engines_code(status)


def _follow(order: Order) -> RunStatus:
    """Wait for the end. Where the engine has no maximum duration, the waiting launcher stops a run that exceeds it.

    Raises:
        StoppedError: Ctrl-C came; the run goes on.
    """
    try:
        return _followed(order)
    except KeyboardInterrupt:
        where = f"{order.job.job} --site {order.site.site} --run-id {order.name}"
        remedy = f"`swath status {where} --wait` waits on, `swath cancel {where}` stops it"
        msg = f"interrupted; {order.name} goes on at {order.site.site}: {remedy}"
        raise StoppedError(msg) from None


def _followed(order: Order) -> RunStatus:
    engine = engine_of(order.site)
    launcher, ours = launcher_for(order.site), not engine.ends_late_runs
    last = RunStatus(run_id=order.name, state=RunState.UNKNOWN)
    for last in watch(launcher, order.name, patience=Patience(deadline_s=seconds(order.job.max_duration) if ours else None)):
        click.echo(last.text, err=True)
    if last.state.final:
        return last
    if ours and not last.stuck:
        click.echo(f"{order.name} has run for longer than max_duration {order.job.max_duration}: cancelling it", err=True)
        return launcher.cancel(order.name)
    ends = "nothing ends it after max_duration" if ours else "the cluster ends it after max_duration"
    remedy = "Wait on with `swath status --wait`, or stop it with `swath cancel`"
    click.echo(f"stopped waiting; {order.name} is still active: it may start yet, and {ends}. {remedy}", err=True)
    return last


def _engines_code(status: RunStatus) -> int:
    """Exit code for a run whose result cannot be seen: 0 if the engine says that it succeeded."""
    if status.state is RunState.SUCCEEDED:
        return 0
    click.echo(f"the engine reports {status.state.value}", err=True)
    return (told_code(status) or 1) if status.state is RunState.FAILED else 1


def _code(result: RunResult | None, *, status: RunStatus) -> int:
    """The result file decides; without one the run did not finish: the engine's exit code if it reports one, or 1."""
    if result is None:
        click.echo("there is no result file: the run did not finish", err=True)
        return (told_code(status) or 1) if status.state is RunState.FAILED else 1
    click.echo(result.text, err=True)
    return result.exit_code


def _named(job: str, *, site_name: str, run_id: str | None) -> tuple[Order, str]:
    """An order for asking, and the run's name: the one that was given, or the newest of the job."""
    site, spec = load_site(site_name), load_job(job)
    name = run_id or launcher_for(site).latest(spec.job)
    if name is None:
        raise ConfigError(f"site {site.site} has no run of job {spec.job}")
    found = re.fullmatch(r"(?P<run>.+?)(-r(?P<attempt>[2-9]))?", name)
    if found is None:
        raise ConfigError(f"{name!r} is not the name of a run")
    return Order(job=spec, site=site, run_id=found["run"], attempt=int(found["attempt"] or 1)), name


@click.command("status")
@click.argument("job")
@_SITE
@run_name_options
@click.option("--wait", is_flag=True, help="Wait for the end.")
def status_command(job: str, *, site_name: str, run_id: str | None, wait: bool) -> None:
    """Show the state of a run of JOB, and why it is stuck."""
    order, name = _named(job, site_name=site_name, run_id=run_id)
    status = _follow(order) if wait else launcher_for(order.site).status(name)
    click.echo(status.text)
    try:
        result = read_result(order.output, run_id=order.run_id, site=order.site)
    except LaunchError as error:
        click.echo(f"the result cannot be read from here: {error}", err=True)
        return
    if result is not None:
        click.echo(result.text)


@click.command("cancel")
@click.argument("job")
@_SITE
@run_name_options
def cancel_command(job: str, *, site_name: str, run_id: str | None) -> None:
    """Stop a run of JOB. What it has published stays."""
    order, name = _named(job, site_name=site_name, run_id=run_id)
    click.echo(launcher_for(order.site).cancel(name).text)


@click.command("logs")
@click.argument("job")
@_SITE
@run_name_options
@click.option("--follow", is_flag=True, help="Follow the log until the driver ends.")
@click.option("--tail", type=click.IntRange(min=1), default=None, help="Only the last lines.")
def logs_command(job: str, *, site_name: str, run_id: str | None, follow: bool, tail: int | None) -> None:
    """Print the driver's log, or its location."""
    order, name = _named(job, site_name=site_name, run_id=run_id)
    for line in launcher_for(order.site).logs(name, follow=follow, tail=tail):
        click.echo(line)
