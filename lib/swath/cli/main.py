"""The command line: every command, and the exit code of every error."""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from swath.cli.examples import EXAMPLES
from swath.cli.lazy import Lazy, LazyGroup
from swath.compiled import without
from swath.errors import (
    AccountError,
    BrokenInstallationError,
    ConfigError,
    FullDiskError,
    LockError,
    ServiceError,
    StoppedError,
    SwathError,
)
from swath.extras import remedy
from swath.settings import misspelt
from swath.spark.failure import failure_of
from swath.spark.start.interrupt import EXIT_INTERRUPTED, Interrupts
from swath.suggestion import nearest

EXIT_CRASHED, EXIT_CONFIG, EXIT_ACCOUNT, EXIT_LOCKED, EXIT_AWAY = 1, 2, 4, 5, 6
_CODES: Sequence[tuple[type[SwathError], int]] = (
    (ConfigError, EXIT_CONFIG),
    (BrokenInstallationError, EXIT_CONFIG),
    (FullDiskError, EXIT_CONFIG),
    (AccountError, EXIT_ACCOUNT),
    (LockError, EXIT_LOCKED),
    (ServiceError, EXIT_AWAY),
    (StoppedError, EXIT_INTERRUPTED),
)
#: Set to anything, the trace of an error that is not ours is printed.
TRACE_VARIABLE = "SWATH_TRACE"
#: Libraries take a second or two before such a command can say anything of its own.
_LOADING = "loading"
COMMANDS = {
    "demo": Lazy(
        "swath.cli.demo:demo_command", "Simulate scenes, train a model, make every product, write the report.", _LOADING
    ),
    "run": Lazy("swath.cli.run:run_command", "Make a pipeline's products of every scene of the inputs.", _LOADING),
    "composite": Lazy("swath.cli.composite:composite_command", "Make composites of products over a period.", _LOADING),
    "plan": Lazy("swath.cli.plan:plan_command", "Show what a run would make, its memory and time; nothing is made.", _LOADING),
    "ingest": Lazy("swath.cli.ingest:ingest_command", "Add scenes to the scenes table.", _LOADING),
    "train": Lazy("swath.cli.train:train_command", "Train a forest on labelled polygons, and register it.", _LOADING),
    "status": Lazy("swath.cli.status:status_command", "Show the state of an output, or of a job's run at a site."),
    "retry": Lazy("swath.cli.ledger:retry_command", "Process quarantined scenes again."),
    "reproduce": Lazy("swath.cli.ledger:reproduce_command", "Make a product again from its record, and compare."),
    "reconcile": Lazy("swath.cli.upkeep:reconcile_command", "Compare ledger, files and catalogue; repair them."),
    "maintain": Lazy("swath.cli.maintain:maintain_command", "Remove files that are no longer needed, or kept; tidy tables."),
    "hold": Lazy("swath.cli.maintain:hold_command", "Keep a product, a scene's products or a collection past its retention."),
    "drill": Lazy("swath.cli.drill:drill_command", "Lose parts of an output, on a copy, and restore them."),
    "export": Lazy("swath.cli.upkeep:export_command", "Copy a ledger from PostgreSQL into Delta tables."),
    "view": Lazy("swath.cli.view:view_command", "Look at the products of an output on a map, in the browser."),
    "report": Lazy("swath.cli.inspect:report_command", "Draw the report of a run again."),
    "template": Lazy("swath.cli.template:template_command", "Write a commented pipeline, step, site, job or model file."),
    "validate": Lazy("swath.cli.inspect:validate_command", "Check a pipeline, job, site, step, STAC object or COG."),
    "steps": Lazy("swath.cli.steps:steps_group", "List the steps of pipelines, and describe their parameters."),
    "check": Lazy("swath.cli.check:check_group", "Check that no pixel of a pipeline depends on how a scene is cut."),
    "doctor": Lazy("swath.cli.inspect:doctor_command", "Check this machine: what is missing, and the remedy."),
    "catalog": Lazy("swath.cli.catalog:catalog_group", "Prepare the served catalogue, and deliver missing items."),
    "models": Lazy("swath.cli.models:models_group", "List, register, promote, export, import, verify and trace models."),
    "sites": Lazy("swath.cli.sites:sites_group", "List sites, and how two of them differ."),
    "render": Lazy("swath.cli.deploy:render_command", "Print the request for a site's engine that runs a job."),
    "submit": Lazy("swath.cli.deploy:submit_command", "Start a job at a site."),
    "gate": Lazy("swath.cli.gate:gate_command", "Judge a run of a job by its result: the last step of an orchestrator."),
    "fleet": Lazy("swath.cli.fleet:fleet_command", "Show the state of the newest run of a job at every site."),
    "cancel": Lazy("swath.cli.deploy:cancel_command", "Stop a run of a job."),
    "logs": Lazy("swath.cli.deploy:logs_command", "Print the driver's log of a run, or its location."),
    "images": Lazy("swath.cli.images:images_command", "Build, list, scan, push and sign the images of a commit."),
    "verify": Lazy("swath.cli.images:verify_command", "Verify a signed images.json or bundle."),
    "bundle": Lazy("swath.cli.bundle:bundle_group", "Carry a site's whole delivery into a closed network."),
    "sbom": Lazy("swath.cli.sbom:sbom_command", "Print the bill of materials of an image, as CycloneDX."),
    "parity": Lazy("swath.cli.parity:parity_command", "Run a job as two sites would, here, and compare the products."),
    "completion": Lazy("swath.cli.completion:completion_command", "Print the completion script for your shell."),
    "forward": Lazy("swath.cli.forward:forward_command", "Send the permitted results of runs out of a site, each once."),
}

