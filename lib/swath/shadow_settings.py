"""``landcover: {model: ..., shadow: ...}`` of a pipeline file: a challenger beside the model in use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swath.errors import ConfigError
from swath.inference.address import AbsentError
from swath.inference.lock import plain_reference
from swath.inference.pinned import ModelSource, PinnedModel
from swath.steps.landcover_shadow import DISAGREEMENT, LandcoverShadow, shadow_name

_STEP, _PARAMETER = "landcover", "shadow"


@dataclass(frozen=True, slots=True)
class Shadows:
    """Challengers of a pipeline.

    Args:
        found: Pinned models by reference.
        notes: Reasons why a challenger is left out.
    """

    found: dict[str, PinnedModel] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def models(self) -> dict[str, dict[str, str]]:
        """Path and digest of each, by its name in the pipeline."""
        return {shadow_name(m.name): {"path": str(m.path), "digest": m.digest} for m in self.found.values()}

    def steps(self, reference: str, *, registry: ModelSource) -> list[dict[str, Any]]:
        """The step of a challenger; none, and a note, where the registry has no such model: products need no challenger.

        Raises:
            ConfigError: Admission refuses the challenger, or the registry does not answer.
        """
        if not reference:
            return []
        try:
            pinned = registry.resolve(reference)
        except AbsentError:
            self.notes.append(f"no shadow of {_STEP}: no model {reference} could be resolved when the run was planned")
            return []
        self.found[plain_reference(reference)] = pinned
        return [{"name": LandcoverShadow.name, "parameters": {"model": pinned.of_step.to_plain()}}]

    def assets(self, named: Iterable[str]) -> list[dict[str, Any]]:
        """The disagreement map, unless the pipeline names it itself."""
        return [{"layers": DISAGREEMENT, "required": False}] if self.found and DISAGREEMENT not in set(named) else []


def without_shadow(name: str, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Parameters of a step as its class takes them, and the reference to a challenger, which is empty without one.

    Raises:
        ConfigError: The step of a challenger is named without the step that it goes with.
    """
    if name == LandcoverShadow.name:
        msg = f"{name} goes with {_STEP}: write `{_STEP}: {{model: ..., {_PARAMETER}: NAME@challenger}}` instead"
        raise ConfigError(msg)
    own = dict(parameters)
    if name != _STEP:
        return own, ""
    challenger = own.pop(_PARAMETER, None)
    return own, str(challenger) if challenger is not None else ""
