"""Which layers an asset is made from: they are unchanged if the asset is."""

from collections.abc import Set as AbstractSet

from swath.engine.graph import Call, Graph
from swath.engine.product_plan import ProductPlan
from swath.product import LayerName


def layers_behind(graph: Graph, asset: str) -> frozenset[LayerName]:
    """Everything that the calls on the way to an asset make, its own layer included.

    Args:
        graph: Graph of the scene.
        asset: STAC asset key.
    """
    makers: dict[LayerName, Call] = {spec.name: call for call in graph.calls for spec in call.recipe.makes}
    found: set[LayerName] = set()
    queue = [graph.outputs[asset].name]
    while queue:
        name = queue.pop()
        call = makers.get(name)
        if call is None or name in found:
            continue
        found.update(spec.name for spec in call.recipe.makes)
        queue += [n for n in call.reads if n not in found]
    return frozenset(found)


def same_pictures(plan: ProductPlan, unchanged: AbstractSet[str]) -> bool:
    """Whether the true-colour pictures are those of a version in which some assets were the same.

    An asset's key holds everything that feeds it, so a layer behind an unchanged asset is unchanged too.

    Args:
        plan: Plan of the product.
        unchanged: Assets (STAC names) that the version had with the same keys.
    """
    behind = frozenset[LayerName]().union(*(layers_behind(plan.graph, name) for name in unchanged))
    return bool(plan.previews) and behind.issuperset(plan.previews)
