"""``swath models revoke`` and ``deprecate``: models that no run may use, and the products that they made."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.cli.models_options import OUTPUT, SIGN_KEY_OPTION, SITE, reach
from swath.cli.output import existing, locked
from swath.errors import ConfigError
from swath.inference.registry import Registry
from swath.inference.revocation import REVOKED, revoke, revoked_in
from swath.inference.trusted_keys import keys_of
from swath.settings import Settings

if TYPE_CHECKING:
    from swath.upkeep.deprecate import Deprecated

_LIST = click.option(
    "--list", "folder", required=True, envvar=REVOKED, show_envvar=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the list; copy it, and the .sig beside it, to other sites.",
)  # fmt: skip
_TABLES = click.option(
    "--tables", "outputs", multiple=True, metavar="OUTPUT", help="Output whose products are marked as deprecated; repeatable."
)
_REPLACE = click.option(
    "--replace-with", "replacement", default="", metavar="NAME@ALIAS",
    help="Model that products are made again with; it must not be revoked.",
)  # fmt: skip


@click.command("revoke")
@click.argument("digest")
@click.option("--because", "reason", required=True, help="Reason; refusals say it.")
@_LIST
@_TABLES
@_REPLACE
@SIGN_KEY_OPTION
@OUTPUT
@SITE
def revoke_command(
    *, digest: str, reason: str, folder: Path, outputs: tuple[str, ...], replacement: str, sign_key: Path | None, output: Path,
    site: str,
) -> None:  # fmt: skip
    """Let no run use the model of DIGEST any more, wherever the list is known; aliases stay where they are.

    The items of its products in each --tables OUTPUT say that they are deprecated, and their scenes are listed to be made again.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        msg = f"{digest!r} is not the digest of a model: 64 hex digits, as `swath models list --json` tells them"
        raise ConfigError(msg)
    reach(site)
    stores = [existing(o) for o in outputs]
    _refuse_revoked(replacement, {digest: reason}, output=output)
    revoke(digest, because=reason, folder=folder, key=sign_key)
    click.echo(f"revoked sha256 {digest} in {folder}: {reason}")
    # The list that was written here needs no signature that this site trusts.
    revoked = {digest: revoked_in(folder, keys=())[digest]}
    for place, store in zip(outputs, stores, strict=True):
        with locked(store, run_id=f"revoke-{digest[:12]}"):
            _say(place, _deprecate(place, revoked), replacement=replacement)


@click.command("deprecate")
@_LIST
@_TABLES
@_REPLACE
@OUTPUT
@SITE
def deprecate_command(*, folder: Path, outputs: tuple[str, ...], replacement: str, output: Path, site: str) -> None:
    """Mark the products of every model on a list of revoked ones, for sites that received the list from another."""
    if not outputs:
        msg = "say whose products are marked: --tables OUTPUT, repeatable"
        raise ConfigError(msg)
    reach(site)
    revoked = revoked_in(folder, keys=keys_of(Settings.of().model_keys))
    _refuse_revoked(replacement, revoked, output=output)
    for place in outputs:
        with locked(existing(place), run_id="deprecate"):
            _say(place, _deprecate(place, revoked), replacement=replacement)


def _deprecate(place: str, revoked: Mapping[str, str]) -> "Deprecated":
    from swath.upkeep.deprecate import deprecate  # noqa: PLC0415  the ledger: a second of imports

    return deprecate(existing(place), revoked=revoked)


def _refuse_revoked(replacement: str, revoked: Mapping[str, str], *, output: Path) -> None:
    if not replacement:
        return
    found = Registry.beside(output).resolve(replacement)
    if found.digest in revoked:
        msg = f"{replacement} means {found.name}/{found.version}, which is revoked itself: promote another version first"
        raise ConfigError(msg)


def _say(place: str, done: "Deprecated", *, replacement: str) -> None:
    click.echo(f"{place}: {len(done.products)} products, {len(done.marked)} items marked as deprecated now")
    for why, names in (("their items are gone", done.absent), ("no scene of theirs is known", done.without_scene)):
        if names:
            click.echo(f"{place}: {len(names)} of them cannot be done ({why}): {_few(names)}")
    if done.queue:
        model = f" --set STEP.model={replacement}" if replacement else ""
        click.echo(f"to make them again: swath run PIPELINE --input {place}/{done.queue} --output {place}{model}")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
