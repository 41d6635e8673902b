"""What a run says about one of its products."""

import posixpath
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from swath.class_area import ClassArea
from swath.product import AppliedStep, AssetRecord, Encoding, LayerSpec, ModelRef, Product, Statistics
from swath.report.drift import ModelDrift
from swath.report.shadow import Shadow
from swath.scene import Band
from swath.shares import Shares, shares_of
from swath.truth import BandTruth, PlaceTruth

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetSummary:
    """One published file.

    Args:
        name: STAC asset key.
        layer: The layer it holds (``sr:red``).
        title: Human-readable title.
        href: Relative to the item.
        key: Asset key, hex sha256.
        bytes: Size of the file.
        digest: Hex sha256 of the file.
        encoding: Meaning of the stored integers.
        statistics: Statistics of its stored values.
        height: Rows.
        width: Columns.
        resolution_m: Pixel size, in units of the grid.
        band: The band it shows, if it shows one.
        model: The model that made it, if one did.
        accuracy: Note on the asset's accuracy; empty if there is none.
    """

    name: str
    layer: str
    title: str
    href: str
    key: str
    bytes: int
    digest: str
    encoding: Encoding
    statistics: Statistics
    height: int
    width: int
    resolution_m: float
    band: Band | None = None
    model: ModelRef | None = None
    accuracy: str = ""

    @classmethod
    def of(cls, record: AssetRecord, *, layer: LayerSpec) -> Self:
        """What the record and its layer say."""
        return cls(
            name=record.name,
            layer=record.layer,
            title=layer.title,
            href=record.href,
            key=record.key,
            bytes=record.bytes,
            digest=record.digest,
            encoding=layer.encoding,
            statistics=record.statistics,
            height=layer.grid.height,
            width=layer.grid.width,
            resolution_m=layer.grid.dx,
            band=layer.band,
            model=record.model,
            accuracy=layer.accuracy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AtmosphericValue:
    """A parameter of the atmosphere as it was used.

    Args:
        name: Name of the parameter (``aot550``).
        value: Value.
        source: ``parameter``, ``scene`` or ``default``.
    """

    name: str
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A comparison with known truth.

    Args:
        bands: Band by band.
        landcover_accuracy: Share of pixels with the right class [1].
        cloud_iou: Intersection over union of the cloud mask [1].
        note: Description of the comparison.
        places: Known ground points, in the product first.
        pictures: Pictures to be shown beside those of the product: paths relative to the output's root, by role.
    """

    bands: tuple[BandTruth, ...] = ()
    landcover_accuracy: float | None = None
    cloud_iou: float | None = None
    note: str = ""
    places: tuple[PlaceTruth, ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSummary:
    """One product.

    Args:
        product_id: ``<scene_id>.<pipeline>``.
        scene_id: The scene it was made of.
        scene_digest: Version of the delivery.
        item: Path of the STAC item, relative to the output's root.
        collection: Collection.
        platform: Platform of the scene.
        acquired: Aware.
        sun_elevation_deg: Sun elevation at the scene's centre; None for a product of many scenes.
        assets: The published files.
        pictures: Paths relative to the output's root, by role: ``true_colour``, ``before`` and ``after``
            (atmospheric correction, one stretch), and any asset key of a class map.
        left_out: Parts that were not made, with the reasons.
        steps: Applied, in order.
        models: Behind its assets.
        atmosphere: Atmosphere that the correction used.
        shares: Shares of pixels: valid, saturated, cloud.
        truth: Comparison with known truth, for simulated scenes.
        checked: Findings of the checks before publishing, as in the item.
        model_notes: Notes on the product's models, by model.
        areas: Estimated areas of the classes of a map, by asset.
        drift: Features and answers of its models beside their training data.
        shadows: Challengers beside the models in use.
        control: What control points did to the model of a raw image; empty without any.
    """

    product_id: str
    scene_id: str
    scene_digest: str
    item: str
    collection: str
    platform: str
    acquired: datetime
    sun_elevation_deg: float | None
    assets: tuple[AssetSummary, ...]
    pictures: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[AppliedStep, ...] = ()
    models: tuple[ModelRef, ...] = ()
    atmosphere: tuple[AtmosphericValue, ...] = ()
    shares: Shares = field(default_factory=Shares)
    truth: Truth | None = None
    checked: Mapping[str, Any] = field(default_factory=dict)
    model_notes: Mapping[str, str] = field(default_factory=dict)
    areas: Mapping[str, tuple[ClassArea, ...]] = field(default_factory=dict)
    drift: tuple[ModelDrift, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    control: str = ""

    @property
    def reduced(self) -> Mapping[str, str]:
        """Assets of reduced accuracy, and why, by name."""
        return {a.name: a.accuracy for a in self.assets if a.accuracy}

    @property
    def findings(self) -> Mapping[str, str]:
        """What the checks and the models' training data say against it, in words."""
        verdict = self.checked.get("radiometry", {})
        found = {"radiometry": f"{verdict['verdict']}: {verdict['why']}"} if verdict else {}
        found |= {f"range of {name}": why for name, why in self.checked.get("range", {}).items()}
        return found | ({"control points": self.control} if self.control else {}) | dict(self.model_notes)

    @classmethod
    def of(cls, product: Product, *, item: str, pictures: Mapping[str, str] | None = None, truth: Truth | None = None) -> Self:
        """What the product says of itself.

        Args:
            product: Product with its published assets.
            item: Path of its STAC item, relative to the output's root.
            pictures: Paths relative to the output's root, by role.
            truth: Comparison with known truth.
        """
        models = {a.model.digest: a.model for a in product.assets if a.model is not None}
        scene = product.scene
        return cls(
            product_id=product.product_id,
            scene_id=scene.scene_id,
            scene_digest=scene.digest,
            item=item,
            collection=product.collection,
            platform=scene.platform,
            acquired=scene.acquired,
            sun_elevation_deg=scene.angles.sun_elevation_deg,
            assets=tuple(AssetSummary.of(a, layer=product.layers[a.name]) for a in product.assets),
            pictures={**(pictures or {}), **(truth.pictures if truth is not None else {})},
            left_out=dict(product.left_out),
            steps=product.steps,
            models=tuple(sorted(models.values(), key=lambda m: (m.name, m.version))),
            atmosphere=_atmosphere(product),
            shares=shares_of(product.counted),
            truth=truth,
            checked=dict(product.checked),
            control=control_of(scene.properties),
        )

    def to_contract(self) -> Json:
        """The product in the ``--json`` object; ``assets`` are paths relative to the output's root, by name."""
        folder = posixpath.dirname(self.item)
        return {
            "product_id": self.product_id,
            "scene_id": self.scene_id,
            "item": self.item,
            "assets": {a.name: posixpath.join(folder, a.href) for a in self.assets},
            "collection": self.collection,
            "left_out": dict(self.left_out),
            "reduced_accuracy": dict(self.reduced),
            "checks": dict(self.checked),
            "model_notes": dict(self.model_notes),
            **({"control": self.control} if self.control else {}),
            **({"areas": {n: [asdict(a) for a in areas] for n, areas in self.areas.items()}} if self.areas else {}),
            **({"drift": [asdict(d) for d in self.drift]} if self.drift else {}),
            **({"shadows": [asdict(s) for s in self.shadows]} if self.shadows else {}),
            "pictures": dict(self.pictures),
            "valid_percent": self.shares.valid,
            "saturated_percent": self.shares.saturated,
            "cloud_percent": self.shares.cloud,
            "models": [asdict(m) for m in self.models],
        }


def control_of(properties: Mapping[str, Any]) -> str:
    """What the properties of a scene say of its control points, in words; empty without any."""
    model, points, after, before = (properties.get(f"swath:control_{n}") for n in ("model", "points", "rms_px", "rms_before_px"))
    if not isinstance(after, float | int):
        return ""
    # A map that was fitted to the points has no residuals of before.
    was = f", {before:.2f} px before" if isinstance(before, float | int) else ""
    outliers = properties.get("swath:control_outliers")
    left_out = f"left out: {outliers}" if outliers else "none left out"
    return f"{points} points, {model}: residuals {after:.2f} px{was}; {left_out}"


def _atmosphere(product: Product) -> tuple[AtmosphericValue, ...]:
    for facts in product.facts.values():
        told = facts.get("atmosphere") if isinstance(facts, Mapping) else None
        if isinstance(told, Mapping):
            return tuple(AtmosphericValue(name=n, value=v["value"], source=v["source"]) for n, v in told.items())
    return ()
