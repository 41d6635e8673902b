"""Pipelines as plain JSON: what travels to workers and is kept with a plan."""

from collections.abc import Mapping
from typing import Any

from swath.inference.manifest import Manifest
from swath.pipeline import AssetRule, Pipeline
from swath.steps.registry import step


def pipeline_of(plain: Mapping[str, Any]) -> Pipeline:
    """Build the pipeline that a plain description names.

    Args:
        plain: ``name``, ``title``, ``version``, ``steps`` (list of ``name``, ``parameters``), ``assets`` (list of
            ``layers``, ``required``). A model's manifest travels as its JSON text.

    Raises:
        ConfigError: An unknown step or parameter, with the nearest known one.
    """
    return Pipeline(
        name=plain["name"],
        title=plain.get("title", plain["name"]),
        version=plain.get("version", 1),
        steps=tuple(step(s["name"], _parameters(s.get("parameters", {}))) for s in plain["steps"]),
        writer=plain.get("writer", "swath"),
        assets=tuple(AssetRule(layers=a["layers"], required=a.get("required", False)) for a in plain["assets"]),
    )


def _parameters(plain: Mapping[str, Any]) -> Mapping[str, Any]:
    manifest = plain.get("manifest")
    return {**plain, "manifest": Manifest.from_json(manifest)} if isinstance(manifest, str) else plain