#: Commands that change nothing, so that there is nothing to go on with.
_ASKING = frozenset({
    "check", "completion", "doctor", "fleet", "gate", "logs", "parity", "plan", "render", "report", "reproduce", "sbom", "sites",
    "status", "steps", "template", "validate", "verify", "view",
})  # fmt: skip


def _versions(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  click's own
    if wanted and not ctx.resilient_parsing:
        from swath.cli.versions import versions  # noqa: PLC0415  what no other command needs

        click.echo("\n".join(versions()))
        ctx.exit()


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_versions, help="Show versions and exit.")
def cli() -> None:
    """Raw satellite scenes in, trusted analysis-ready products out."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code (README: 0 to 6, 130)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    without("rasterio.session", "boto3")
    for line in misspelt():
        click.echo(f"swath: {line}", err=True)
    try:
        with Interrupts().taken():
            result = cli.main(args=words, prog_name="swath", standalone_mode=False)
    except click.ClickException as error:
        error.show(file=sys.stderr)
        _suggest(words, error)
        sys.exit(EXIT_CONFIG)
    except (click.Abort, KeyboardInterrupt):
        click.echo(_interrupted(words), err=True)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001  whatever it is, the user gets a line and a code
        sys.exit(_ended_by(error))
    # Without standalone mode click hands back the code of ctx.exit(), which --help and --version use.
    sys.exit(result if isinstance(result, int) else 0)


def _interrupted(words: Sequence[str]) -> str:
    """The last line of a command that Ctrl-C ended before or outside a run, which says itself how it goes on."""
    command = next((word for word in words if word in COMMANDS), None)
    if command is None or command in _ASKING:
        return "interrupted"
    return "interrupted; what is finished stays: start the same command again"


def _ended_by(error: Exception) -> int:
    """Report the error that ended a command, unless it was reported already; return its exit code."""
    if isinstance(error, ModuleNotFoundError) and (needed := remedy(error)) is not None:
        click.echo(f"swath: {needed}", err=True)
        return EXIT_CONFIG
    known = failure_of(error)
    if not known.told:
        click.echo(f"swath: {known}", err=True)
    if known is not error and os.environ.get(TRACE_VARIABLE):
        traceback.print_exception(error)
    elif known is not error:
        click.echo(f"(set {TRACE_VARIABLE}=1 to see where it comes from)", err=True)
    return next((code for kind, code in _CODES if isinstance(known, kind)), EXIT_CRASHED)


def _suggest(words: Sequence[str], error: click.ClickException) -> None:
    """Add to a message of click what was probably meant, or how the command is written."""
    context = getattr(error, "ctx", None)
    if context is None:
        return
    if isinstance(context.command, click.Group):
        given, known = _commands(words)
        near = nearest(given[-1], known) if given else None
        path = " ".join(["swath", *given[:-1]])
        if near is not None:
            click.echo(f"Did you mean `{path} {near}`?", err=True)
        elif given and given[-1] not in known and given[:-1]:
            click.echo(f"`{path}` has: {', '.join(known)}", err=True)
    elif (example := EXAMPLES.get(context.command_path.removeprefix("swath "))) is not None:
        click.echo(f"Example: {example}", err=True)


def _commands(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that should name a command, up to one that does not, and the names that are known where it is."""
    group: click.Command = cli
    given: list[str] = []
    known: list[str] = []
    for word in (w for w in words if not w.startswith("-")):
        if not isinstance(group, click.Group):
            break
        given.append(word)
        known = group.list_commands(click.Context(group))
        found = group.get_command(click.Context(group), word) if word in known else None
        if found is None:
            break
        group = found
    return given, known


if __name__ == "__main__":
    main()
