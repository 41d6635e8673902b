"""The shadow of a product: the exact counts of its disagreement map, as a confusion of two models."""

from collections.abc import Iterator, Mapping

from swath.product import AssetRecord, Product
from swath.report.shadow import Shadow
from swath.runs.drift import manifests_of
from swath.runs.request import RunRequest

MAP, DISAGREEMENT = "landcover", "landcover_disagreement"


def shadows_in(product: Product, request: RunRequest) -> tuple[Shadow, ...]:
    """The shadow of a product; none where its pipeline has none, or the item says why there is no disagreement map."""
    records = {a.layer: a for a in product.assets}
    if MAP not in records or DISAGREEMENT not in records:
        return ()
    return tuple(_shadows(records, request))


def _shadows(records: Mapping[str, AssetRecord], request: RunRequest) -> Iterator[Shadow]:
    champion, challenger = records[MAP].model, records[DISAGREEMENT].model
    manifests = manifests_of(request)
    if champion is None or challenger is None or champion.digest not in manifests or challenger.digest not in manifests:
        return
    theirs, ours = (tuple(c.name for c in manifests[m.digest].classes) for m in (champion, challenger))
    counts = records[DISAGREEMENT].statistics.histogram
    size = len(ours)
    yield Shadow(
        champion=champion, challenger=challenger, champion_classes=theirs, challenger_classes=ours,
        confusion=tuple(tuple(counts.get(row * size + column, 0) for column in range(size)) for row in range(len(theirs))),
    )  # fmt: skip
