"""Layer names: ``<kind>:<band>``."""

from collections.abc import Mapping

from swath.product import LayerName, LayerSpec


def layer_name(kind: str, *, band: str) -> LayerName:
    """``red`` of kind ``sr`` is ``sr:red``."""
    return f"{kind}:{band}"


def of_kind(given: Mapping[LayerName, LayerSpec], *, kind: str) -> dict[str, LayerSpec]:
    """The layers of one kind, by band name, in the order given."""
    head = f"{kind}:"
    return {name.removeprefix(head): spec for name, spec in given.items() if name.startswith(head)}
