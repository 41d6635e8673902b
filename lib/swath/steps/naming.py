"""Layer names: ``<kind>:<band>``, and what steps share of a layer that one makes and another reads."""

from collections.abc import Mapping
from typing import Final

from swath.layer_name import LayerId
from swath.product import LayerName, LayerSpec

#: Layer of the cloud map, and its codes.
CLOUD_MAP: Final = "cloud"
CLEAR, CLOUD, SHADOW, SNOW = range(4)


def layer_name(kind: str, *, band: str) -> LayerName:
    """``red`` of kind ``sr`` is ``sr:red``."""
    return str(LayerId(kind=kind, band=band))


def of_kind(given: Mapping[LayerName, LayerSpec], *, kind: str) -> dict[str, LayerSpec]:
    """The layers of one kind, by band name, in the order given."""
    named = ((LayerId.of(name), spec) for name, spec in given.items())
    return {layer.band: spec for layer, spec in named if layer.kind == kind and layer.band}
