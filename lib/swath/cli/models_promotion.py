"""``swath models promote``, ``rollback`` and ``revoke``: which version an alias means, and which no run may use."""

import hashlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.cli.models_options import OUTPUT, SIGN_KEY_OPTION, tell
from swath.errors import ConfigError
from swath.inference.pinned import PinnedModel
from swath.inference.promotion import Promotion, champion_of, frozen_samples, promote, roll_back
from swath.inference.registry import Registry
from swath.inference.revocation import REVOKED, revoke

if TYPE_CHECKING:
    from swath.training.gate import Bounds, Verdict

_ALIAS = click.option("--alias", default="production", show_default=True, help="Alias that shall mean this version.")


@click.command("promote")
@click.argument("name")
@click.argument("version")
@_ALIAS
@click.option(
    "--samples",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Frozen samples; its training's own by default.",
)
@click.option("--worse-by", type=click.FloatRange(min=0), default=0.01, show_default=True, help="Allowed fall of macro F1.")
@click.option("--recall-worse-by", type=click.FloatRange(min=0), default=0.03, show_default=True, help="Of any class's recall.")
@click.option("--calibration-worse-by", type=click.FloatRange(min=0), default=0.02, show_default=True, help="Rise of its error.")
@click.option("--force", "forced", default="", metavar="REASON", help="Promote whatever the comparison says; recorded.")
@OUTPUT
def promote_command(  # noqa: PLR0913  the options of a command
    *, name: str, version: str, alias: str, samples: Path | None, worse_by: float, recall_worse_by: float,
    calibration_worse_by: float, forced: str, output: Path,
) -> None:  # fmt: skip
    """Point an alias of NAME at VERSION, if it is no worse than the version that has the alias.

    Both are judged on frozen samples, which neither has learned. Runs that are planned from now on use VERSION; the version
    before keeps the alias `previous`.
    """
    from swath.training.gate import Bounds  # noqa: PLC0415  rasterio and pandas: only where models are judged

    registry = Registry.beside(output)
    challenger, before = registry.resolve(f"{name}/{version}"), champion_of(registry, name, alias=alias)
    bounds = Bounds(macro_f1=worse_by, recall=recall_worse_by, calibration=calibration_worse_by)
    verdict = None
    if before and before != version:
        champion = registry.resolve(f"{name}/{before}")
        verdict = _judged(challenger, champion, registry=registry, samples=samples, bounds=bounds, forced=forced)
    numbers = verdict.numbers if verdict is not None else {}
    tell(promote(registry, Promotion(name=name, version=version, alias=alias, before=before, numbers=numbers, forced=forced)))


def _judged(
    challenger: PinnedModel, champion: PinnedModel, *, registry: Registry, samples: Path | None, bounds: "Bounds", forced: str
) -> "Verdict | None":
    from swath.training.frozen import FrozenSamples  # noqa: PLC0415  as above
    from swath.training.gate import compare  # noqa: PLC0415  as above

    called = f"{challenger.name} {challenger.version}"
    with tempfile.TemporaryDirectory() as scratch:
        found = samples or frozen_samples(registry, challenger.name, challenger.version, into=Path(scratch))
        if found is None:
            if forced:
                return None
            msg = (
                f"{called} left no frozen samples to be judged on beside version {champion.version}: train with `frozen: 0.2` in "
                "the recipe, or give --samples FILE, or --force REASON"
            )
            raise ConfigError(msg)
        verdict = compare(challenger, champion, samples=FrozenSamples.from_file(found), bounds=bounds)
        digest = hashlib.sha256(found.read_bytes()).hexdigest()
    click.echo(f"{called} beside {champion.version}, frozen samples {digest[:12]}: {verdict}")
    for champion_knew in _knew(champion, challenger):
        click.echo(champion_knew)
    if verdict.against and not forced:
        msg = f"{called} is not promoted: {'; '.join(verdict.against)}; --force REASON promotes it all the same"
        raise ConfigError(msg)
    return verdict


def _knew(champion: PinnedModel, challenger: PinnedModel) -> tuple[str, ...]:
    """Say when the comparison is not fair: the champion has learned what it is judged on."""
    shares = [float(m.manifest.training.get("recipe", {}).get("frozen", 0.0)) for m in (champion, challenger)]
    if shares[0] >= shares[1]:
        return ()
    return (f"note: version {champion.version} froze fewer polygons: it may have learned some of these, which favours it",)


@click.command("rollback")
@click.argument("name")
@click.option("--alias", default="production", show_default=True, help="Alias that goes back.")
@click.option("--because", "reason", default="no reason given", help="Reason; recorded.")
@OUTPUT
def rollback_command(*, name: str, alias: str, reason: str, output: Path) -> None:
    """Give an alias of NAME back to the version that had it before."""
    tell(roll_back(Registry.beside(output), name, alias=alias, reason=reason))


@click.command("revoke")
@click.argument("digest")
@click.option("--because", "reason", required=True, help="Reason; refusals say it.")
@click.option(
    "--list", "folder", required=True, envvar=REVOKED, show_envvar=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the list; copy it, and the .sig beside it, to other sites.",
)  # fmt: skip
@SIGN_KEY_OPTION
def revoke_command(*, digest: str, reason: str, folder: Path, sign_key: Path | None) -> None:
    """Let no run use the model of DIGEST any more, wherever the list is known; aliases stay where they are."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        msg = f"{digest!r} is no digest of a model: 64 hex digits, as `swath models list --json` tells them"
        raise ConfigError(msg)
    revoke(digest, because=reason, folder=folder, key=sign_key)
    click.echo(f"revoked sha256 {digest} in {folder}: {reason}")
