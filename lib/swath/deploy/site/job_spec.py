"""What is asked for: one run of a pipeline, independent of where it runs."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from swath.deploy.site.cron import check_cron
from swath.deploy.site.fields import Cores, Duration, JobName, LabelKey, LabelValue, MemorySize, ModelPin
from swath.deploy.site.memory import Memory
from swath.deploy.site.strict import Strict, checked
from swath.wave_width import MOST


class Resources(Strict):
    """What the run needs. The numbers for ``child`` come from ``swath plan``.

    An executor is one JVM that only plans and moves rows, and per core one Python worker and its one child, in which
    the pixels are. The JVM's heap and what is beside it add up to less than the container's limit: a container over
    its limit is killed whole. ``gpu`` is the number of GPUs of an executor, which its cores share.
    """

    driver_cores: Cores = 1
    driver_heap: MemorySize = Memory(2048)
    driver_offheap: MemorySize = Memory(1024)
    executors: Annotated[int, Field(ge=1, le=10_000)] = 2
    executor_cores: Cores = 2
    executor_heap: MemorySize = Memory(1024)
    executor_offheap: MemorySize = Memory(512)
    gpu: Annotated[int, Field(ge=0, le=16)] = 0
    worker: MemorySize = Memory(512)
    child: MemorySize = Memory(1536)

    @property
    def executor_overhead(self) -> Memory:
        """What an executor uses beside its heap: every core's worker and child, and the JVM's own."""
        return (self.worker + self.child) * self.executor_cores + self.executor_offheap

    @property
    def executor_container(self) -> Memory:
        """The limit of an executor's container."""
        return self.executor_heap + self.executor_overhead

    @property
    def driver_container(self) -> Memory:
        """The limit of the driver's container."""
        return self.driver_heap + self.driver_offheap


class JobSpec(Strict):
    """One run of a pipeline.

    Args:
        job: Name of the job; run ids start with it.
        pipeline: Name of a pipeline that the image holds.
        inputs: ``store://NAME/path`` of the site's stores (portable), plain URIs and paths, or one queue (``sqs+https://...``).
        output: Root of products, tables and reports; the same forms.
        resources: Resources of the run.
        models: Model pins by step: ``name/version``, or ``name/version@sha256:DIGEST``, with which nothing but these files is
            accepted. An alias is not a pin: it may move between two sites.
        settings: ``STEP.PARAM`` to value, as ``--set``.
        limit: Largest number of scenes.
        tile_size: Strip height at the reference resolution, in rows.
        wave_products: Most products that commit together; without it three times the cores of the run.
        level: Processing level of scenes that state none.
        trust_checksums: Take checksums of items at their word.
        max_duration: The run is stopped after it.
        labels: Labels for the engine's own lists and bills.
        schedule: Cron in UTC: of the Spark Operator, or of EventBridge Scheduler for EMR on EKS.
        priority: A priority class of the site.
    """

    job: JobName
    pipeline: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    inputs: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    output: Annotated[str, Field(min_length=1)]
    resources: Resources = Resources()
    models: Mapping[str, ModelPin] = {}
    settings: Mapping[str, str | int | float | bool] = {}
    limit: Annotated[int | None, Field(ge=1)] = None
    tile_size: Annotated[int | None, Field(ge=512)] = None
    wave_products: Annotated[int | None, Field(ge=1, le=MOST)] = None
    level: Literal["L1", "stated"] | None = None
    trust_checksums: bool = False
    max_duration: Duration = "12h"
    labels: Mapping[LabelKey, LabelValue] = {}
    schedule: Annotated[str | None, AfterValidator(checked(check_cron))] = None
    priority: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] = "batch"

    @model_validator(mode="after")
    def _settings_name_a_step(self) -> Self:
        """A setting without a step is a typing error."""
        for key in self.settings:
            if key.count(".") != 1:
                msg = f"settings: {key!r} must be STEP.PARAM"
                raise ValueError(msg)
        return self
