"""What a model says about itself: enough to feed it, to read its answer, and to know where it came from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any, Literal, Self, cast

from swath.errors import ConfigError
from swath.inference.calibration import Calibration, ErrorMatrix
from swath.inference.kinds import unknown_kind
from swath.inference.network import Decision, Network, Normalise
from swath.product import Category
from swath.suggestion import did_you_mean

#: Number of the manifest's layout, for readers of later versions.
MANIFEST_FORMAT = 1
MANIFEST_FILE = "manifest.json"
CARD_FILE = "card.md"
_MAX_MANIFEST_BYTES = 1 << 20
_MAX_BANDS = 255
#: Class codes stay below the nodata value of a class map.
_MAX_CODE = 254

#: Keys that a manifest leaves out where they are null: digests of models of before stay as they are.
_UNSAID = ("network", "pixel_m", "decision", "calibration", "error_matrix")

FeatureKind = Literal["sr", "toa", "dn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The contract of a model.

    A feature is ``scale * physical + offset`` as float32, in the order of ``bands``; a pixel with any invalid
    feature is not predicted and becomes nodata.

    Args:
        name: Name of the model, a plain word.
        kind: ``forest`` (arrays in npz), ``onnx``, or a plugged-in kind of predictor.
        weights: File name of the weights in the model's directory.
        bands: Common band names in the order of the features.
        of: Quantity of the features: ``sr``, ``toa`` (reflectance) or ``dn`` (as delivered).
        classes: The classes in the order of the model's outputs; ``value`` is the code on the map.
        licence: SPDX identifier or words.
        scale: Applied to the physical value.
        offset: Added after ``scale``.
        dtype: Data type of the features.
        nodata: Effect of an invalid feature: ``any`` makes the pixel nodata.
        halo_px: Influence radius: what an answer depends on beyond its pixel; 0 for models of single pixels and of patches.
        resolution_m: Pixel size it was made for: the scene's nearest band grid is used; None is the reference grid.
        network: Description of the input of a network with neighbourhoods; None for models of single pixels.
        pixel_m: Smallest and largest pixel size that it may be used at [m]; None where it does not say.
        decision: Rule that makes a mask of a cloud probability; None for the most probable class.
        calibration: Rule that makes calibrated probabilities of the weights' own; None where they are taken as they are.
        error_matrix: Confusion on held-out polygons, of which areas are estimated; None where training kept none.
        metrics: Measured on polygons held out from training.
        training: Origin of the model: code version, data, parameters; JSON-able.

    Raises:
        ConfigError: The contract contradicts itself.
    """

    name: str
    kind: str
    weights: str
    bands: tuple[str, ...]
    of: FeatureKind
    classes: tuple[Category, ...]
    licence: str
    scale: float = 1.0
    offset: float = 0.0
    dtype: Literal["float32"] = "float32"
    nodata: Literal["any"] = "any"
    halo_px: int = 0
    resolution_m: float | None = None
    network: Network | None = None
    pixel_m: tuple[float, float] | None = None
    decision: Decision | None = None
    calibration: Calibration | None = None
    error_matrix: ErrorMatrix | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a manifest that no step could follow."""
        for wrong, problem in self._problems():
            if wrong:
                msg = f"model {self.name!r}: {problem}"
                raise ConfigError(msg)

    def _problems(self) -> list[tuple[bool, str]]:
        codes, names = [c.value for c in self.classes], [c.name for c in self.classes]
        return [
            (not self.name or any(c in self.name for c in "/\\:@ \t\n"), "the name must be one plain word"),
            (bool(told := unknown_kind(self.kind)), told),
            (self.of not in ("sr", "toa", "dn"), f"of must be sr, toa or dn, got {self.of!r}"),
            (self.dtype != "float32", f"dtype must be float32, got {self.dtype!r}"),
            (self.nodata != "any", f"nodata must be any, got {self.nodata!r}"),
            (Path(self.weights).name != self.weights, f"weights must be a plain file name, got {self.weights!r}"),
            (not 0 < len(self.bands) <= _MAX_BANDS, f"1 to {_MAX_BANDS} bands are needed, got {len(self.bands)}"),
            (len(set(self.bands)) != len(self.bands), f"a band is named twice: {self.bands}"),
            (not 2 <= len(codes) <= _MAX_CODE + 1, f"2 to {_MAX_CODE + 1} classes are needed, got {len(codes)}"),
            (len(set(codes)) != len(codes) or len(set(names)) != len(names), "two classes share a code or a name"),
            (any(not 0 <= c <= _MAX_CODE for c in codes), f"class codes must be in 0..{_MAX_CODE}, got {codes}"),
            (not (isfinite(self.scale) and isfinite(self.offset) and self.scale), "scale and offset must be finite"),
            (self.halo_px < 0, f"halo_px must not be negative, got {self.halo_px}"),
            (self.resolution_m is not None and not self.resolution_m > 0, "resolution_m must be positive or null"),
            (not self.licence, "a licence must be stated"),
            (
                self.kind == "forest" and bool(self.halo_px or self.network),
                "a forest decides by single pixels: no halo_px, no network",
            ),
            (
                self.kind == "onnx" and bool(self.halo_px and not self.network),
                "halo_px needs the key network, which says how patches are fed",
            ),
            (self.pixel_m is not None and not 0 < self.pixel_m[0] <= self.pixel_m[1], f"pixel_m must ascend, got {self.pixel_m}"),
            *(self.decision.problems() if self.decision else ()),
            *(self.calibration.problems() if self.calibration else ()),
            *(self.error_matrix.problems(classes=len(codes)) if self.error_matrix else ()),
            *(self.network.problems(bands=len(self.bands), classes=len(codes), halo_px=self.halo_px) if self.network else ()),
        ]

    @property
    def margin_px(self) -> int:
        """Pixels around a window that the predictor wants to see; 0 for models of single pixels."""
        return self.network.margin_px(self.halo_px) if self.network else self.halo_px

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the feature layers, in order: ``sr:red``."""
        return tuple(f"{self.of}:{band}" for band in self.bands)

    def to_plain(self) -> dict[str, Any]:
        """The manifest as parsed JSON."""
        plain: dict[str, Any] = json.loads(self.to_json())
        return plain

    def to_json(self) -> str:
        """The manifest as it is in the model's folder: sorted keys, indented, ending with a newline."""
        plain = {"format": MANIFEST_FORMAT, **{k: v for k, v in asdict(self).items() if v is not None or k not in _UNSAID}}
        return json.dumps(plain, sort_keys=True, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of ``to_json``; unknown and missing keys are errors.

        Raises:
            ConfigError: Not JSON, of another format, or not a manifest.
        """
        try:
            return cls.from_plain(json.loads(text))
        except ValueError as error:
            msg = f"the model manifest is not JSON: {error}"
            raise ConfigError(msg) from error

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """The inverse of ``to_plain``.

        Raises:
            ConfigError: The format is another one, or the file is no manifest.
        """
        if not isinstance(plain, Mapping) or plain.get("format") != MANIFEST_FORMAT:
            msg = f"the model manifest must be a JSON object with format {MANIFEST_FORMAT}"
            raise ConfigError(msg)
        given = {k: v for k, v in plain.items() if k != "format"}
        _check_keys(given, cls, where="model manifest")
        try:
            given["classes"] = tuple(_category(c) for c in given["classes"])
            given["bands"] = tuple(str(b) for b in given["bands"])
            given["network"] = _network(given.get("network"))
            if given.get("pixel_m") is not None:
                low, high = given["pixel_m"]
                given["pixel_m"] = (float(low), float(high))
            if given.get("decision") is not None:
                _check_keys(given["decision"], Decision, where="decision of a model manifest")
                given["decision"] = Decision(**given["decision"])
            if given.get("calibration") is not None:
                _check_keys(given["calibration"], Calibration, where="calibration of a model manifest")
                given["calibration"] = Calibration(**given["calibration"])
            given["error_matrix"] = _error_matrix(given.get("error_matrix"))
            return cls(**given)
        except (TypeError, ValueError, KeyError) as error:
            msg = f"the model manifest is malformed: {error}"
            raise ConfigError(msg) from error


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a model directory.

    Raises:
        ConfigError: There is none, it is too large, or it is no manifest.
    """
    path = directory / MANIFEST_FILE
    if not path.is_file():
        msg = f"{directory}: no {MANIFEST_FILE}; a model directory holds {MANIFEST_FILE}, weights and {CARD_FILE}"
        raise ConfigError(msg)
    if path.stat().st_size > _MAX_MANIFEST_BYTES:
        msg = f"{path}: larger than {_MAX_MANIFEST_BYTES} bytes"
        raise ConfigError(msg)
    return Manifest.from_json(path.read_text(encoding="utf-8"))


def _category(plain: Mapping[str, Any]) -> Category:
    _check_keys(plain, Category, where="class of a model manifest")
    rgb = tuple(int(c) for c in plain.get("rgb", (128, 128, 128)))
    if len(rgb) != 3 or any(not 0 <= c <= 255 for c in rgb):
        msg = f"class {plain['name']!r}: rgb must be three numbers in 0..255, got {rgb}"
        raise ConfigError(msg)
    return Category(value=int(plain["value"]), name=str(plain["name"]), title=str(plain["title"]), rgb=cast("Any", rgb))


def _network(plain: Mapping[str, Any] | None) -> Network | None:
    if plain is None:
        return None
    _check_keys(plain, Network, where="network of a model manifest")
    _check_keys(plain["normalise"], Normalise, where="normalise of a model manifest")
    normalise = Normalise(**{k: tuple(float(n) for n in v) for k, v in plain["normalise"].items()})
    return Network(**{**plain, "normalise": normalise})


def _error_matrix(plain: Mapping[str, Any] | None) -> ErrorMatrix | None:
    if plain is None:
        return None
    _check_keys(plain, ErrorMatrix, where="error_matrix of a model manifest")
    rows = tuple(tuple(int(n) for n in row) for row in plain["confusion"])
    return ErrorMatrix(confusion=rows, polygons=tuple(int(n) for n in plain["polygons"]))


def _check_keys(plain: Mapping[str, Any], kind: type[Any], *, where: str) -> None:
    known = {f.name for f in fields(kind)}
    for key in plain:
        if key not in known:
            hint = did_you_mean(key, known) or f"; known keys: {', '.join(sorted(known))}"
            msg = f"unknown key {key!r} in a {where}{hint}"
            raise ConfigError(msg)
