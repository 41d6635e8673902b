"""Records of assets whose files nobody opens, and places of items."""

from collections.abc import Mapping
from datetime import UTC

from swath.product import AssetRecord, LayerSpec, ModelRef, Product, Statistics


def records_of(
    layers: Mapping[str, LayerSpec], *, statistics: Statistics, models: Mapping[str, ModelRef], prefix: str = ""
) -> tuple[AssetRecord, ...]:
    """One for each layer: the file ``<prefix><asset>.tif``, with the model that it was made by where there is one."""
    return tuple(
        AssetRecord(
            name=name, layer=spec.name, href=f"{prefix}{name}.tif", key="01" * 32, bytes=5, digest="ef" * 32,
            statistics=statistics, model=models.get(name),
        )
        for name, spec in layers.items()
    )  # fmt: skip


def item_path(product: Product) -> str:
    """Where the item lies, relative to the output's root."""
    day = product.scene.acquired.astimezone(UTC)
    return f"products/{product.collection}/{day:%Y/%m/%d}/{product.product_id}/{product.product_id}.json"
