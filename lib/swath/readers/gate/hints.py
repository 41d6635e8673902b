"""What an item that states no level lets guess: it is asked where it speaks of surface reflectance, or names no sensor at all."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from swath.errors import MetadataError
from swath.readers.gate.levels import OWN_PROPERTY, names_surface
from swath.readers.gate.terms import STATED, terms_in_use

#: Properties, and fields of assets and bands, in which people write what the pixels are.
_TEXTS: Final = re.compile(r"(?i).*(?:title|description|lineage|keywords|product|radiometr|processing|reflectance|correction).*")
#: Properties that say whether pixels are corrected for the atmosphere, and what says that they are not.
_CORRECTED: Final = re.compile(r"(?i)(?:.*[:_.])?atmos\w*[:_. ]?corr\w*")
_NOT: Final = re.compile(r"(?i)\s*(?:|none|no|not .*|false|0|n/?a|uncorrected|pending|off)\s*")
#: Processors whose results are corrected for the atmosphere.
_CORRECTORS: Final = re.compile(
    r"(?i)\b(?:sen2cor|maja|lasrc|ledaps|icor|acolite|atcor\d?|sen2like|6sv?\d?|flaash|polymer|acomp)\b"
)
_SOFTWARE: Final = ("processing:software", "processing:lineage", "processing:facility", "software", "processor")
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
    hint = hint or _corrected(properties)
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


def surface_hint(key: str, *, asset: Mapping[str, Any], band: Mapping[str, Any]) -> str:
    """What an asset says of surface reflectance in its key, texts and roles, or those of one of its bands; empty for nothing."""
    return next((f"{place}: {text[:_SHOWN]}" for place, text in _of_asset(key, asset, [band]) if names_surface(text)), "")


def _said(properties: Mapping[str, Any], assets: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for name, value in properties.items():
        if _TEXTS.fullmatch(name) and isinstance(value, str | list):
            yield name, str(value)
    for key, asset in assets.items():
        layers = asset.get("bands") or asset.get("eo:bands") or asset.get("raster:bands")
        yield from _of_asset(key, asset, layers if isinstance(layers, list) else [])


def _of_asset(key: str, asset: Mapping[str, Any], layers: Iterable[Any]) -> Iterable[tuple[str, str]]:
    yield f"asset {key}", key
    for name in ("title", "description", "roles"):
        yield f"{name} of asset {key}", str(asset.get(name) or "")
    for layer in layers:
        for name in ("name", "description"):
            yield f"{name} of a band of {key}", str(layer.get(name) or "") if isinstance(layer, Mapping) else ""


def _corrected(properties: Mapping[str, Any]) -> str:
    """What an item says of a correction for the atmosphere, or of a program that makes one; empty for nothing."""
    for name, value in properties.items():
        if _CORRECTED.fullmatch(name) and value is not None and not _NOT.fullmatch(str(value)):
            return f"{name} {str(value)[:_SHOWN]}"
    for name in _SOFTWARE:
        told = properties.get(name)
        for said in told if isinstance(told, Mapping | list) else [told or ""]:
            if _CORRECTORS.search(str(said).replace("_", " ")):
                return f"{name} {str(said)[:_SHOWN]}"
    return ""
