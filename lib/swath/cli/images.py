"""``swath images`` and ``swath verify``: images of a commit, and whether what was signed is what is there."""

from pathlib import Path

import click

from swath.deploy.bundle.content import LIST
from swath.deploy.bundle.verify import verify as verify_bundle
from swath.deploy.release.container_engine import ContainerEngine
from swath.deploy.release.make_images import Building, make_images, recipes_named
from swath.deploy.release.released import IMAGES, verified
from swath.deploy.release.source import CommitSource
from swath.errors import ConfigError
from swath.inference.signature import SIGN_KEY
from swath.inference.trusted_keys import KEYS, keys_of


@click.command("images")
@click.option("--registry", required=True, help="Where they are pushed: host, with a path or without.")
@click.option("--tag", default="", help="Tag, new in the registry; the commit by default.")
@click.option("--image", "names", multiple=True, help="Only this one (swath, swath-emr); repeatable.")
@click.option(
    "--root", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Checkout; this folder by default."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("dist/images"), show_default=True,
    help="Folder for images.json, its signature, lists of packages and findings.",
)  # fmt: skip
@click.option("--engine", default="", help="docker or podman; by default the first that answers.")
@click.option(
    "--build-arg",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="Build argument, such as another base image; repeatable.",
)
@click.option(
    "--sign-key", type=click.Path(dir_okay=False, path_type=Path), required=True, envvar=SIGN_KEY, show_envvar=True,
    help="Private key (PEM, elliptic curve) that signs images.json.",
)  # fmt: skip
def images_command(
    *,
    registry: str,
    tag: str,
    names: tuple[str, ...],
    root: Path,
    out: Path,
    engine: str,
    arguments: tuple[str, ...],
    sign_key: Path,
) -> None:
    """Build both images of a commit, list and scan what is in them, push them by digest, and sign images.json."""
    source = CommitSource.of(root)
    given = dict(_argument(text) for text in arguments)
    building = Building(
        registry=registry, tag=tag or source.commit[:12], engine=ContainerEngine.there(engine), arguments=given,
        recipes=recipes_named(names),
    )  # fmt: skip
    release = make_images(source, building, out=out, key=sign_key, tell=lambda line: click.echo(line, err=True))
    for image in release.images:
        click.echo(image.pinned)


def _argument(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise ConfigError(f"--build-arg {text}: expected NAME=VALUE")
    return name, value


@click.command("verify")
@click.argument("place", type=click.Path(path_type=Path), metavar="images.json|BUNDLE")
@click.option("--key", "key_files", required=True, envvar=KEYS, show_envvar=True, help="Trusted public keys.")
def verify_command(*, place: Path, key_files: str) -> None:
    """Check the signature of PLACE, images.json or a bundle's folder, and the digest of every file that it lists."""
    keys = keys_of(key_files)
    if (place / LIST).is_file():
        content = verify_bundle(place, keys=keys)
        click.echo(
            f"{place}: as it was signed, for site {content.site}: {len(content.images)} images, {len(content.files)} files"
        )
        return
    if place.name != IMAGES:
        msg = f"{place}: neither {IMAGES} nor the folder of a bundle; models: `swath models import --bundle` and `models verify`"
        raise ConfigError(msg)
    release = verified(place, keys=keys)
    for image in release.images:
        click.echo(f"{image.pinned}: commit {release.commit[:12]}, {image.sbom}")
    click.echo(f"scan: {release.scan}")
