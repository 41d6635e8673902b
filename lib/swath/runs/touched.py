"""What a run read and made, for lineage: of many products the first, which its result names; the account counts all."""

from swath.lineage.job import DatasetVersion, Touched, placed
from swath.report.summary import FIRST_PRODUCTS, RunSummary


def touched_by(summary: RunSummary) -> Touched:
    """Scenes of the first products by their digests, collections as this run left them, models, and the account."""
    namespace, root = placed(summary.output)
    shown = summary.products[:FIRST_PRODUCTS]
    scenes = {p.scene_id: p.scene_digest for p in shown}
    collections = sorted({p.collection for p in shown})
    counts = {"in": summary.scenes.taken_in, "made": summary.scenes.made, "skipped": summary.scenes.skipped}
    return Touched(
        inputs=tuple(DatasetVersion(namespace="scenes", name=name, version=digest) for name, digest in sorted(scenes.items())),
        outputs=tuple(
            DatasetVersion(namespace=namespace, name=f"{root.rstrip('/')}/collections/{name}", version=summary.run_id)
            for name in collections
        ),
        models=summary.models,
        counts={**counts, "quarantined": summary.scenes.quarantined},
    )
