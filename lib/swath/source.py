"""One date of a stack: bands of surface reflectance, and the mask that says which of its pixels may be used."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from swath.scene import Asset, asset_of

#: Key of the mask among the assets of a source.
MASK: Final = "mask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Level-2 product that a composite is made of.

    Args:
        scene_id: Id of its item.
        acquired: Aware, UTC.
        platform: STAC platform.
        instrument: STAC instrument.
        family: Sensor family.
        assets: Bands by common name; the mask is ``MASK``. Calibrations of bands give reflectance.
        reader: Reader that remembers how its files are opened.
        source_href: Item.
        processed: Processing time, ISO 8601 in UTC; empty if unknown. Of two versions of one acquisition the later counts.
        acquisition: Name that all versions of one acquisition share.
        off_nadir_deg: Off-nadir angle that the item states; None if it does not.
        license: Licence that the item states; empty when it states none.
    """

    scene_id: str
    acquired: datetime
    platform: str
    instrument: str
    family: str
    assets: Mapping[str, Asset]
    reader: str
    source_href: str
    processed: str
    acquisition: str
    off_nadir_deg: float | None = None
    license: str = ""

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of its bands."""
        return tuple(name for name in self.assets if name != MASK)

    @property
    def order(self) -> tuple[str, str, str]:
        """Sources are stacked in this order, whatever the order in which they came."""
        return (self.acquired.astimezone(UTC).isoformat(timespec="microseconds"), self.scene_id, self.source_href)

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {**asdict(self), "acquired": self.acquired.astimezone(UTC).isoformat()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        # A copy of its own: what builds assets takes its parts out.
        assets = {name: asset_of(a) for name, a in json.loads(json.dumps(plain["assets"])).items()}
        return cls(**{**plain, "assets": assets, "acquired": datetime.fromisoformat(plain["acquired"])})
