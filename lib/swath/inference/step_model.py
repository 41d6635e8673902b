"""The model of a step: what a pipeline pins and what the step is built with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from swath.inference.manifest import Manifest
from swath.inputs import ModelInput
from swath.product import ModelRef


@dataclass(frozen=True, slots=True, kw_only=True)
class StepModel:
    """A pinned model as a step knows it: a step that uses a model has the parameter ``model: StepModel``.

    Args:
        name: Name of the model in the pipeline.
        version: Version in its registry; a label that may move.
        digest: Digest of its directory, which pins the results.
        manifest: Manifest: inputs and outputs of the model.
    """

    name: str
    version: str
    digest: str
    manifest: Manifest

    @property
    def ref(self) -> ModelRef:
        """The model as a product names it."""
        return ModelRef(name=self.name, version=self.version, digest=self.digest)

    @property
    def asked(self) -> ModelInput:
        """What a recipe asks for to receive its predictor."""
        return ModelInput(name=self.name, digest=self.digest)

    @property
    def parameters(self) -> dict[str, Any]:
        """What of the model belongs to the parameters of a step: name and digest, never the version."""
        return {"model": self.name, "digest": self.digest}

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {"name": self.name, "version": self.version, "digest": self.digest, "manifest": self.manifest.to_plain()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``.

        Raises:
            ConfigError: The manifest is broken.
        """
        return cls(**{**plain, "manifest": Manifest.from_plain(plain["manifest"])})
