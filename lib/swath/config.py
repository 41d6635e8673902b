"""Pipeline files: read, checked, completed from the command line, and turned into the plain form that travels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import yaml
from pydantic import ValidationError

from swath.asset_check import check_layers
from swath.coregister_settings import coregister_choice
from swath.engine.pipeline_json import pipeline_of
from swath.errors import ConfigError
from swath.grid_settings import grid_choice, grid_settings
from swath.inference.address import AbsentError
from swath.inference.lock import LockedModel, ModelLock, plain_reference
from swath.inference.pinned import PinnedModel
from swath.inputs import RasterSource
from swath.outside import message
from swath.pipeline_file import Assets, PipelineFile
from swath.problem import problem_text
from swath.report.drift import DriftTerms
from swath.shadow_settings import Shadows, without_shadow
from swath.shipped import find_pipeline
from swath.steps.registry import kinds_of, parameter_names, takes_model, works_without_model
from swath.suggestion import did_you_mean

_MAX_BYTES = 1 << 20
#: What the loader raises: a tag makes it call ``int`` or ``datetime`` with whatever is behind the tag.
_NO_YAML = (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, AttributeError, KeyError, RecursionError)


class ModelSource(Protocol):
    """Where models are looked up: a registry, or nowhere when a file is only checked."""

    def resolve(self, reference: str) -> PinnedModel:
        """The version that ``reference`` means."""
        ...


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
    steps: list[dict[str, Any]] = []
    found: dict[str, PinnedModel] = {}
    absent: dict[str, str] = {}
    shadows = Shadows()
    for entry in pipeline.steps:
        if len(entry) != 1:
            msg = f"pipeline {pipeline.name}: a step is one name with its parameters, got {sorted(entry)}"
            raise ConfigError(msg)
        ((name, parameters),) = entry.items()
        parameters, challenger = without_shadow(name, parameters)
        if takes_model(name) and not (works_without_model(name) and parameters.get("model") is None):
            _check_model_parameters(name, parameters)
            try:
                parameters = _pinned(parameters, registry=registry, found=found)
            except AbsentError:
                # A registry that does not answer, or a model that admission refuses, is no model that is not there.
                if not parameters.get("optional"):
                    raise
                # The registry's own words name places of this machine: the item says what, not where.
                reason = f"no model {parameters.get('model')} could be resolved when the run was planned"
                if works_without_model(name):
                    own = {k: v for k, v in parameters.items() if k not in ("model", "optional")}
                    steps.append({"name": name, "parameters": own})
                    continue
                absent |= dict.fromkeys(kinds_of(name), reason)
                continue
        steps.append({"name": name, "parameters": dict(parameters)})
        steps += shadows.steps(challenger, registry=registry)
    plain = {
        "name": pipeline.name,
        "title": pipeline.title or pipeline.name,
        "version": pipeline.version,
        "steps": steps,
        "assets": [
            *({"layers": layers, "required": True} for layers in pipeline.assets.required),
            *({"layers": layers, "promised": True} for layers in pipeline.assets.promised),
            *({"layers": layers, "required": False} for layers in pipeline.assets.optional),
            *shadows.assets(pipeline.assets.optional),
        ],
        "absent": absent,
        **_unusual(pipeline, rasters=rasters),
    }
    check_layers(pipeline_of(plain), absent=absent)
    DriftTerms.of(pipeline.drift)
    return ReadyPipeline(
        plain=plain,
        models={m.name: {"path": str(m.path), "digest": m.digest} for m in found.values()} | shadows.models,
        lock=ModelLock(models={reference: LockedModel.of(m) for reference, m in {**found, **shadows.found}.items()}),
        notes=(*(f"model {m.name} {m.version}: {note}" for m in found.values() for note in m.notes), *shadows.notes),
    )


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


def _check_model_parameters(name: str, parameters: Mapping[str, Any]) -> None:
    """An optional model may be absent; a misspelt parameter may not pass for that."""
    own = [p for p in parameter_names(name) if p != "model"]
    unknown = set(parameters) - {"model", "optional", *own}
    if unknown or "model" not in parameters:
        known = ", ".join(["model (a registered model or a folder)", *own])
        msg = f"step {name} takes {known} and optional; got {sorted(parameters)}"
        raise ConfigError(msg)


def _pinned(parameters: Mapping[str, Any], *, registry: ModelSource, found: dict[str, PinnedModel]) -> dict[str, Any]:
    """Parameters of a step with its model resolved once, for good."""
    reference = str(parameters["model"])
    pinned = found[plain_reference(reference)] = registry.resolve(reference)
    if any(m.name == pinned.name and m.digest != pinned.digest for m in found.values()):
        msg = f"two models of the pipeline are named {pinned.name}; register one of them under another name"
        raise ConfigError(msg)
    return {
        **{k: v for k, v in parameters.items() if k != "optional"},
        "model": pinned.of_step.to_plain(),
    }
