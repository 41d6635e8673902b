"""``swath models trace``: from a product to its models and their training, and from a model to everything that it made."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from swath.cli.item_of import item_of
from swath.cli.models_options import OUTPUT, SITE, reach
from swath.errors import ConfigError
from swath.inference.model_store import ModelStore, worker_cache
from swath.inference.registry import Registry
from swath.stores.registry import open_store

Json = dict[str, Any]
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REFERENCE = re.compile(r"(?:models:/)?(?P<name>[^/@:]+)(?:@(?P<alias>[^/@:]+)|/(?P<version>\d+))")
_COLUMNS = ("product_id", "scene_id", "item", "run_id", "site", "made", "code", "models", "assets")
_TRAINING = ("licence", "metrics", "training", "bands", "of")


@click.command("trace")
@click.argument("what", metavar="ITEM|DIGEST|NAME@ALIAS|NAME/VERSION|PRODUCT_ID")
@click.option("--tables", "outputs", multiple=True, metavar="OUTPUT", help="Output whose tables are looked in; repeatable.")
@OUTPUT
@SITE
def trace_command(*, what: str, outputs: tuple[str, ...], output: Path, site: str) -> None:
    """Say what a product was made with, or what a model has made.

    ITEM (a product's JSON file) and PRODUCT_ID lead to the models, their assets and their training; DIGEST and NAME@ALIAS
    lead to the products in the tables of every OUTPUT.
    """
    reach(site)
    looked = outputs or (str(output),)
    match = _REFERENCE.fullmatch(what)
    if what.endswith(".json"):
        found = of_item(what, output=output)
    elif _DIGEST.fullmatch(what):
        found = of_digest(what, outputs=looked, output=output)
    elif match is not None:
        digest = _digest_of(match["name"], alias=match["alias"] or "", version=match["version"] or "", output=output)
        found = {"reference": what, **of_digest(digest, outputs=looked, output=output)}
    else:
        found = _of_product(what, outputs=looked, output=output)
    click.echo(json.dumps(found, indent=2, sort_keys=True))


def of_item(item: str, *, output: Path) -> Json:
    """Models of a product's item, their assets and their training."""
    told = item_of(item)
    models = told.get("properties", {}).get("swath:models", [])
    own = "/".join(item.split("/")[:-7]) or "."
    made = {m["digest"]: [n for n, a in told["assets"].items() if a.get("swath:model") == m["digest"]] for m in models}
    traced = [_model(m, assets=made[m["digest"]], places=_places(output, own)) for m in models]
    return {"item": told["id"], "models": traced}


def _of_product(product_id: str, *, outputs: Sequence[str], output: Path) -> Json:
    for place in outputs:
        table = _products(place)
        rows = table.filter(pc.equal(table["product_id"], product_id)).to_pylist()
        if rows:
            # The newest row is the product; those before were replaced.
            row = max(rows, key=lambda r: r["made"])
            models = [
                _model(
                    m,
                    assets=[a["name"] for a in row["assets"] if a["model_digest"] == m["digest"]],
                    places=_places(output, place),
                )
                for m in row["models"]
            ]
            return {**_plain(row, place=place), "models": models}
    msg = (
        f"{product_id}: no product of this name, and no item, digest or NAME@ALIAS; looked in the tables of {', '.join(outputs)}"
    )
    raise ConfigError(msg)


def of_digest(digest: str, *, outputs: Sequence[str], output: Path) -> Json:
    """A model, and every product that it made in the tables of some outputs."""
    products = [p for place in outputs for p in _made_by(digest, place=place)]
    places = [p for place in outputs for p in _places(output, place)]
    model = _model({"digest": digest}, assets=None, places=places)
    if not products and "why" in model:
        where, held = ", ".join(outputs), ", ".join(p for p in places if p)
        msg = f"{digest}: no product of it in the tables of {where}, and no such model in {held}"
        raise ConfigError(msg)
    return {**model, "products": products, "looked_in": list(outputs)}


def _made_by(digest: str, *, place: str) -> Iterator[Json]:
    table = _products(place).combine_chunks()
    if not table.num_rows:
        return
    models = table["models"].chunk(0)
    same = pc.equal(pc.struct_field(pc.list_flatten(models), "digest"), digest)
    for row in table.take(pc.unique(pc.list_parent_indices(models).filter(same))).to_pylist():
        yield {**_plain(row, place=place), "assets": sorted(_assets(row, digest))}


def _assets(row: Json, digest: str) -> list[str]:
    return [a["name"] for a in row["assets"] if a["model_digest"] == digest]


def _plain(row: Json, *, place: str) -> Json:
    return {
        **{n: row[n] for n in ("product_id", "scene_id", "run_id", "site", "code")},
        "item": f"{place}/{row['item']}", "made": row["made"].isoformat(),
    }  # fmt: skip


def _products(place: str) -> pa.Table:
    from swath.ledger.open import open_tables  # noqa: PLC0415  a second of imports
    from swath.ledger.schemas import PRODUCTS  # noqa: PLC0415  as above

    table = open_tables(None, open_store(place, create=False)).arrow("products", PRODUCTS, columns=_COLUMNS)
    if table is None:
        msg = f"{place}: its table of products cannot be read without Spark (a feature of Delta that swath does not write)"
        raise ConfigError(msg)
    return table


def _digest_of(name: str, *, alias: str, version: str, output: Path) -> str:
    """The digest of a registered version, also of one that admission would refuse: revoked models are traced, too."""
    registry = Registry.beside(output)
    known = list(ModelStore.at(registry.exported).list()) if registry.exported else list(registry.list(name))
    found = [m for m in known if m.name == name and (alias in m.aliases if alias else m.version == version)]
    if not found:
        versions = ", ".join(f"{m.name}/{m.version} ({', '.join(m.aliases) or 'no alias'})" for m in known) or "no model"
        msg = f"there is no model {name}{f'@{alias}' if alias else f'/{version}'}; known here: {versions}"
        raise ConfigError(msg)
    return found[0].digest


def _places(output: Path, place: str) -> list[str]:
    """Where the models of an output may be: in it, at the site, here."""
    return [f"{place}/models/pinned", Registry.beside(output).exported, str(output / "models" / "pinned"), str(worker_cache())]


def _model(model: Json, *, assets: list[str] | None, places: list[str]) -> Json:
    found = {**model, **({"assets": sorted(assets)} if assets is not None else {})}
    texts = (open_store(p, create=False).read(f"{model['digest']}/manifest.json") for p in places if p)
    text = next((t for t in texts if t is not None), None)
    if text is None:
        return {**found, "training": None, "why": "its files are in none of the places that are known here"}
    manifest = json.loads(text)
    return {**found, **{n: manifest[n] for n in _TRAINING}}
