"""What an item of a raw image has beside its bands: the file of its model, and control points."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast, get_args

from swath.algo.control_points import ControlModel, fit
from swath.algo.raw_image import RawModel, model_of
from swath.algo.rpc import Rpc
from swath.errors import MetadataError
from swath.readers.rpc.control import read_control
from swath.readers.rpc.model import read_rpc
from swath.readers.stac.item import Item, list_of
from swath.scene import Asset

_ROLE: Final = "rpc"
_CONTROL: Final = "gcps"
#: Property of an item that says how control points refine its model.
_MODEL: Final = "swath:control_model"


def rpc_beside(item: Item) -> Rpc | None:
    """The model in the asset with the role ``rpc``; None where no asset has it.

    Raises:
        MetadataError: Several have it, or the model cannot be used.
    """
    href = _only(item, role=_ROLE)
    return read_rpc(href) if href else None


def refined(assets: Mapping[str, Asset], *, item: Item) -> tuple[dict[str, Asset], dict[str, Any]]:
    """Bands whose models are refined by the control points of the item, and what products say of it.

    Args:
        assets: Bands; those on a map stay as they are.
        item: The item: its asset with the role ``gcps`` has the points.

    Raises:
        MetadataError: The points cannot be read or do not agree, or bands have models of their own.
    """
    href = _only(item, role=_CONTROL)
    if not href:
        return dict(assets), {}
    systems = {a.grid.crs for a in assets.values() if a.grid.raw}
    if len(systems) != 1:
        raise MetadataError(
            "control points refine the model of one image",
            expected="bands that share a model",
            got=f"{len(systems)} models",
            remedy="Write an item for each image, or leave the points out.",
        )
    asked = str(item.properties.get(_MODEL) or "shift")
    if asked not in get_args(ControlModel):
        raise MetadataError("the control model is unknown", expected=f"{_MODEL} shift or affine", got=asked)
    rpc = model_of(systems.pop()).rpc
    found = fit(read_control(href), rpc=rpc, model=cast("ControlModel", asked))
    crs = RawModel(rpc=rpc, refinement=found.refinement).crs
    moved = {n: replace(a, grid=replace(a.grid, crs=crs)) if a.grid.raw else a for n, a in assets.items()}
    return moved, found.facts


def _only(item: Item, *, role: str) -> str:
    """Href of the asset with a role; empty where none has it."""
    named = [a for a in item.assets.values() if role in list_of(a.get("roles"))]
    if len(named) > 1:
        raise MetadataError(
            f"the item has several assets with the role {role}",
            expected="one",
            got=", ".join(str(a.get("href")) for a in named[:3]),
            remedy="Write an item for each image.",
        )
    return item.resolve(str(named[0].get("href", ""))) if named else ""
