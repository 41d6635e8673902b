"""A training as lineage sees it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from swath.inference.address import public
from swath.inference.registry import Registry
from swath.lineage.emit import Lineage, lineage_of
from swath.lineage.job import DatasetVersion, LineageJob, Touched, placed
from swath.product import ModelRef
from swath.training.recipe import TrainingRecipe
from swath.training.train import Trained


@contextmanager
def training_lineage(recipe: TrainingRecipe, *, output: Path, say: Callable[[str], None]) -> Iterator[Lineage]:
    """The events of a training, beside the reports of an output.

    Args:
        recipe: What is trained.
        output: Folder of the output.
        say: Hears what went wrong with events.
    """
    run_id = f"train-{recipe.name}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    with lineage_of(LineageJob(kind="train", name=recipe.name, run_id=run_id, output=str(output.absolute())), say=say) as lineage:
        lineage.begin()
        yield lineage


def touched_by_training(trained: Trained, *, polygons: str, registry: Registry) -> Touched:
    """The polygons and the scenes that gave samples, by the digest of the samples; the registered version, by its own."""
    model, samples = trained.model, str(trained.provenance["samples_sha256"])
    namespace, name = placed(polygons)
    scenes = [DatasetVersion(namespace="scenes", name=str(s), version=samples) for s in trained.provenance["scenes"]]
    return Touched(
        inputs=(DatasetVersion(namespace=namespace, name=name, version=samples), *scenes),
        outputs=(DatasetVersion(namespace=public(registry.uri), name=f"{model.name}/{model.version}", version=model.digest),),
        models=(ModelRef(name=model.name, version=model.version, digest=model.digest),),
        counts={"in": len(scenes) + len(trained.refused), "made": len(scenes), "quarantined": len(trained.refused)},
    )
