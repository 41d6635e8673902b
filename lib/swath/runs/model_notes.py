"""What the report says of models beside their names: how a scene compares with their training data, and what is not proven."""

from collections.abc import Mapping
from pathlib import Path

from swath.errors import ConfigError
from swath.inference.loader import local_copy
from swath.inference.reference import read_reference
from swath.report.product_summary import ProductSummary
from swath.report.training_range import Ranges, unlike_training

#: Percentiles of the training data by digest of the model; None where it has none.
AllRanges = Mapping[str, Ranges | None]
_UNPROVEN = "it carries no reference rows: the order and the scale of its bands are not proven"

_UNKNOWN = "not compared with the training data: the model came without their percentiles"


def ranges_of(models: Mapping[str, Mapping[str, str]]) -> AllRanges:
    """Percentiles of the training data by digest of the model; None where it has none.

    Args:
        models: Place and digest of each pinned model, by name; models that are gone from their place are left out.
    """
    found: dict[str, Ranges | None] = {}
    for model in models.values():
        try:
            reference = read_reference(Path(local_copy(model["path"], model["digest"])))
        except ConfigError:
            continue
        found[model["digest"]] = reference.ranges if reference is not None else None
    return found


def notes_of(product: ProductSummary, *, ranges: AllRanges) -> Mapping[str, str]:
    """What is to be said of the models behind a product, by model."""
    told = {}
    for model in product.models:
        if model.digest not in ranges:
            continue
        known = ranges[model.digest]
        why = _UNPROVEN if known is None else unlike_training(product.assets, ranges=known) if known else _UNKNOWN
        if why:
            told[f"model {model.name} {model.version}"] = why
    return told
