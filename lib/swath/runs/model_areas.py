"""Areas of the classes of a product's maps, from what their models confuse."""

from collections.abc import Mapping

from swath.class_area import ClassArea
from swath.inference.areas import Confusion, areas_of
from swath.mapping import is_geographic
from swath.product import Product
from swath.runs.drift import manifests_of
from swath.runs.request import RunRequest


def areas_in(product: Product, request: RunRequest) -> Mapping[str, tuple[ClassArea, ...]]:
    """Estimated areas by asset: of the class maps of models that kept their confusion, where pixels have one area."""
    manifests = manifests_of(request)
    found = {}
    for record in product.assets:
        manifest = manifests.get(record.model.digest) if record.model is not None else None
        layer = product.layers[record.name]
        if manifest is None or layer.encoding.categories != manifest.classes or is_geographic(layer.grid.crs):
            continue
        confusion = Confusion.of_model(manifest)
        if confusion is None:
            continue
        a, b, _, d, e, _ = layer.grid.transform
        mapped = {c.name: record.statistics.histogram.get(c.value, 0) for c in manifest.classes}
        if areas := areas_of(manifest.classes, mapped, pixel_m2=abs(a * e - b * d), confusion=confusion):
            found[record.name] = areas
    return found
