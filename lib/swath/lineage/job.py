"""A job as lineage sees it: values, without the client."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from swath.product import ModelRef
from swath.settings import Settings

JobKind = Literal["ingest", "train", "process", "composite"]
#: RFC 4122: names that are URLs.
_NAMESPACE: Final = uuid.NAMESPACE_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageJob:
    """One execution.

    Args:
        kind: What it does.
        name: Name of its pipeline or recipe.
        run_id: Our run id; the same one has the same UUID wherever it is asked for.
        output: Root of the output.
        site: Name of the site.
        engine: Name and version of the engine, by name; ``Spark`` and ``swath``.
    """

    kind: JobKind
    name: str
    run_id: str
    output: str
    site: str = "laptop"
    engine: tuple[str, str] = ("swath", "")

    @property
    def uuid(self) -> str:
        """UUID of the run, derived from the job's kind and our run id."""
        return str(uuid.uuid5(_NAMESPACE, f"swath:{self.kind}:{self.run_id}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersion:
    """Something that was read or made.

    Args:
        namespace: Place: ``file``, ``s3://bucket``.
        name: Path or id there.
        version: Digest, or the run that made the version.
    """

    namespace: str
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What a job read and made.

    Args:
        inputs: Datasets that were read.
        outputs: Datasets that were made.
        models: Models behind the outputs.
        counts: Scenes by their fate, when there are more than ``inputs`` names.
    """

    inputs: tuple[DatasetVersion, ...] = ()
    outputs: tuple[DatasetVersion, ...] = ()
    models: tuple[ModelRef, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def placed(uri: str) -> tuple[str, str]:
    """Namespace and name of a folder, a file or an object, as OpenLineage has them: ``s3://bucket`` and a key, or ``file``."""
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme == "file":
        return "file", rest if separator else uri
    authority, _, path = rest.partition("/")
    return f"{scheme}://{authority}", path or "/"


def commit() -> str:
    """The commit of the code, where the image or the scheduler says; empty otherwise."""
    return Settings.of().commit
