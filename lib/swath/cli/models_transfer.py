"""``swath models export``, ``import`` and ``verify``: models between sites, by store or by signed bundle."""

import tempfile
from pathlib import Path

import click

from swath.cli.models_options import FORCE, OUTPUT, SAMPLES, SIGN_KEY_OPTION, SITE, reach, tell
from swath.errors import ConfigError
from swath.inference.bundle import pack
from swath.inference.importing import read_bundle, register_bundle
from swath.inference.listing import RegisteredModel
from swath.inference.model_store import ModelStore, worker_cache
from swath.inference.pinned import PinnedModel
from swath.inference.promotion import frozen_of
from swath.inference.registry import Registry
from swath.inference.signature import SIGN_KEY, sign, signature_beside
from swath.inference.trusted_keys import KEYS, keys_of


@click.command("export")
@click.argument("reference")
@click.option("--to", "place", default="", metavar="FOLDER|s3://...", help="Store of models; sites name it in models.uri.")
@click.option("--bundle", type=click.Path(path_type=Path, dir_okay=False), help="Signed file (tar) to carry; needs --sign-key.")
@click.option("--sagemaker-group", "group", default="", help="Group of SageMaker's model registry; its data go to --to s3://...")
@click.option("--image", default="", help="Container image that the package of SageMaker names.")
@click.option("--alias", "aliases", multiple=True, help="Alias to give to this version in the store; repeatable.")
@SIGN_KEY_OPTION
@OUTPUT
@SITE
def export_command(  # noqa: PLR0913  the options of a command
    *, reference: str, place: str, bundle: Path | None, group: str, image: str, aliases: tuple[str, ...], sign_key: Path | None,
    output: Path, site: str
) -> None:  # fmt: skip
    """Copy the registered model REFERENCE (NAME@ALIAS, NAME/VERSION) or a model folder to a store of models, or into a bundle.

    An alias of REFERENCE is taken along to a store. With --sagemaker-group it becomes a model package that waits for approval.
    """
    if bool(place) == bool(bundle):
        msg = "say where the model goes: either --to STORE or --bundle FILE"
        raise ConfigError(msg)
    reach(site)
    registry = Registry.beside(output)
    pinned = registry.resolve(reference)
    if bundle is not None:
        if sign_key is None:
            msg = f"{bundle}: a bundle is signed: give --sign-key or set {SIGN_KEY}"
            raise ConfigError(msg)
        with tempfile.TemporaryDirectory() as scratch:
            frozen = frozen_of(registry, pinned, into=Path(scratch))
            pack(pinned, key=sign_key, target=bundle, origin=registry.origin(pinned), frozen=frozen)
        click.echo(f"{pinned.name} {pinned.version}: sha256 {pinned.digest} in {bundle}")
        return
    if group:
        from swath.training.sagemaker.exporting import PackageRequest, export_package  # noqa: PLC0415  boto3

        wanted = PackageRequest(group=group, place=place, image=image)
        click.echo(export_package(pinned, wanted=wanted, origin=registry.origin(pinned)))
        return
    if sign_key is not None:
        sign(pinned.path, key=sign_key, signature=signature_beside(pinned.path))
    _store(pinned, place, aliases=(*_alias_of(reference), *aliases))


def _alias_of(reference: str) -> tuple[str, ...]:
    alias = reference.rpartition("@")[2] if "@" in reference and not Path(reference).is_dir() else ""
    return (alias,) if alias and not alias.startswith("sha256:") else ()


def _store(pinned: PinnedModel, place: str, *, aliases: tuple[str, ...]) -> None:
    told = ModelStore.at(place, create=True).export(pinned, aliases=aliases)
    tell(RegisteredModel(name=told.name, version=told.version, digest=told.digest, aliases=told.aliases))


