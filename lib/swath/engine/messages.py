"""What driver, workers and children say to each other about products: a dataclass for each request and each answer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from swath.engine.link_messages import VERSIONS, KnownVersion
from swath.engine.message import Message, Reader, tuple_of
from swath.engine.subject import OfCut, OfProduct
from swath.product import AssetRecord
from swath.sinks.cog.strip_part import PartManifest
from swath.statistics import SUMS

_RECORDS = tuple_of(AssetRecord.from_plain)
_PARTS = tuple_of(PartManifest.from_plain)


def kept_records(records: Iterable[AssetRecord]) -> str:
    """Records as the ledger keeps them."""
    return json.dumps([r.to_plain() for r in records], sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripMade(Message):
    """What a strip leaves: parts in the store, and this.

    Args:
        parts: Parts of its assets.
        dark: Counts of dark pixels by band, for the radiometric guard; the counted values are text, as JSON has keys.
        features: Pixels by bins of the training data of each model, by layer, by digest.
        preview: Path of its share of the pictures; None without pictures.
        seconds: CPU time by stage [s].
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"parts": _PARTS}
    parts: tuple[PartManifest, ...]
    dark: Mapping[str, Mapping[str, int]]
    preview: str | None
    seconds: Mapping[str, float]
    features: Mapping[str, Mapping[str, list[int]]] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStrip(OfCut):
    """Make one strip of all assets.

    Args:
        strip: Number of the strip.
        uploads: Uploads that the strips share, ids by asset.
    """

    op: ClassVar[str] = "strip"
    strip: int
    uploads: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> StripMade:
        """The answer as it came."""
        return StripMade.from_plain(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetMade(Message):
    """A published asset.

    Args:
        record: Record of the asset.
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"record": AssetRecord.from_plain}
    record: AssetRecord
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeAsset(OfCut):
    """Make the file of an asset of its strips.

    Args:
        asset: STAC name of the asset.
        parts: Parts of all strips.
        attempt: A name of its own for every try.
        upload: Id of the upload that the strips shared; empty without one.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"parts": _PARTS}
    op: ClassVar[str] = "asset"
    asset: str
    parts: tuple[PartManifest, ...]
    attempt: str
    upload: str = ""

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> AssetMade:
        """The answer as it came."""
        return AssetMade.from_plain(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published(Message):
    """A product that has its item.

    Args:
        item: Path of the item, relative to the output.
        bbox: West, south, east, north [degree].
        pictures: Paths of the pictures by name.
        collection: Collection of the product.
        left_out: Assets that were not made and why, by name.
        facts: Facts that steps and checks found, JSON-able.
        acquired: Time of the acquisition, ISO 8601.
        platform: Platform of the scene.
        reduced: Assets of reduced accuracy, and why, by name.
        shares: Percent of pixels that are valid, saturated and cloudy (None where nothing says), by these words.
        features: Pixels by bins of the training data of each model, by layer, by digest; of the strips that were made now.
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    item: str
    bbox: list[float]
    pictures: Mapping[str, str]
    collection: str
    left_out: Mapping[str, str]
    facts: Mapping[str, Any]
    acquired: str
    platform: str
    reduced: Mapping[str, str]
    shares: Mapping[str, float | None]
    features: Mapping[str, Mapping[str, list[int]]] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(OfProduct):
    """Check a product whose files are there, and write its pictures and its item.

    Args:
        records: Records of its assets, in any order.
        previews: Paths of the strips' shares of the pictures.
        dark: Counts of the strips that were made now.
        features: Counts of what models were fed in the strips that were made now.
        kept: Paths of pictures of an earlier version that show the same, by name.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"records": _RECORDS, "previews": tuple, "dark": tuple, "features": tuple}
    op: ClassVar[str] = "publish"
    records: tuple[AssetRecord, ...]
    previews: tuple[str, ...] = ()
    dark: tuple[Mapping[str, Mapping[str, int]], ...] = ()
    features: tuple[Mapping[str, Mapping[str, list[int]]], ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> Published:
        """The answer as it came."""
        return Published.from_plain(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Message):
    """What the ledger keeps of one strip of one asset.

    Args:
        asset: STAC name of the asset.
        strip: Number of the strip.
        sums: ``SUMS`` of its stored values.
        bytes: Length of its part.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"sums": tuple}
    asset: str
    strip: int
    sums: tuple[int | None, ...]
    bytes: int

    @classmethod
    def of(cls, part: PartManifest) -> Self:
        """What a part says."""
        sums = tuple(getattr(part.statistics, name) for name in SUMS)
        return cls(asset=part.asset, strip=part.strip, sums=sums, bytes=part.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductMade(Message):
    """A product of one strip, from end to end.

    Args:
        linked: Names of assets that already existed.
        records: Records of its assets without their statistics: those that were there first, then those that were made.
        ledger: ``AssetRecord.to_plain()`` of each as JSON: what the ledger keeps, and the driver hands on.
        tiles: Rows of the strip for the ledger.
        seconds: CPU time by stage [s].
        published: Item.
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    readers: ClassVar[Mapping[str, Reader]] = {
        "linked": tuple, "records": _RECORDS, "tiles": tuple_of(Counted.from_plain), "published": Published.from_plain,
    }  # fmt: skip
    linked: tuple[str, ...]
    records: tuple[AssetRecord, ...]
    ledger: str
    tiles: tuple[Counted, ...]
    seconds: Mapping[str, float]
    published: Published
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeProduct(OfCut):
    """Make a product of one strip from end to end, except for assets that already exist.

    Args:
        attempt: A name of its own for every try.
        versions: Versions of it that the ledger knows, newest first.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"versions": VERSIONS}
    op: ClassVar[str] = "make"
    attempt: str
    versions: tuple[KnownVersion, ...] = ()

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> ProductMade:
        """The answer as it came."""
        return ProductMade.from_plain(plain)
