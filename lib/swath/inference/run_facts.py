"""What the run behind a version keeps of it: MLflow never changes a parameter, as it does a version's tags."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from swath.errors import ConfigError
from swath.inference.tracking import ask

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

#: Digest that a version was registered with.
DIGEST_PARAMETER = "swath.digest"
#: What MLflow calls the commit of the code that a run executed.
COMMIT_TAG = "mlflow.source.git.commit"

#: Tags of a version that go along to other sites.
_KEPT = ("source.", "promotion.")


def check_digest(client: "MlflowClient", found: "ModelVersion", digest: str, *, uri: str) -> None:
    """Compare with what registering wrote down twice: in a tag of the version, and in its run.

    Raises:
        ConfigError: The files have another digest, or the tag and the run contradict each other or say nothing.
    """
    run = _run_of(client, found, uri=uri)
    kept = str(run.data.params.get(DIGEST_PARAMETER, "")) if run is not None else ""
    compare_digests(digest, kept=kept, tag=found.tags.get("digest", ""), called=f"{found.name}/{found.version}")


def compare_digests(digest: str, *, kept: str, tag: str, called: str) -> None:
    """Compare the digest of files with what registering wrote down.

    Args:
        digest: Digest of the files.
        kept: Parameter of the run; empty without one.
        tag: Tag of the version; empty without one.
        called: Name and version, for messages.

    Raises:
        ConfigError: See ``check_digest``.
    """
    if kept and tag != kept:
        says = f"says {tag}" if tag else "is gone"
        msg = f"{called}: registered with digest {kept}, its tag `digest` {says}: it was tampered with; register it again"
        raise ConfigError(msg)
    promised = kept or tag
    if not promised:
        msg = f"{called}: neither its tag `digest` nor its run records a digest: its files may have changed; register it again"
        raise ConfigError(msg)
    if promised != digest:
        msg = f"{called}: registered with digest {promised}, its files now have {digest}; register it again"
        raise ConfigError(msg)


def origin_of(client: "MlflowClient", found: "ModelVersion", *, uri: str) -> Mapping[str, str]:
    """Where a version comes from: its run, the commit of its code, its promotions, and the registry that it was imported from."""
    run = _run_of(client, found, uri=uri)
    commit = run.data.tags.get(COMMIT_TAG, "") if run is not None else ""
    told = {"run_id": found.run_id or "", "git_commit": commit}
    return {k: v for k, v in told.items() if v} | {k: str(v) for k, v in found.tags.items() if k.startswith(_KEPT)}


def _run_of(client: "MlflowClient", found: "ModelVersion", *, uri: str) -> "Run | None":
    run_id = found.run_id
    if not run_id:
        return None
    return ask(lambda: client.get_run(run_id), uri=uri, asked=f"the run of {found.name}/{found.version}")
