"""The keys of a pipeline file, as they are written."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator, model_validator

from swath.names import plain_name
from swath.pipeline import Writer
from swath.retention import KeepRules


class Assets(BaseModel):
    """What a pipeline writes: layers (``sr:red``) or kinds of layers (``sr``)."""

    model_config = ConfigDict(extra="forbid")
    required: list[str] = []
    optional: list[str] = []
    promised: list[str] = []


class PipelineFile(BaseModel):
    """A file in conf/pipelines, or a user's own."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, AfterValidator(plain_name)]
    title: str = ""
    version: int = 1
    steps: list[dict[str, dict[str, Any]]]
    assets: Assets
    grid: str | int | dict[str, Any] | None = None
    coregister: dict[str, Any] | None = None
    writer: Writer = "swath"
    checks: dict[str, Any] = {}
    drift: dict[str, Any] = {}
    retention: dict[str, str] = {}

    @model_validator(mode="after")
    def _retention(self) -> Self:
        """Rules are for collections of this pipeline: no other keeps less because of it."""
        for name in self.retention:
            if not name.startswith(f"{self.name}-"):
                msg = (
                    f"retention of {name}: a pipeline says how long its own collections are kept, such as {self.name}-landsat-oli"
                )
                raise ValueError(msg)
        KeepRules.parse(self.retention)
        return self

    @field_validator("steps", mode="before")
    @classmethod
    def _steps(cls, value: object) -> object:
        """A step without parameters may be its bare name; a null parameter list is an empty one."""
        if not isinstance(value, list):
            return value
        return [
            {s: {}} if isinstance(s, str) else {k: v or {} for k, v in s.items()} if isinstance(s, dict) else s for s in value
        ]
