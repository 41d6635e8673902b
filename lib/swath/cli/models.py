"""``swath models``: what is registered, which version an alias means, and models without a registry."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from swath.cli.columns import form_option, show
from swath.cli.models_adopt import adopt_command
from swath.cli.models_area import area_command
from swath.cli.models_fetch import fetch_group
from swath.cli.models_options import OUTPUT, SIGN_KEY_OPTION, SITE, reach, tell
from swath.cli.models_promotion import promote_command, promotions_command, rollback_command
from swath.cli.models_revocation import deprecate_command, revoke_command
from swath.cli.models_trace import trace_command
from swath.cli.models_transfer import export_command, import_command, verify_command
from swath.errors import ConfigError
from swath.inference.address import public
from swath.inference.listing import RegisteredModel
from swath.inference.lock import LOCK_FILE, LockedModel, ModelLock
from swath.inference.model_store import ModelStore, StoredModel, worker_cache
from swath.inference.pinned import PinnedModel
from swath.inference.registry import Registry
from swath.inference.signature import sign, signature_beside
from swath.stores.registry import open_store

_COLUMNS = ("model", "version", "aliases", "kind", "accuracy", "licence", "digest")


@click.group("models")
def models_group() -> None:
    """Models: list, check, register, promote, roll back, lock; export and import, with signatures; trace a product's."""


for _command in (
    adopt_command,
    promote_command,
    rollback_command,
    promotions_command,
    revoke_command,
    deprecate_command,
    trace_command,
    area_command,
    export_command,
    import_command,
    verify_command,
    fetch_group,
):
    models_group.add_command(_command)


@models_group.command("list")
@click.argument("name", default="")
@OUTPUT
@form_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(*, name: str, output: Path, form: str | None, as_json: bool) -> None:
    """List all versions of NAME, or of every model."""
    registry = Registry.beside(output)
    if registry.exported:
        found = tuple(_of_store(ModelStore.at(registry.exported), name=name))
    else:
        found = () if registry.absent else tuple(registry.list(name))
    if as_json:
        click.echo(json.dumps([_plain(m) for m in found]))
        return
    show(_COLUMNS, [_cells(model) for model in found], form=form)
    if not found:
        place = registry.exported or public(registry.uri)
        click.echo(f"no {f'model {name!r}' if name else 'models'} in {place}; --output names another folder", err=True)


def _cells(model: RegisteredModel) -> tuple[str, ...]:
    accuracy = model.metrics.get("accuracy")
    told = f"{accuracy:.3f}" if accuracy is not None else ""
    return (model.name, model.version, ", ".join(model.aliases), model.kind, told, model.licence, model.digest[:12])


@models_group.command("register")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", default="", help="Registered name; the manifest's by default.")
@SIGN_KEY_OPTION
@OUTPUT
def register_command(*, directory: Path, name: str, sign_key: Path | None, output: Path) -> None:
    """Register the model in DIRECTORY (manifest.json, weights, card.md) as the next version of its name.

    A signature that is DIRECTORY.sig beside it goes along; --sign-key writes it first.
    """
    if sign_key is not None:
        sign(directory, key=sign_key, signature=signature_beside(directory))
    tell(Registry.beside(output).register(directory, name=name))


@models_group.command("check")
@click.argument("reference", metavar="FOLDER|REFERENCE")
@OUTPUT
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check_command(*, reference: str, output: Path, as_json: bool) -> None:
    """Say what speaks against a model: a folder, or a registered NAME@ALIAS or NAME/VERSION."""
    found = Registry.beside(output).check(reference)
    if as_json:
        click.echo(json.dumps([asdict(f) for f in found]))
    for finding in () if as_json else found:
        click.echo(f"{'refused' if finding.grave else 'warning'}: {finding}")
    if any(f.grave for f in found):
        msg = f"{reference}: {sum(f.grave for f in found)} findings; no run takes this model"
        raise ConfigError(msg)
    if not as_json:
        click.echo(f"{reference}: a run may use it")


@models_group.command("lock")
@click.argument("pipeline")
@click.option(
    "--lock", "path", type=click.Path(path_type=Path, dir_okay=False), default=Path(LOCK_FILE), show_default=True,
    help="File to write.",
)  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="STEP.PARAM=VALUE", help="Set a step's parameter, as a run would.")
@click.option("--update", is_flag=True, help="Update the lock to the current meaning of the references.")
@OUTPUT
@SITE
def lock_command(*, pipeline: str, path: Path, settings: tuple[str, ...], update: bool, output: Path, site: str) -> None:
    """Write down which models PIPELINE means, by digest: runs with `--lock` use these files and no others."""
    from swath.config import load_pipeline, prepare, with_settings  # noqa: PLC0415  steps and their libraries

    reach(site)
    asked = with_settings(load_pipeline(pipeline), settings)
    before = ModelLock.read(path) if path.exists() else ModelLock()
    now = prepare(asked, registry=Registry.beside(output)).lock
    if not now.models:
        msg = f"{pipeline}: none of its steps has a model that is there; there is nothing to lock"
        raise ConfigError(msg)
    after = ModelLock(models={**now.models, **before.models, **(now.models if update else {})})
    for reference, model in sorted(now.models.items()):
        click.echo(f"{reference}: {_locked_line(model, after.models[reference], before=before.models.get(reference))}")
    open_store(str(path.absolute().parent)).write(path.name, after.to_text().encode())


def _locked_line(now: LockedModel, after: LockedModel, *, before: LockedModel | None) -> str:
    if before is None:
        return f"locked {after.pin}"
    if before.digest == now.digest:
        return f"as locked, {after.pin}"
    if after.digest == now.digest:
        return f"moved from {before.pin} to {after.pin}"
    return f"stays {after.pin}, although it means {now.pin} now; --update takes that"


def _of_store(store: ModelStore, *, name: str) -> list[RegisteredModel]:
    return [
        _described(m, store.resolve(f"{m.name}/{m.version}", cache=worker_cache())) for m in store.list() if name in ("", m.name)
    ]


def _described(stored: StoredModel, pinned: PinnedModel) -> RegisteredModel:
    manifest = pinned.manifest
    return RegisteredModel(
        name=stored.name, version=stored.version, digest=stored.digest, aliases=stored.aliases, kind=manifest.kind,
        licence=manifest.licence, metrics=manifest.metrics,
    )  # fmt: skip


def _plain(model: RegisteredModel) -> dict[str, object]:
    return {
        "name": model.name, "version": model.version, "digest": model.digest, "aliases": list(model.aliases),
        "kind": model.kind, "licence": model.licence, "metrics": dict(model.metrics),
    }  # fmt: skip
