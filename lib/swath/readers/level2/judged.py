"""Whether the ``qa`` of a product judges clouds, by the shares of its bits that the item tells."""

from swath.readers.stac.item import JsonObject, object_of

_JUDGES = ("cloud_from_quality", "cloud_from_model")


def unjudged(asset: JsonObject) -> str:
    """Why the mask says nothing of clouds; ``''`` when it does, in some pixel at least."""
    shares = object_of(asset.get("swath:bit_percent"))
    if any(isinstance(shares.get(name), int | float) and shares[name] > 0 for name in _JUDGES):
        return ""
    if shares.get("nodata") == 100.0:
        return ""
    return ", ".join(f"{name} {shares.get(name, 'not given')}" for name in _JUDGES)
