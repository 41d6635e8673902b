"""Asset keys: what an asset is made of, as one digest. Same key, same product at every site."""

from typing import Any

from swath.engine.ancillary import raster_digest
from swath.engine.graph import Graph
from swath.engine.raw_lattice import RAW_VERSION
from swath.engine.supplies import digest_of_input
from swath.engine.warping import WARP_VERSION, is_warp
from swath.layer_name import DELIVERED
from swath.plain import canonical, digest_of, plain_of
from swath.product import LayerSpec
from swath.scene import Asset

#: Raised when the engine itself changes pixels or bytes: reading, resampling, encoding, overviews, the file's layout.
ENGINE = 3


def asset_keys(graph: Graph) -> dict[str, str]:
    """The key of each output, by asset key (the STAC name)."""
    layers: dict[str, str] = {}
    for call in graph.calls:
        inputs: dict[str, dict[str, Any]] = {}
        for name in call.reads:
            need = call.recipe.needs[name]
            source = _delivered(graph.scene.assets[name.removeprefix(DELIVERED)]) if name not in layers else layers[name]
            inputs[name] = {"of": source, "on": need.on.to_plain() if need.on else None, "halo_px": need.halo_px}
            if need.on is not None and is_warp(graph.grid_of(name), need.on, kernel=need.kernel):
                inputs[name]["warp"] = {"kernel": need.kernel, "version": WARP_VERSION}
                if (dem := graph.dem_of(name)) is not None:
                    inputs[name]["warp"] |= {"elevation": raster_digest(dem, need.on), "places": RAW_VERSION}
        chain: dict[str, Any] = {
            "step": call.step.name,
            "version": call.step.version,
            "parameters": dict(call.step.parameters),
            "facts": dict(call.recipe.facts),
            "inputs": inputs,
            "grid": call.recipe.grid.to_plain(),
        }
        asked = [digest_of_input(a, rasters=graph.rasters, grid=call.recipe.grid) for a in call.recipe.inputs]
        told = canonical(chain)
        # A model and angle grids are usually known from parameters and facts, and are then not repeated.
        if more := [digest for digest in asked if digest not in told]:
            chain["beyond"] = more
        for spec in call.recipe.makes:
            layers[spec.name] = digest_of({**chain, "layer": spec.name, "model": spec.model.digest if spec.model else None})
    # GDAL's driver makes other bytes of the same pixels.
    other: dict[str, Any] = {"writer": graph.writer} if graph.writer != "swath" else {}
    if graph.placed is not None:
        other["coregister"] = graph.placed.key
    return {name: digest_of(_asset(layers[spec.name], spec=spec) | other) for name, spec in graph.outputs.items()}


def _asset(layer: str, *, spec: LayerSpec) -> dict[str, Any]:
    # The title is in the file: equal keys promise equal bytes.
    return {"layer": layer, "encoding": plain_of(spec.encoding), "title": spec.title, "engine": ENGINE}


def _delivered(asset: Asset) -> dict[str, Any]:
    """What of a delivered band goes into pixels: its bytes and how they are read, never their location."""
    delivered = {
        "digest": asset.digest,
        "band_index": asset.band_index,
        "nodata": asset.nodata,
        "saturated": asset.saturated,
        "grid": asset.grid.to_plain(),
    }
    more: dict[str, Any] = {"residue": asset.residue}
    if asset.mask is not None:
        more["mask"] = {"kind": asset.mask.kind, "band_index": asset.mask.band_index, "digest": asset.mask.digest}
    if asset.stored is not None:
        more["stored"] = {"dtype": asset.stored.dtype, "nodata": asset.stored.nodata, "as": asset.dtype}
    return delivered | {name: value for name, value in more.items() if value is not None}
