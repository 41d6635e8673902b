"""``swath models area``: hectares of the classes of a map, with confidence intervals."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from swath.class_area import ClassArea
from swath.cli.columns import form_option, show
from swath.cli.item_of import item_of
from swath.cli.models_options import OUTPUT, SITE, reach
from swath.errors import ConfigError
from swath.inference.areas import Confusion, areas_of
from swath.inference.manifest import Manifest
from swath.inference.model_store import worker_cache
from swath.inference.registry import Registry
from swath.mapping import is_geographic
from swath.stores.registry import open_store

Json = dict[str, Any]
_COLUMNS = ("class", "mapped_ha", "estimated_ha", "interval_95_ha")
_TRAIN = "train with `calibration: temperature` in the recipe, or give --confusion FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    """The class map of an item."""

    digest: str
    pixel_m2: float
    pixels: Counter[str]


@click.command("area")
@click.argument("items", metavar="ITEM...", nargs=-1, required=True)
@click.option("--asset", default="landcover", show_default=True, help="Asset with the class map.")
@click.option(
    "--confusion", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Checked places, JSON: classes and rows_are_truth. Places drawn at random in each class of the map give true intervals.",
)  # fmt: skip
@OUTPUT
@SITE
@form_option
def area_command(
    *, items: tuple[str, ...], asset: str, confusion: Path | None, output: Path, site: str, form: str | None
) -> None:
    """Estimate the area of each class over the maps of ITEMs (products' JSON files), with 95 % intervals.

    The estimator is that of Olofsson et al. 2014: areas on the map are corrected by what the model confuses. Without --confusion
    that is the confusion on the held-out polygons of its training, each polygon one check; polygons that people chose are no
    random sample, so the intervals hold as far as the polygons are like the map.
    """
    reach(site)
    maps = [_map_of(item, asset=asset) for item in items]
    digests = {m.digest for m in maps}
    sizes = {m.pixel_m2 for m in maps}
    if len(digests) > 1 or len(sizes) > 1:
        msg = f"the items are of {len(digests)} models and {len(sizes)} pixel sizes: ask for those of one model and size together"
        raise ConfigError(msg)
    manifest = _manifest(maps[0].digest, items[0], output=output)
    known = Confusion.read(confusion, classes=manifest.classes) if confusion is not None else Confusion.of_model(manifest)
    if known is None:
        msg = f"model {manifest.name} {maps[0].digest[:12]} kept no confusion of its training: {_TRAIN}"
        raise ConfigError(msg)
    pixels = sum((m.pixels for m in maps), Counter[str]())
    found = areas_of(manifest.classes, pixels, pixel_m2=maps[0].pixel_m2, confusion=known)
    if form == "json":
        click.echo(json.dumps([asdict(a) for a in found]))
        return
    show(_COLUMNS, [_cells(a) for a in found], form=form)


def _cells(area: ClassArea) -> tuple[str, ...]:
    half = "unknown" if area.half_width_ha is None else f"+- {area.half_width_ha:.1f}"
    return (area.name, f"{area.mapped_ha:.1f}", f"{area.estimated_ha:.1f}", half)


def _map_of(item: str, *, asset: str) -> _Map:
    told = item_of(item)
    found = told.get("assets", {}).get(asset, {})
    if "swath:class_percent" not in found or "swath:model" not in found:
        maps = ", ".join(n for n, a in told.get("assets", {}).items() if "swath:class_percent" in a) or "none"
        msg = f"{item}: its asset {asset} is not a class map of a model (class maps: {maps})"
        raise ConfigError(msg)
    statistics = found["statistics"]
    valid = statistics["count"] * statistics["valid_percent"] / 100.0
    pixels = Counter({n: round(p * valid / 100.0) for n, p in found["swath:class_percent"].items()})
    return _Map(digest=found["swath:model"], pixel_m2=_pixel_m2({**told["properties"], **found}, item=item), pixels=pixels)


def _pixel_m2(fields: Json, *, item: str) -> float:
    crs = fields.get("proj:code") or fields.get("proj:wkt2") or ""
    if is_geographic(crs):
        msg = f"{item}: pixels of {crs} have no one area; make the product on a grid in metres (`grid: utm` in the pipeline)"
        raise ConfigError(msg)
    a, b, _, d, e = fields["proj:transform"][:5]
    return abs(float(a) * float(e) - float(b) * float(d))


def _manifest(digest: str, item: str, *, output: Path) -> Manifest:
    own = "/".join(item.split("/")[:-7]) or "."
    places = (f"{own}/models/pinned", Registry.beside(output).exported, str(output / "models" / "pinned"), str(worker_cache()))
    texts = (open_store(p, create=False).read(f"{digest}/manifest.json") for p in places if p)
    text = next((t for t in texts if t is not None), None)
    if text is None:
        msg = f"the model {digest} of {item} is in none of {', '.join(p for p in places if p)}: name the output with --output"
        raise ConfigError(msg)
    return Manifest.from_json(text.decode())
