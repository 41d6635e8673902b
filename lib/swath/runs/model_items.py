"""Models of a run as STAC items of their own (extension MLM): products lead to them by a link."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from swath.errors import ConfigError
from swath.inference.loader import local_copy
from swath.inference.manifest import Manifest, read_manifest
from swath.sinks.stac.item import STAC_VERSION, encode, model_item_path
from swath.stores.base import Store

MLM: Final = "https://stac-extensions.github.io/mlm/v1.5.2/schema.json"
_CLASSIFICATION: Final = "https://stac-extensions.github.io/classification/v1.1.0/schema.json"
_EO: Final = "https://stac-extensions.github.io/eo/v1.1.0/schema.json"
#: A model has no place, and may be used of any time: the extension asks for these ends.
_ALWAYS: Final = {"datetime": None, "start_datetime": "1900-01-01T00:00:00Z", "end_datetime": "9999-12-31T23:59:59Z"}
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.\-\s]+[a-zA-Z0-9]")
_TASKS = ["semantic-segmentation", "classification"]
Json = dict[str, Any]


def write_model_items(models: Mapping[str, Mapping[str, str]], *, store: Store) -> None:
    """Write the item of each model of a run into its output, unless it is there.

    Args:
        models: Place and digest of each pinned model, by name.
        store: The output.
    """
    for model in models.values():
        digest = model["digest"]
        if store.size(model_item_path(digest)) is not None:
            continue
        try:
            path = Path(local_copy(model["path"], digest))
            manifest = read_manifest(path)
        except ConfigError:
            # A model that is gone stops what needs it; a run that has nothing to make goes on.
            continue
        there = store.size(f"models/pinned/{digest}/{manifest.weights}") is not None
        href = f"./pinned/{digest}/{manifest.weights}" if there else str(path / manifest.weights)
        store.write(model_item_path(digest), encode(model_item(manifest, digest=digest, href=href)))


def model_item(manifest: Manifest, *, digest: str, href: str) -> Json:
    """A model as a STAC item.

    Args:
        manifest: Manifest of the model.
        digest: Digest of its folder.
        href: Place of its weights.
    """
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [_CLASSIFICATION, _EO, MLM],
        "id": f"{manifest.name}-{digest[:12]}",
        "geometry": None,
        "properties": {
            **_ALWAYS,
            "title": manifest.name,
            "license": manifest.licence if re.fullmatch(r"[\w.+-]+", manifest.licence) else "other",
            "mlm:name": manifest.name if _NAME.fullmatch(manifest.name) else f"model {digest[:12]}",
            "mlm:architecture": _architecture(manifest),
            "mlm:framework": "ONNX" if manifest.kind == "onnx" else "swath",
            "mlm:tasks": _TASKS,
            "mlm:input": [_input(manifest)],
            "mlm:output": [_output(manifest)],
            "swath:digest": digest,
            "swath:licence": manifest.licence,
            "swath:metrics": dict(manifest.metrics),
            "swath:training": dict(manifest.training),
        },
        "links": [],
        "assets": {
            "weights": {
                "href": href,
                "title": f"Weights of {manifest.name}, digest of the folder {digest}",
                "roles": ["mlm:model", "data"],
                "mlm:artifact_type": f"swath.{manifest.kind}",
                # STAC 1.1 allows no `bands` in an item's properties, where the extension would look for them.
                "eo:bands": [{"name": band} for band in manifest.bands],
            }
        },
    }


def _architecture(manifest: Manifest) -> str:
    if manifest.kind == "forest":
        return "Tree ensemble"
    if manifest.network is None:
        return "Network of single pixels"
    return "Fully convolutional network" if manifest.network.reach == "convolutional" else "Network of patches"


def _input(manifest: Manifest) -> Json:
    side = manifest.network.patch_px if manifest.network is not None else 0
    shape = [-1, len(manifest.bands), side, side] if side else [-1, len(manifest.bands)]
    found: Json = {
        "name": f"{manifest.of} features",
        "bands": list(manifest.bands),
        "input": {
            "shape": shape,
            "dim_order": ["batch", "bands", "height", "width"][: len(shape)],
            "data_type": manifest.dtype,
        },
        "description": f"{manifest.scale!r} times {manifest.of}, plus {manifest.offset!r}",
    }
    if manifest.network is not None:
        normalise = manifest.network.normalise
        scaled = zip(normalise.mean, normalise.std, strict=True)
        found["value_scaling"] = [{"type": "z-score", "mean": mean, "stddev": std} for mean, std in scaled]
    return found


def _output(manifest: Manifest) -> Json:
    side = manifest.network.patch_px if manifest.network is not None else 0
    shape = [-1, len(manifest.classes), side, side] if side else [-1, len(manifest.classes)]
    return {
        "name": "probabilities",
        "tasks": _TASKS,
        "result": {"shape": shape, "dim_order": ["batch", "class", "height", "width"][: len(shape)], "data_type": "float32"},
        "classification:classes": [
            {"value": c.value, "name": c.name, "description": c.title, "color_hint": bytes(c.rgb).hex().upper()}
            for c in manifest.classes
        ],
    }
