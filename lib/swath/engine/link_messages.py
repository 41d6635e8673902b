"""Messages about the parts of a product that already exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from swath.engine.message import Message, Reader, tuple_of
from swath.engine.subject import OfCut
from swath.product import AssetRecord

_RECORDS = tuple_of(AssetRecord.from_plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVersion(Message):
    """A version of a product that the ledger knows.

    Args:
        item: Path of its item, relative to the output.
        records: Records of its assets.
        pictures: Paths of its pictures by name.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"records": _RECORDS}
    item: str
    records: tuple[AssetRecord, ...]
    pictures: Mapping[str, str]


#: Reads versions of a product.
VERSIONS = tuple_of(KnownVersion.from_plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Message):
    """What of a product is there, and the uploads that its strips share.

    Args:
        records: Records of assets that are there.
        kept: Paths of pictures that show the same, by name.
        pictures: Whether pictures must be made.
        uploads: Ids of uploads by asset.
        paths: Paths of the files to be, by asset.
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"records": _RECORDS}
    records: tuple[AssetRecord, ...]
    kept: Mapping[str, str]
    pictures: bool
    uploads: Mapping[str, str]
    paths: Mapping[str, str]
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare(OfCut):
    """Find the parts of a product that already exist, and open the uploads that its strips will send parts to.

    Args:
        versions: Versions of it that the ledger knows, newest first.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"versions": VERSIONS}
    op: ClassVar[str] = "prepare"
    versions: tuple[KnownVersion, ...] = ()

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> Prepared:
        """The answer as it came."""
        return Prepared.from_plain(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted(Message):
    """Files whose bytes match their item.

    Args:
        records: Records.
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"records": _RECORDS}
    records: tuple[AssetRecord, ...]
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(Message):
    """Look at files that an item names and no ledger knows.

    Args:
        scene_id: Name of the scene or item, for messages.
        output: Root of the output.
        item: Path of the item, relative to the output.
        names: Assets to look at.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"names": tuple}
    op: ClassVar[str] = "adopt"
    scene_id: str
    output: str
    item: str
    names: tuple[str, ...]

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> Adopted:
        """The answer as it came."""
        return Adopted.from_plain(plain)
