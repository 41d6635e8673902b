"""``swath models promote``, ``rollback`` and ``revoke``: which version an alias means, and which no run may use."""

import re
from pathlib import Path

import click

from swath.cli.models_options import FORCE, OUTPUT, SAMPLES, SIGN_KEY_OPTION, tell
from swath.errors import ConfigError
from swath.inference.promotion import roll_back
from swath.inference.registry import Registry
from swath.inference.revocation import REVOKED, revoke

_ALIAS = click.option("--alias", default="production", show_default=True, help="Alias to give to this version.")


@click.command("promote")
@click.argument("name")
@click.argument("version")
@_ALIAS
@SAMPLES
@click.option(
    "--worse-by", type=click.FloatRange(min=0), default=0.01, show_default=True, help="Largest allowed fall of macro F1."
)
@click.option(
    "--recall-worse-by",
    type=click.FloatRange(min=0),
    default=0.03,
    show_default=True,
    help="Largest allowed fall of any class's recall.",
)
@click.option(
    "--calibration-worse-by",
    type=click.FloatRange(min=0),
    default=0.02,
    show_default=True,
    help="Largest allowed rise of the calibration error.",
)
@FORCE
@OUTPUT
def promote_command(  # noqa: PLR0913  the options of a command
    *, name: str, version: str, alias: str, samples: Path | None, worse_by: float, recall_worse_by: float,
    calibration_worse_by: float, forced: str, output: Path,
) -> None:  # fmt: skip
    """Point an alias of NAME at VERSION, if it is no worse than the version that has the alias.

    Both are judged on frozen samples, which neither has learned. Runs that are planned from now on use VERSION; the version
    before keeps the alias `previous`.
    """
    from swath.training.candidate import ModelCandidate, give_alias  # noqa: PLC0415  rasterio and pandas: only where models are judged
    from swath.training.gate import Bounds  # noqa: PLC0415  as above

    bounds = Bounds(macro_f1=worse_by, recall=recall_worse_by, calibration=calibration_worse_by)
    candidate = ModelCandidate(name=name, version=version, alias=alias, samples=samples, bounds=bounds, forced=forced)
    tell(give_alias(Registry.beside(output), candidate, say=click.echo))


@click.command("rollback")
@click.argument("name")
@click.option("--alias", default="production", show_default=True, help="Alias to roll back.")
@click.option("--because", "reason", default="no reason given", help="Reason; recorded.")
@OUTPUT
def rollback_command(*, name: str, alias: str, reason: str, output: Path) -> None:
    """Give an alias of NAME back to the version that had it before."""
    tell(roll_back(Registry.beside(output), name, alias=alias, reason=reason))


@click.command("revoke")
@click.argument("digest")
@click.option("--because", "reason", required=True, help="Reason that refusals quote.")
@click.option(
    "--list", "folder", required=True, envvar=REVOKED, show_envvar=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the list; copy it, and the .sig beside it, to other sites.",
)  # fmt: skip
@SIGN_KEY_OPTION
def revoke_command(*, digest: str, reason: str, folder: Path, sign_key: Path | None) -> None:
    """Let no run use the model of DIGEST any more, wherever the list is known; aliases stay where they are."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        msg = f"{digest!r} is not the digest of a model: 64 hex digits, as `swath models list --json` tells them"
        raise ConfigError(msg)
    revoke(digest, because=reason, folder=folder, key=sign_key)
    click.echo(f"revoked sha256 {digest} in {folder}: {reason}")
