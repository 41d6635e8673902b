"""Pipeline files of composites: read, completed from the command line, checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from swath.algo.clear import FLAGS, USUAL
from swath.errors import ConfigError
from swath.names import plain_name
from swath.outside import message
from swath.problem import problem_text
from swath.stack.recipe import REDUCERS, TILES_FILE, TILINGS, WEIGHTS, CompositeRecipe, GridRule, Reducer
from swath.suggestion import did_you_mean

_NO_YAML = (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, AttributeError, KeyError, RecursionError)
_MAX_BYTES: Final = 1 << 20
_SECTIONS: Final = ("composite", "grid", "stack")
_DAYS: Final = 366
_PERCENTS: Final = (10.0, 25.0, 50.0, 75.0, 90.0)


class _Composite(BaseModel):
    """How dates become one value."""

    model_config = ConfigDict(extra="forbid")
    reducer: Reducer
    bands: list[str] = Field(min_length=1)
    percentiles: list[float] = list(_PERCENTS)
    mask: list[str] | Literal["none"] = list(USUAL)
    buffer_m: float = Field(default=0.0, ge=0.0, le=10_000.0)
    weights: dict[str, float] = {}
    day_of_year: int | None = Field(default=None, ge=1, le=_DAYS)
    deviations: bool = True

    @field_validator("mask")
    @classmethod
    def _mask(cls, value: list[str] | str) -> list[str] | str:
        _known(value if isinstance(value, list) else [], among=FLAGS, what="flag of masks")
        return value

    @field_validator("weights")
    @classmethod
    def _weights(cls, value: dict[str, float]) -> dict[str, float]:
        _known(value, among=WEIGHTS, what="weight")
        return value

    @field_validator("percentiles")
    @classmethod
    def _percentiles(cls, value: list[float]) -> list[float]:
        if not value or any(not 0.0 <= p <= 100.0 for p in value) or len(set(value)) < len(value):
            msg = f"expected different percentiles of 0 to 100, got {value}"
            raise ValueError(msg)
        return value

    @field_validator("bands")
    @classmethod
    def _bands(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            msg = f"a band is named twice: {value}"
            raise ValueError(msg)
        return value


class _Grid(BaseModel):
    """What tiles are cut on."""

    model_config = ConfigDict(extra="forbid")
    crs: str = ""
    resolution: float | None = Field(default=None, gt=0.0)
    origin: tuple[float, float] | None = None
    tile_px: int = Field(default=4096, ge=512)
    tiling: str | dict[str, str] = ""

    @field_validator("tiling")
    @classmethod
    def _tiling(cls, value: str | dict[str, str]) -> str:
        if isinstance(value, dict):
            if set(value) != {"file"}:
                msg = f"expected a name or file: PATH, got {value}"
                raise ValueError(msg)
            return f"{TILES_FILE}{Path(value['file']).absolute()}"
        _known([value] if value else [], among=TILINGS, what="tiling")
        return value


class _Stack(BaseModel):
    """What a stack may take."""

    model_config = ConfigDict(extra="forbid")
    memory_mb: int = Field(default=512, ge=16)


class CompositeFile(BaseModel):
    """A file in conf/composites, or a user's own."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, AfterValidator(plain_name)]
    title: str = ""
    version: int = 1
    composite: _Composite
    grid: _Grid = _Grid()
    stack: _Stack = _Stack()

    def recipe(self) -> CompositeRecipe:
        """What it asks for."""
        own = self.composite
        return CompositeRecipe(
            name=self.name,
            title=self.title or self.name,
            version=self.version,
            reducer=own.reducer,
            bands=tuple(own.bands),
            percents=tuple(own.percentiles) if own.reducer == "percentiles" else (),
            flags=None if isinstance(own.mask, str) else tuple(f for f in FLAGS if f in own.mask),
            buffer_m=own.buffer_m,
            weights={**WEIGHTS, **own.weights} if own.reducer == "best_pixel" else {},
            day_of_year=own.day_of_year,
            deviations=own.deviations,
            grid=GridRule(**self.grid.model_dump()),
            memory_mb=self.stack.memory_mb,
        )


_KEYS: Final[Mapping[str, type[BaseModel]]] = {"composite": _Composite, "grid": _Grid, "stack": _Stack}
_TOP: Final = tuple(CompositeFile.model_fields)


def read_recipe(path: Path, *, settings: Sequence[str] = ()) -> CompositeRecipe:
    """Read and check a pipeline file of composites.

    Args:
        path: The file.
        settings: ``SECTION.KEY=VALUE`` of the command line; values are YAML.

    Raises:
        ConfigError: The file is missing or wrong; the message names the key.
    """
    if path.stat().st_size > _MAX_BYTES:
        msg = f"{path}: {path.stat().st_size} bytes are too many for a pipeline file"
        raise ConfigError(msg)
    loaded = _yaml(path.read_bytes(), where=str(path))
    if not isinstance(loaded, dict):
        msg = f"{path}: expected keys name, composite, grid, stack; got {type(loaded).__name__}"
        raise ConfigError(msg)
    if "composite" not in loaded and "steps" in loaded:
        msg = f"{path}: this is a pipeline of scenes; expected one with a section composite; make its products with swath run"
        raise ConfigError(msg)
    try:
        return CompositeFile.model_validate(_with_settings(loaded, settings)).recipe()
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_problem(error)}") from error


def _with_settings(loaded: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    found = {key: dict(value) if isinstance(value, dict) else value for key, value in loaded.items()}
    for setting in settings:
        target, equals, text = setting.partition("=")
        section, dot, key = target.partition(".")
        if not equals or not dot or section not in _SECTIONS:
            msg = f"--set {setting}: expected SECTION.KEY=VALUE with one of {', '.join(_SECTIONS)}, such as grid.tile_px=2048"
            raise ConfigError(msg)
        inside = found.setdefault(section, {})
        if isinstance(inside, dict):
            inside[key] = _yaml(text.encode(), where=f"--set {setting}")
    return found


def _yaml(data: bytes, *, where: str) -> Any:
    try:
        return yaml.safe_load(data.decode())
    except _NO_YAML as error:
        msg = f"{where}: not YAML: {message(str(error))}"
        raise ConfigError(msg) from error


def _known(names: Sequence[str] | Mapping[str, Any], *, among: Sequence[str] | Mapping[str, Any], what: str) -> None:
    for name in names:
        if name not in among:
            msg = f"{name!r} is no {what}{did_you_mean(name, among)} (known: {', '.join(among)})"
            raise ValueError(msg)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(p) for p in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = list(_KEYS.get(str(problem["loc"][0]), CompositeFile).model_fields if len(problem["loc"]) > 1 else _TOP)
        hint = did_you_mean(str(problem["loc"][-1]), known)
        return f"unknown key {where!r}{hint} (known: {', '.join(known)})"
    if problem["loc"] == ("composite", "reducer"):
        hint = did_you_mean(str(problem.get("input")), REDUCERS)
        return f"composite.reducer: expected one of {', '.join(REDUCERS)}{hint}; got {problem.get('input')!r}"
    return f"{where}: {problem_text(problem)}"
