"""What an item that states no level lets guess: it is asked where it speaks of surface reflectance, or names no sensor at all."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from swath.errors import MetadataError
from swath.readers.gate.levels import OWN_PROPERTY, names_surface
from swath.readers.gate.terms import STATED, terms_in_use

#: Texts of an item and of its assets in which people write what the pixels are.
_TEXTS: Final = ("title", "description", "processing:lineage")
#: Processors whose results are corrected for the atmosphere.
_CORRECTORS: Final = ("sen2cor", "maja", "lasrc", "ledaps", "icor", "acolite", "atcor", "sen2like", "6s", "flaash", "polymer")
_SHOWN: Final = 80


def check_hints(properties: Mapping[str, Any], *, assets: Mapping[str, Mapping[str, Any]], named: bool) -> None:
    """Refuse an item that states no level where Level 1 would be a guess against what it says.

    Args:
        properties: Properties of the item.
        assets: Assets by key.
        named: Whether it names a platform, constellation, instrument or collection.

    Raises:
        MetadataError: The item speaks of surface reflectance, or names nothing at all, and the user vouches for no level.
    """
    vouched = terms_in_use().level
    if vouched and vouched != STATED:
        return
    hint = next((f"{place}: {text[:_SHOWN]}" for place, text in _said(properties, assets) if names_surface(text)), "")
    hint = hint or next((f"processing:software {name}" for name in _software(properties) if name.lower() in _CORRECTORS), "")
    if not hint and named:
        return
    raise MetadataError(
        "the processing level is unknown",
        expected=f"processing:level (or {OWN_PROPERTY}), because the item "
        + ("speaks of surface reflectance" if hint else "names no platform, instrument or collection"),
        got=hint or "no level, and nothing that says what made it",
        remedy=f"Write {OWN_PROPERTY}: L1 into the item's properties when its reflectance is top-of-atmosphere, or run with"
        " --level L1. Surface reflectance needs no correction: composites take it as it is.",
    )


def _said(properties: Mapping[str, Any], assets: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for name in _TEXTS:
        yield name, str(properties.get(name) or "")
    for key, asset in assets.items():
        yield f"asset {key}", key
        for name in ("title", "description"):
            yield f"{name} of asset {key}", str(asset.get(name) or "")


def _software(properties: Mapping[str, Any]) -> list[str]:
    told = properties.get("processing:software")
    return [str(name) for name in told] if isinstance(told, Mapping) else []
