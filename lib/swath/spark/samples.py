"""Training samples drawn by Spark: one task a scene, the same function as without Spark."""

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.types import FloatType, IntegerType, StringType, StructField, StructType

from swath.pipeline import Step
from swath.training.draw import Drawn, draw_one
from swath.training.polygons import Polygons
from swath.training.samples import FeatureRequest

_REFUSED = "refused"


def sample_schema(request: FeatureRequest) -> StructType:
    """Keys, features, and why a scene was refused (then everything else of its only row is empty)."""
    text = [StructField(name, StringType()) for name in ("scene_id", "polygon_id", "label")]
    places = [StructField(name, IntegerType()) for name in ("row", "col")]
    numbers = [StructField(band, FloatType()) for band in request.bands]
    return StructType([*text, *places, *numbers, StructField(_REFUSED, StringType())])


def draw_samples(
    spark: SparkSession,
    hrefs: Sequence[str],
    *,
    polygons: Polygons,
    request: FeatureRequest,
    steps: tuple[Step, ...] | None = None,
) -> Drawn:
    """Draw samples of any number of scenes.

    Args:
        spark: The session.
        hrefs: The scenes, as ``discover`` yields them; workers read them.
        polygons: Labelled polygons.
        request: The features.
        steps: Steps that make the samples; those for ``request.of`` by default.
    """
    if not hrefs:
        return Drawn.together([], request=request)
    shipped = spark.sparkContext.broadcast((list(hrefs), polygons))

    def work(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        found, areas = shipped.value
        for batch in batches:
            for number in batch["id"].tolist():
                yield _frame(draw_one(found[number], areas, request=request, steps=steps), request)

    rows = spark.range(0, len(hrefs), 1, numPartitions=len(hrefs)).mapInPandas(work, schema=sample_schema(request))
    try:
        # Samples under labelled polygons, not scenes: they fit the driver, where the model is fitted.
        return _drawn(rows.toPandas(), request)
    finally:
        shipped.unpersist(blocking=False)


def _frame(drawn: Drawn, request: FeatureRequest) -> pd.DataFrame:
    # Empty cells are None in object columns: Arrow makes no single array of a text column of NaN.
    if not drawn.refused:
        return drawn.samples.assign(**{_REFUSED: pd.Series(None, index=drawn.samples.index, dtype=object)})
    ((scene_id, reason),) = drawn.refused.items()
    row = {"scene_id": scene_id, _REFUSED: reason}
    return pd.DataFrame({n: pd.Series([row.get(n)], dtype=object) for n in sample_schema(request).fieldNames()})


def _drawn(frame: pd.DataFrame, request: FeatureRequest) -> Drawn:
    refused = frame[frame[_REFUSED].notna()]
    samples = frame[frame[_REFUSED].isna()].drop(columns=_REFUSED).astype({"row": "int32", "col": "int32"})
    told = dict(zip(refused["scene_id"], refused[_REFUSED], strict=True))
    return Drawn.together([Drawn(samples=samples, refused=told)], request=request)
