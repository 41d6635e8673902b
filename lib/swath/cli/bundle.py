"""``swath bundle``: what is carried into a site that has no link."""

import os
from pathlib import Path

import click

from swath.cli.bundle_parts import parts_options, wanted_of
from swath.deploy.bundle.difference import difference, write_delta
from swath.deploy.bundle.install import CURRENT, install, refuse_older
from swath.deploy.bundle.make import make
from swath.deploy.bundle.push import push
from swath.deploy.bundle.verify import signed_content, verify
from swath.errors import ConfigError
from swath.inference.signature import SIGN_KEY
from swath.inference.trusted_keys import KEYS, TrustedKey, keys_of
from swath.report.text import size

_FOLDER = click.Path(file_okay=False, path_type=Path)
_BUNDLE = click.argument("bundle", type=click.Path(file_okay=False, path_type=Path))
_KEY = click.option("--key", "key_files", required=True, envvar=KEYS, show_envvar=True, help="Trusted public keys.")
_BASE = click.option("--base", type=_FOLDER, help="Older bundle that a delta builds on.")


@click.group("bundle")
def bundle_group() -> None:
    """Carry a site's whole delivery into a closed network."""


@bundle_group.command("make")
@parts_options
@click.option("--out", type=_FOLDER, required=True, help="Folder to make.")
@click.option(
    "--sign-key", type=click.Path(dir_okay=False, path_type=Path), required=True, envvar=SIGN_KEY, show_envvar=True,
    help="Private key (PEM, elliptic curve) that signs the list.",
)  # fmt: skip
def make_command(*, out: Path, sign_key: Path, **parts: object) -> None:
    """Gather every image and file that the delivery of a site names, list them and sign the list."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    made = make(
        wanted_of(**parts), out=out, key=sign_key, tell=lambda line: click.echo(line, err=True),
        epoch=int(epoch) if epoch.isdecimal() else None,
    )  # fmt: skip
    for left_out in made.left_out:
        click.echo(f"not in the bundle: {left_out}", err=True)
    click.echo(f"{out}: {len(made.images)} images, {len(made.files)} files, {size(sum(f.size for f in made.files))}")


@bundle_group.command("verify")
@_BUNDLE
@_KEY
@_BASE
def verify_command(*, bundle: Path, key_files: str, base: Path | None) -> None:
    """Check every file of BUNDLE against its signed list."""
    content = verify(bundle, keys=_keys(key_files), base=base)
    total = size(sum(f.size for f in content.files))
    click.echo(f"{bundle}: as it was signed, for site {content.site}: {len(content.images)} images, {total}")


@bundle_group.command("push")
@_BUNDLE
@_KEY
@_BASE
@click.option("--registry", required=True, help="Registry of the site: host, with a path or without.")
def push_command(*, bundle: Path, key_files: str, base: Path | None, registry: str) -> None:
    """Push the images of BUNDLE into the site's registry, by digest. Started again, it goes on where it was.

    A delta is pushed after it is installed: from the folder `current`.
    """
    content = verify(bundle, keys=_keys(key_files), base=base)
    if base is not None or not all((bundle / f.path).is_file() for f in content.files):
        msg = f"{bundle}: a delta; install it, and push the folder {CURRENT} of the place that it was installed into"
        raise ConfigError(msg)
    for pushed in push(bundle, content=content, registry=registry):
        click.echo(f"{pushed.name} {'pushed' if pushed.sent else 'was there'}")


@bundle_group.command("diff")
@click.argument("old", type=click.Path(file_okay=False, path_type=Path))
@click.argument("new", type=click.Path(file_okay=False, path_type=Path))
@_KEY
@click.option("--out", type=_FOLDER, help="Also write a bundle that holds only what is new.")
def diff_command(*, old: Path, new: Path, key_files: str, out: Path | None) -> None:
    """Say what NEW has that OLD has not. With --out a delta is written, which needs OLD at the other end."""
    keys = _keys(key_files)
    found = difference(signed_content(old, keys=keys), signed_content(new, keys=keys))
    for kind, paths in (("added", found.added), ("changed", found.changed)):
        for file in paths:
            click.echo(f"{kind:<8} {file.path} ({size(file.size)})")
    for path in found.removed:
        click.echo(f"removed  {path}")
    if out is not None:
        write_delta(new, found=found, out=out)
        click.echo(f"{out}: {len(found.to_carry)} files, {size(sum(f.size for f in found.to_carry))}", err=True)


@bundle_group.command("install")
@_BUNDLE
@_KEY
@click.option("--to", "place", type=_FOLDER, required=True, help="Folder where the site keeps bundles.")
@click.option("--downgrade", is_flag=True, help="Allow a bundle that is older than the installed one.")
@click.option("--dry-run", is_flag=True, help="Check and list the actions; do nothing.")
def install_command(*, bundle: Path, key_files: str, place: Path, downgrade: bool, dry_run: bool) -> None:
    """Check BUNDLE and keep it whole at the site, as `current`. A delta takes what it leaves out from there."""
    keys = _keys(key_files)
    refuse_older(signed_content(bundle, keys=keys), place=place, downgrade=downgrade)
    content = verify(bundle, keys=keys, base=place / CURRENT)
    if dry_run:
        click.echo(f"would install {len(content.files)} files, {size(sum(f.size for f in content.files))}, in {place}")
        return
    click.echo(f"installed in {install(bundle, content=content, place=place)}")


def _keys(files: str) -> tuple[TrustedKey, ...]:
    keys = keys_of(files)
    if not keys:
        msg = f"a bundle is verified with its signer's key: give --key PUBLIC_KEY or set {KEYS}"
        raise ConfigError(msg)
    return keys
