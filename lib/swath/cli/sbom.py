"""``swath sbom``: what is in an image."""

import os
import subprocess
from pathlib import Path

import click

from swath.deploy.sbom.debian import FORMAT, debian_components
from swath.deploy.sbom.document import document
from swath.deploy.sbom.jars import jar_components
from swath.deploy.sbom.python_packages import python_components, read_lock

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("sbom")
@click.option("--lock", type=_FILE, required=True, help="Lock that the image was built from.")
@click.option("--pom", type=_FILE, help="With --jars: coordinates of the image's own jars.")
@click.option("--jars", type=_FILE, help="With --pom: their digests.")
@click.option("--debian/--no-debian", default=False, help="List Debian's packages too.")
@click.option("--image", default="swath", show_default=True, help="What it is the list of, by digest.")
def sbom_command(*, lock: Path, pom: Path | None, jars: Path | None, debian: bool, image: str) -> None:
    """Print the bill of materials of this environment (run it in the image) as CycloneDX 1.6.

    Refuses packages that the lock does not list, and unknown or forbidden licences.
    """
    if (pom is None) != (jars is None):
        raise click.UsageError("--pom and --jars belong together")
    components = [*python_components(read_lock(lock.read_text(encoding="utf-8")))]
    if pom is not None and jars is not None:
        components += jar_components(pom.read_text(encoding="utf-8"), digests=jars.read_text(encoding="utf-8"))
    if debian:
        listing = subprocess.run(["dpkg-query", "-W", "-f", FORMAT], capture_output=True, text=True, check=True)  # noqa: S607
        components += debian_components(listing.stdout)
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    click.echo(document(components, image=image, epoch=int(epoch) if epoch.isdecimal() else None), nl=False)
