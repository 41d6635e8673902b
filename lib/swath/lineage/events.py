"""OpenLineage events, built with the client's own classes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import attr
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    dataset_version_dataset,
    error_message_run,
    job_type_job,
    parent_run,
    processing_engine_run,
    source_code_location_job,
)

from swath import __version__
from swath.lineage.job import DatasetVersion, LineageJob, Touched, commit

State = Literal["START", "COMPLETE", "FAIL", "ABORT"]
#: Identifies what wrote an event.
PRODUCER = f"urn:swath:{__version__}"
#: Our own facets; their schemas are in ``lineage/schemas``.
MODEL_SCHEMA, ACCOUNT_SCHEMA = (f"urn:swath:schema:{n}:1-0-0" for n in ("SwathModelRunFacet", "SwathAccountRunFacet"))


@attr.define
class ModelEntry:
    """A model behind the outputs."""

    name: str
    version: str
    digest: str


@attr.define
class SwathModelRunFacet(RunFacet):  # type: ignore[misc]  # the client is not annotated for mypy's strict mode
    """Models behind the outputs of a run, by digest."""

    models: list[ModelEntry] = attr.field(factory=list)

    @staticmethod
    def _get_schema() -> str:
        return MODEL_SCHEMA


@attr.define
class SwathAccountRunFacet(RunFacet):  # type: ignore[misc]  # as above
    """Scenes by their fate; the inputs of an event name the first of them alone."""

    runId: str = ""  # noqa: N815  OpenLineage's spelling
    site: str = ""
    scenes: dict[str, int] = attr.field(factory=dict)

    @staticmethod
    def _get_schema() -> str:
        return ACCOUNT_SCHEMA


def event_of(job: LineageJob, state: State, *, touched: Touched, error: str = "", parent: str = "") -> RunEvent:
    """The event of one state of a run.

    Args:
        job: The job.
        state: State that it is in now.
        touched: Datasets and models.
        error: Message of the error that ended it.
        parent: ``namespace/name/uuid`` of the run that started it, as schedulers hand it on; empty without one.
    """
    return RunEvent(
        eventType=RunState[state],
        eventTime=datetime.now(UTC).isoformat(),
        run=Run(runId=job.uuid, facets=dict(_run_facets(job, touched=touched, error=error, parent=parent))),
        job=Job(namespace=f"swath.{job.site}", name=f"{job.kind}.{job.name}", facets=_job_facets(job)),
        inputs=[InputDataset(namespace=d.namespace, name=d.name, facets=_version(d)) for d in touched.inputs],
        outputs=[OutputDataset(namespace=d.namespace, name=d.name, facets=_version(d)) for d in touched.outputs],
        producer=PRODUCER,
    )


def _run_facets(job: LineageJob, *, touched: Touched, error: str, parent: str) -> Iterator[tuple[str, Any]]:
    name, version = job.engine
    yield (
        "processing_engine",
        processing_engine_run.ProcessingEngineRunFacet(
            version=version or __version__, name=name, openlineageAdapterVersion=__version__, producer=PRODUCER
        ),
    )
    account: Any = SwathAccountRunFacet
    yield "swath_account", account(runId=job.run_id, site=job.site, scenes=dict(touched.counts), producer=PRODUCER)
    if touched.models:
        models = [ModelEntry(name=m.name, version=m.version, digest=m.digest) for m in touched.models]
        facet: Any = SwathModelRunFacet
        yield "swath_model", facet(models=models, producer=PRODUCER)
    if error:
        yield (
            "errorMessage",
            error_message_run.ErrorMessageRunFacet(message=error, programmingLanguage="Python", producer=PRODUCER),
        )
    rest, _, run_id = parent.rpartition("/")
    namespace, _, of = rest.partition("/")
    if namespace and of and run_id:
        yield (
            "parent",
            parent_run.ParentRunFacet(
                run=parent_run.Run(runId=run_id), job=parent_run.Job(namespace=namespace, name=of), producer=PRODUCER
            ),
        )


def _job_facets(job: LineageJob) -> dict[str, JobFacet]:
    code = source_code_location_job.SourceCodeLocationJobFacet(
        type="git", url=f"{PRODUCER}:{commit() or 'unknown-commit'}", path=job.name, version=commit() or None, producer=PRODUCER
    )
    kind = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="SWATH", jobType=job.kind.upper(), producer=PRODUCER)
    return {"sourceCodeLocation": code, "jobType": kind}


def _version(dataset: DatasetVersion) -> dict[str, Any]:
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=dataset.version, producer=PRODUCER)}
