"""The steps of a pipeline file as they travel: parameters checked, models pinned, what has no model left out with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swath.errors import ConfigError
from swath.inference.address import AbsentError
from swath.inference.lock import LockedModel, ModelLock, plain_reference
from swath.inference.pinned import ModelSource, PinnedModel
from swath.shadow_settings import Shadows, without_shadow
from swath.steps.registry import kinds_of, parameter_names, takes_model, works_without_model


@dataclass(slots=True, kw_only=True)
class StepSettings:
    """Steps that are added one after the other.

    Args:
        registry: Registry where models are looked up.
        steps: Names and parameters, in order.
        found: Pinned models, by reference.
        absent: Reasons why layers of a kind are not made, by kind.
        shadows: Challengers.
    """

    registry: ModelSource
    steps: list[dict[str, Any]] = field(default_factory=list)
    found: dict[str, PinnedModel] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    shadows: Shadows = field(default_factory=Shadows)

    @property
    def models(self) -> dict[str, dict[str, str]]:
        """Path and digest of each model, by its name in the pipeline."""
        return {m.name: {"path": str(m.path), "digest": m.digest} for m in self.found.values()} | self.shadows.models

    @property
    def lock(self) -> ModelLock:
        """Meaning of each reference to a model."""
        return ModelLock(models={reference: LockedModel.of(m) for reference, m in {**self.found, **self.shadows.found}.items()})

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on how models were found."""
        return (*(f"model {m.name} {m.version}: {note}" for m in self.found.values() for note in m.notes), *self.shadows.notes)

    def add(self, name: str, given: Mapping[str, Any]) -> None:
        """Add a step.

        Args:
            name: Name of the step.
            given: Parameters, as the file says.

        Raises:
            ConfigError: A parameter is unknown, or a model that must be there is not.
        """
        parameters, challenger = without_shadow(name, given)
        if takes_model(name) and not (works_without_model(name) and parameters.get("model") is None):
            _check_model_parameters(name, parameters)
            try:
                parameters = self._pinned(parameters)
            except AbsentError:
                # A registry that does not answer, or a model that admission refuses, is no model that is not there.
                if not parameters.get("optional"):
                    raise
                self._add_without_model(name, parameters)
                return
        self.steps.append({"name": name, "parameters": dict(parameters)})
        self.steps += self.shadows.steps(challenger, registry=self.registry)

    def _add_without_model(self, name: str, parameters: Mapping[str, Any]) -> None:
        if works_without_model(name):
            self.steps.append(
                {"name": name, "parameters": {k: v for k, v in parameters.items() if k not in ("model", "optional")}}
            )
            return
        # The registry's own words name places of this machine: the item says what, not where.
        reason = f"no model {parameters.get('model')} could be resolved when the run was planned"
        self.absent |= dict.fromkeys(kinds_of(name), reason)

    def _pinned(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters of a step with its model resolved once, for good."""
        reference = str(parameters["model"])
        pinned = self.found[plain_reference(reference)] = self.registry.resolve(reference)
        if any(m.name == pinned.name and m.digest != pinned.digest for m in self.found.values()):
            msg = f"two models of the pipeline are named {pinned.name}; register one of them under another name"
            raise ConfigError(msg)
        return {**{k: v for k, v in parameters.items() if k != "optional"}, "model": pinned.of_step.to_plain()}


def _check_model_parameters(name: str, parameters: Mapping[str, Any]) -> None:
    """An optional model may be absent; a misspelt parameter may not pass for that."""
    own = [p for p in parameter_names(name) if p != "model"]
    unknown = set(parameters) - {"model", "optional", *own}
    if unknown or "model" not in parameters:
        known = ", ".join(["model (a registered model or a folder)", *own])
        msg = f"step {name} takes {known} and optional; got {sorted(parameters)}"
        raise ConfigError(msg)
