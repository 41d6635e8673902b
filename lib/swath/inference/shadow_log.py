"""What a challenger said beside the model in use, kept with the challenger: in the run of its version, in MLflow."""

from collections.abc import Mapping
from typing import Any

from swath.errors import ConfigError
from swath.inference.registry import Registry
from swath.inference.tracking import ask


def log_shadow(registry: Registry, *, name: str, version: str, run_id: str, told: Mapping[str, Any]) -> str:
    """Add a run's confusion and agreement to the MLflow run of a version; why it could not be, empty when it was.

    A registry that is away, or a model that comes from a folder or a store, must not fail a run that has made its products.

    Args:
        registry: Where the challenger is.
        name: Name of the challenger.
        version: Version of the challenger.
        run_id: Our run, which names the artifact ``shadow/<run_id>.json``.
        told: What is kept, JSON-able; its number ``agreement`` becomes a metric, too.
    """
    if registry.exported:
        return f"the models of this site come from the store {registry.exported}, which keeps no runs"
    if registry.absent or not version.isdigit():
        return f"{name} {version} is in no registry"
    try:
        client = registry.client()
        found = ask(lambda: client.get_model_version(name, version), uri=registry.uri, asked=f"{name}/{version}")
        theirs = found.run_id
        if not theirs:
            return f"{name} {version} has no run in the registry"

        def log() -> None:
            client.log_dict(theirs, dict(told), f"shadow/{run_id}.json")
            if told.get("agreement") is not None:
                client.log_metric(theirs, "shadow.agreement", float(told["agreement"]))

        ask(log, uri=registry.uri, asked=f"the run of {name}/{version}")
    except ConfigError as error:
        return str(error)
    return ""