@click.command("import")
@click.argument("reference", default="")
@click.option("--from", "place", default="", metavar="FOLDER|s3://...", help="Store of models that has REFERENCE.")
@click.option("--bundle", default="", metavar="FILE|FOLDER|s3://...", help="Bundle, or the folder that one was unpacked into.")
@click.option("--sagemaker-package", "package", default="", metavar="ARN|GROUP@latest-approved", help="Package of SageMaker.")
@click.option("--container", default="", help="Container of the package whose data are meant, when it has several.")
@click.option("--manifest", type=click.Path(path_type=Path, dir_okay=False), help="Manifest of the package's model.")
@click.option("--rows", type=click.Path(path_type=Path, dir_okay=False), help="Real features (CSV, a column a band).")
@click.option("--key", "key_files", default="", envvar=KEYS, show_envvar=True, help="Trusted public keys.")
@click.option("--name", default="", help="Registered name here; that of the source by default.")
@click.option("--downgrade", is_flag=True, help="Allow a bundle that is older than the version here.")
@click.option("--alias", default="", help="Alias that the version here asks for; it is judged as by `promote`.")
@SAMPLES
@FORCE
@OUTPUT
@SITE
def import_command(  # noqa: PLR0913  the options of a command
    *, reference: str, place: str, bundle: str, package: str, container: str, manifest: Path | None, rows: Path | None,
    key_files: str, name: str, downgrade: bool, alias: str,
    samples: Path | None, forced: str, output: Path, site: str
) -> None:  # fmt: skip
    """Register a model of another site here, as the next version of its name.

    Either REFERENCE (NAME@ALIAS, NAME/VERSION) of a store (--from), a signed bundle (--bundle), or an approved package of
    SageMaker (--sagemaker-package).
    """
    if [bool(bundle), bool(place), bool(package)].count(True) != 1 or bool(reference) != bool(place):
        msg = "say what to import: either REFERENCE --from STORE, --bundle FILE --key PUBLIC_KEY, or --sagemaker-package ARN"
        raise ConfigError(msg)
    reach(site)
    registry = Registry.beside(output)
    if package:
        from swath.training.sagemaker.importing import import_package  # noqa: PLC0415  boto3 and pandas

        given = {"manifest": manifest, "rows": rows}
        made = import_package(registry, package, **given, container=container, name=name, say=click.echo)
    elif bundle:
        made = _from_bundle(bundle, key_files=key_files, registry=registry, name=name, downgrade=downgrade)
    else:
        pinned = ModelStore.at(place).resolve(reference, cache=worker_cache())
        made = registry.register(pinned.path, name=name or pinned.name)
    if not alias:
        tell(made)
        return
    from swath.training.candidate import ModelCandidate, NotPromotedError, give_alias  # noqa: PLC0415  rasterio and pandas

    candidate = ModelCandidate(name=made.name, version=made.version, alias=alias, samples=samples, forced=forced)
    try:
        tell(give_alias(registry, candidate, say=click.echo))
    except NotPromotedError as error:
        tell(made)
        msg = f"{made.name} {made.version} was imported without the alias {alias}: {error}"
        raise ConfigError(msg) from error


def _from_bundle(place: str, *, key_files: str, registry: Registry, name: str, downgrade: bool) -> RegisteredModel:
    keys = keys_of(key_files)
    if not keys:
        msg = f"{place}: a bundle is verified with its signer's key: give --key PUBLIC_KEY or set {KEYS}"
        raise ConfigError(msg)
    with tempfile.TemporaryDirectory() as scratch:
        found = read_bundle(place, keys=keys, scratch=Path(scratch))
        return register_bundle(found, registry=registry, name=name, downgrade=downgrade)


@click.command("verify")
@click.argument("place", metavar="FOLDER|s3://...")
@SITE
def verify_command(*, place: str, site: str) -> None:
    """Read every model of a store and compare it with its digest."""
    reach(site)
    found = list(ModelStore.at(place).verify())
    for model, wrong in found:
        click.echo(f"{model.name} {model.version}: {wrong or 'as its digest says'}")
    broken = [f"{m.name} {m.version}" for m, wrong in found if wrong]
    if broken or not found:
        msg = f"{place}: {', '.join(broken)} cannot be used" if broken else f"{place} holds no models"
        raise ConfigError(msg)
