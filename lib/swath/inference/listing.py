"""What a registry holds, and what it says when asked for something else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from swath.suggestion import did_you_mean

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

#: Models of one answer.
PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """One version of a model as the registry lists it.

    Args:
        name: Registered name.
        version: Version here.
        digest: Digest of its folder.
        aliases: Aliases of the version.
        kind: ``forest`` or ``onnx``.
        licence: Licence that the manifest states.
        metrics: Metrics that the manifest states.
        source: Registry that it was imported from; empty for models that were made here.
        source_name: Name there.
        source_version: Version there.
    """

    name: str
    version: str
    digest: str
    aliases: tuple[str, ...]
    kind: str = ""
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    source_name: str = ""
    source_version: str = ""


class Listable(Protocol):
    """What a list needs of a version."""

    @property
    def name(self) -> str:
        """Registered name."""
        ...

    @property
    def version(self) -> str | int:
        """Version."""
        ...

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags of the version."""
        ...

    @property
    def aliases(self) -> Sequence[str]:
        """Aliases of the version."""
        ...


def listed(version: Listable) -> RegisteredModel:
    """A version of MLflow, as we list it."""
    tags: Mapping[str, Any] = version.tags
    return RegisteredModel(
        name=version.name,
        version=str(version.version),
        digest=str(tags.get("digest", "")),
        aliases=tuple(sorted(version.aliases)),
        kind=str(tags.get("kind", "")),
        licence=str(tags.get("licence", "")),
        metrics={k.removeprefix("metric."): float(v) for k, v in tags.items() if k.startswith("metric.")},
        source=str(tags.get("source.registry", "")),
        source_name=str(tags.get("source.name", "")),
        source_version=str(tags.get("source.version", "")),
    )


def versions_of(client: "MlflowClient", name: str) -> "list[ModelVersion]":
    """All versions of a model, newest first."""
    quoted = name.replace("'", "")
    found = client.search_model_versions(f"name = '{quoted}'")
    return sorted(found, key=lambda v: -int(v.version))


def held_instead(client: "MlflowClient", name: str, *, alias: str = "") -> str:
    """What the registry holds instead of what was asked for: near names first; empty if it does not say."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 (costs two seconds: only where it is used)

    try:
        models = {m.name: m for m in client.search_registered_models(max_results=PAGE)}
        if name not in models:
            return f"{did_you_mean(name, models)}; it holds {', '.join(sorted(models)) or 'no model'}"
        known = models[name].aliases
        aliases = ", ".join(f"{a} (version {v})" for a, v in sorted(known.items()))
        versions = ", ".join(str(v.version) for v in versions_of(client, name))
    except MlflowException:
        return ""
    return f"{did_you_mean(alias, known)}; {name} has the aliases: {aliases or 'none'}; the versions: {versions or 'none'}"
