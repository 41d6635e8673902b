"""Pipeline files: read, checked, completed from the command line, and turned into the plain form that travels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import ValidationError

from swath.asset_check import check_layers
from swath.coregister_settings import coregister_choice
from swath.engine.pipeline_json import pipeline_of
from swath.errors import ConfigError
from swath.grid_settings import grid_choice, grid_settings
from swath.inference.address import AbsentError
from swath.inference.lock import ModelLock
from swath.inference.pinned import ModelSource, PinnedModel
from swath.inputs import RasterSource
from swath.outside import message
from swath.pipeline_file import Assets, PipelineFile
from swath.problem import problem_text
from swath.report.drift import DriftTerms
from swath.shipped import find_pipeline
from swath.step_settings import StepSettings
from swath.steps.registry import takes_model
from swath.suggestion import did_you_mean

_MAX_BYTES = 1 << 20
#: What the loader raises: a tag makes it call ``int`` or ``datetime`` with whatever is behind the tag.
_NO_YAML = (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, AttributeError, KeyError, RecursionError)


class _NoModels:
    """No model is there."""

    def resolve(self, reference: str) -> PinnedModel:
        raise AbsentError(f"{reference}: models are not looked up when a file is checked")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyPipeline:
    """A pipeline with its models pinned.

    Args:
        plain: Plain values that ``engine.pipeline_json`` builds a pipeline from.
        models: Path and digest of each model, by name.
        lock: Meaning of each reference to a model.
        notes: Notes on how models were found.
    """

    plain: Mapping[str, Any]
    models: Mapping[str, Mapping[str, str]]
    lock: ModelLock = field(default_factory=ModelLock)
    notes: tuple[str, ...] = ()


def load_pipeline(name: str) -> PipelineFile:
    """Read and check a pipeline file.

    Raises:
        ConfigError: The file is missing or wrong; the message names the key and the nearest known one.
    """
    path = find_pipeline(name)
    if path.stat().st_size > _MAX_BYTES:
        msg = f"{path}: {path.stat().st_size} bytes are too many for a pipeline file"
        raise ConfigError(msg)
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except _NO_YAML as error:
        msg = f"{path}: not YAML: {message(str(error))}"
        raise ConfigError(msg) from error
    if not isinstance(loaded, dict):
        msg = f"{path}: expected keys name, steps, assets; got {type(loaded).__name__}"
        raise ConfigError(msg)
    try:
        return PipelineFile.model_validate(loaded)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(p) for p in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = list(Assets.model_fields if len(problem["loc"]) > 1 else PipelineFile.model_fields)
        return f"unknown key {where!r}{did_you_mean(str(problem['loc'][-1]), known)} (known: {', '.join(known)})"
    return f"{where}: {problem_text(problem)}"


def with_settings(pipeline: PipelineFile, settings: Sequence[str]) -> PipelineFile:
    """Apply ``--set step.parameter=value``, or of a section (``checks.name=value``, ``grid.``, ``coregister.``); values are YAML.

    Raises:
        ConfigError: Not of that form, or the pipeline has no such step.
    """
    steps = [{n: dict(p) for n, p in s.items()} for s in pipeline.steps]
    names = [n for s in steps for n in s]
    sections = {
        "checks": dict(pipeline.checks),
        "drift": dict(pipeline.drift),
        "grid": grid_settings(pipeline.grid),
        "coregister": dict(pipeline.coregister or {}),
    }
    for setting in settings:
        target, equals, text = setting.partition("=")
        step, dot, parameter = target.partition(".")
        if not equals or not dot:
            msg = f"--set {setting}: expected STEP.PARAMETER=VALUE, for example smac.aot550=0.14"
            raise ConfigError(msg)
        if step in sections:
            sections[step][parameter] = _value(text, setting=setting)
            continue
        if step not in names:
            hint = did_you_mean(step, names)
            msg = f"--set {setting}: pipeline {pipeline.name} has no step {step!r}{hint} (steps: {', '.join(names)})"
            raise ConfigError(msg)
        for entry in steps:
            if step in entry:
                entry[step][parameter] = _value(text, setting=setting)
    update = {"steps": steps, **sections, "grid": sections["grid"] or None, "coregister": sections["coregister"] or None}
    return pipeline.model_copy(update=update)


def _value(text: str, *, setting: str) -> object:
    try:
        return yaml.safe_load(text)
    except _NO_YAML as error:
        raise ConfigError(f"--set {setting}: {text!r} is not a YAML value: {message(str(error))}") from error


def prepare(
    pipeline: PipelineFile, *, registry: ModelSource, rasters: Mapping[str, RasterSource] = MappingProxyType({})
) -> ReadyPipeline:
    """Pin models and check every step by building it.

    Args:
        pipeline: The pipeline file.
        registry: Registry where models are looked up.
        rasters: Rasters of the site, by name.

    Raises:
        ConfigError: An unknown step or parameter, or a model that is not there.
    """
    ready = StepSettings(registry=registry)
    for entry in pipeline.steps:
        if len(entry) != 1:
            msg = f"pipeline {pipeline.name}: a step is one name with its parameters, got {sorted(entry)}"
            raise ConfigError(msg)
        ((name, parameters),) = entry.items()
        ready.add(name, parameters)
    plain = {
        "name": pipeline.name,
        "title": pipeline.title or pipeline.name,
        "version": pipeline.version,
        "steps": ready.steps,
        "assets": [
            *({"layers": layers, "required": True} for layers in pipeline.assets.required),
            *({"layers": layers, "promised": True} for layers in pipeline.assets.promised),
            *({"layers": layers, "required": False} for layers in pipeline.assets.optional),
            *ready.shadows.assets(pipeline.assets.optional),
        ],
        "absent": ready.absent,
        **_unusual(pipeline, rasters=rasters),
    }
    check_layers(pipeline_of(plain), absent=ready.absent)
    DriftTerms.of(pipeline.drift)
    return ReadyPipeline(plain=plain, models=ready.models, lock=ready.lock, notes=ready.notes)


def _unusual(pipeline: PipelineFile, *, rasters: Mapping[str, RasterSource]) -> dict[str, Any]:
    """Choices of a pipeline that differ from the usual; the usual is left out, so earlier plans and keys stay as they are."""
    grid, coregister = grid_choice(pipeline.grid), coregister_choice(pipeline.coregister)
    chosen = {
        "grid": None if grid is None else grid.to_plain(),
        "coregister": None if coregister is None else coregister.to_plain(),
        "writer": pipeline.writer if pipeline.writer != "swath" else None,
        "checks": dict(pipeline.checks),
        "drift": dict(pipeline.drift),
        "rasters": {name: source.to_plain() for name, source in sorted(rasters.items())},
    }
    return {name: value for name, value in chosen.items() if value}


def check(pipeline: PipelineFile) -> None:
    """Check everything that ``prepare`` does, but that models are there.

    Raises:
        ConfigError: An unknown step or parameter, an asset that no step makes, or a grid that cannot be.
    """
    steps = [
        {name: {**given, "optional": True} if takes_model(name) and "model" in given else given for name, given in entry.items()}
        for entry in pipeline.steps
    ]
    prepare(pipeline.model_copy(update={"steps": steps}), registry=_NoModels())
