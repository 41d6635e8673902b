"""Pipelines as plain JSON: what travels to workers and is kept with a plan."""

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from swath.coregister import Coregister
from swath.errors import ConfigError
from swath.grid_choice import GridChoice
from swath.inference.manifest import Manifest
from swath.inference.step_model import StepModel
from swath.inputs import RasterSource
from swath.pipeline import AssetRule, Checks, Pipeline
from swath.steps.registry import step, takes_model
from swath.suggestion import did_you_mean


def pipeline_of(plain: Mapping[str, Any]) -> Pipeline:
    """Build the pipeline that a plain description names.

    Args:
        plain: ``name``, ``title``, ``version``, ``steps`` (list of ``name``, ``parameters``), ``assets`` (list of
            ``layers``, ``required``, ``promised``), ``grid``, ``coregister``, ``checks``, ``rasters``.

    Raises:
        ConfigError: An unknown step or parameter, with the nearest known one.
    """
    return Pipeline(
        name=plain["name"],
        title=plain.get("title", plain["name"]),
        version=plain.get("version", 1),
        steps=tuple(step(s["name"], _parameters(s["name"], s.get("parameters", {}))) for s in plain["steps"]),
        grid=GridChoice.from_plain(plain["grid"]) if plain.get("grid") else None,
        coregister=Coregister.from_plain(plain["coregister"]) if plain.get("coregister") else None,
        writer=plain.get("writer", "swath"),
        checks=checks_of(plain.get("checks", {})),
        assets=tuple(_rule(a) for a in plain["assets"]),
        rasters={name: RasterSource.from_plain(told) for name, told in plain.get("rasters", {}).items()},
    )


@lru_cache(maxsize=4)
def pipeline_of_json(text: str) -> Pipeline:
    """The pipeline as it travels; kept, because a process meets the same for scene after scene.

    Raises:
        ConfigError: See ``pipeline_of``.
    """
    return pipeline_of(json.loads(text))


def _rule(plain: Mapping[str, Any]) -> AssetRule:
    return AssetRule(layers=plain["layers"], required=plain.get("required", False), promised=plain.get("promised", False))


def checks_of(plain: Mapping[str, Any]) -> Checks:
    """The checks that a plain description names.

    Raises:
        ConfigError: An unknown one, with the nearest known one, or a value that it cannot be.
    """
    known = [f.name for f in fields(Checks)]
    for name in plain:
        if name not in known:
            msg = f"unknown check {name!r}{did_you_mean(str(name), known)} (known: {', '.join(known)})"
            raise ConfigError(msg)
    return Checks(**plain)


def checks_of_json(text: str) -> Checks:
    """The checks of a pipeline as it travels."""
    return checks_of(json.loads(text).get("checks", {}))


def _parameters(name: str, plain: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters of a step as its class takes them: of one with a model, the model itself."""
    if not takes_model(name):
        return plain
    if "manifest" in plain:
        # Plans that earlier versions stored have the parts of a model beside each other, its manifest as text.
        told = {"name": plain["model"], "version": plain["model_version"], "digest": plain["digest"]}
        others = {k: v for k, v in plain.items() if k not in ("model", "model_version", "digest", "manifest")}
        return {**others, "model": StepModel(**told, manifest=Manifest.from_json(plain["manifest"]))}
    return {**plain, "model": StepModel.from_plain(plain["model"])} if plain.get("model") is not None else plain
