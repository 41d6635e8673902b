"""How a model is trained: everything that decides what comes out, from one YAML file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self

import yaml

from swath.errors import ConfigError
from swath.inference.manifest import Manifest
from swath.inference.network import Normalise
from swath.product import Category
from swath.suggestion import did_you_mean
from swath.training.samples import FeatureRequest
from swath.training.unet_settings import UnetSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestSettings:
    """Settings of the boosted trees.

    Args:
        trees: Rounds; each adds a tree per class.
        leaves: Most leaves of a tree.
        learning_rate: Share of each tree that is kept.
        min_leaf_px: Least samples in a leaf.
    """

    trees: int = 50
    leaves: int = 15
    learning_rate: float = 0.1
    min_leaf_px: int = 20

    def __post_init__(self) -> None:
        """Refuse settings that grow nothing."""
        if self.trees < 1 or self.leaves < 2 or self.min_leaf_px < 1 or not 0.0 < self.learning_rate <= 1.0:
            msg = f"forest: trees >= 1, leaves >= 2, min_leaf_px >= 1 and 0 < learning_rate <= 1 are needed, got {self}"
            raise ConfigError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecipe:
    """What to train and how to judge it.

    Args:
        name: Name of the model.
        title: Title of the card.
        features: The features.
        classes: The classes, by name the labels of the polygons.
        licence: Licence of the model.
        forest: Settings of the trees, where a forest is trained.
        unet: Settings of a U-Net; None trains a forest.
        splits: Number of times that polygons are split anew for the metrics.
        held_out: Share of each class's polygons kept from training in each split.
        frozen: Share of the polygons that no model learns.
        calibration: ``temperature``: probabilities are calibrated on the held-out polygons, and their confusion is kept in the
            manifest, for areas; ``none``: as the forest gives them.
        seed: Seed of the first split; later splits count up from it.
        label_field: Attribute of the polygons with the class name.
        id_field: Attribute with a unique id; features are numbered when None.

    Raises:
        ConfigError: The recipe leaves nothing to judge the model by.
    """

    name: str
    title: str
    features: FeatureRequest
    classes: tuple[Category, ...]
    licence: str
    forest: ForestSettings = field(default_factory=ForestSettings)
    unet: UnetSettings | None = None
    splits: int = 5
    held_out: float = 0.5
    frozen: float = 0.0
    calibration: Literal["none", "temperature"] = "none"
    seed: int = 0
    label_field: str = "class"
    id_field: str | None = None

    def __post_init__(self) -> None:
        """Refuse a recipe without a judgement, or one whose manifest would be refused later."""
        if self.splits < 1 or not 0.0 < self.held_out < 1.0 or not 0.0 <= self.frozen < 1.0:
            msg = f"recipe {self.name!r}: splits >= 1, 0 < held_out < 1 and 0 <= frozen < 1 are needed"
            raise ConfigError(msg)
        if self.calibration not in ("none", "temperature"):
            msg = f"recipe {self.name!r}: calibration must be none or temperature, got {self.calibration!r}"
            raise ConfigError(msg)
        self.manifest()

    def manifest(self, **measured: Any) -> Manifest:
        """The manifest of the model that this trains; ``measured`` fills metrics, training, calibration and network."""
        wanted = self.features
        if self.unet is not None:
            bands = len(wanted.bands)
            plain = Normalise(mean=(0.0,) * bands, std=(1.0,) * bands)
            measured = {"halo_px": self.unet.halo_px, "network": self.unet.network(plain), **measured}
        return Manifest(
            name=self.name,
            kind="forest" if self.unet is None else "onnx",
            weights="forest.npz" if self.unet is None else "network.onnx",
            bands=wanted.bands,
            of=wanted.of,
            scale=wanted.scale,
            offset=wanted.offset,
            resolution_m=wanted.resolution_m,
            classes=self.classes,
            licence=self.licence,
            **measured,
        )

    def plain(self) -> dict[str, Any]:
        """The recipe as JSON-able data; what is usual is not said, so that models of before keep their bytes."""
        plain = asdict(self)
        unsaid = {"forest" if self.unet is not None else "unet", *(("calibration",) if self.calibration == "none" else ())}
        return {k: v for k, v in plain.items() if k not in unsaid}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a recipe file.

        Raises:
            ConfigError: No such file, not YAML, an unknown or missing key.
        """
        try:
            plain = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            msg = f"{path}: the training recipe cannot be read: {error}"
            raise ConfigError(msg) from error
        try:
            return cls.of(plain)
        except ConfigError as error:
            msg = f"{path}: {error}"
            raise ConfigError(msg) from error

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """Build from parsed YAML.

        Raises:
            ConfigError: An unknown or missing key, or a value of the wrong type.
        """
        _check(plain, cls, where="recipe")
        if plain.get("unet") is not None and "forest" in plain:
            msg = "recipe: forest and unet are two kinds of models; keep one of them"
            raise ConfigError(msg)
        given = dict(plain)
        try:
            given["features"] = _built(FeatureRequest, given["features"], where="features")
            given["classes"] = tuple(_built(Category, c, where="classes") for c in given["classes"])
            if "forest" in given:
                given["forest"] = _built(ForestSettings, given["forest"], where="forest")
            if given.get("unet") is not None:
                given["unet"] = _built(UnetSettings, given["unet"], where="unet")
            return cls(**given)
        except (TypeError, KeyError) as error:
            msg = f"a training recipe is incomplete or malformed: {error}"
            raise ConfigError(msg) from error


def _built(kind: type[Any], plain: Any, *, where: str) -> Any:
    _check(plain, kind, where=where)
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()})


def _check(plain: Any, kind: type[Any], *, where: str) -> None:
    if not isinstance(plain, Mapping):
        msg = f"{where}: expected keys and values, got {plain!r}"
        raise ConfigError(msg)
    known = [f.name for f in fields(kind)]
    for key in plain:
        if key not in known:
            hint = did_you_mean(str(key), known) or f"; known keys: {', '.join(known)}"
            msg = f"{where}: unknown key {key!r}{hint}"
            raise ConfigError(msg)
