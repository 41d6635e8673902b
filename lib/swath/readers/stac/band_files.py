"""All bands of an item as files: on the same ground, where the item says."""

from collections.abc import Mapping
from dataclasses import dataclass

from swath.algo.rpc import Rpc
from swath.readers.pixels.same_ground import check_extents
from swath.readers.stac.asset_file import asset_of
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.item import Item
from swath.readers.stac.platform import Platform
from swath.readers.stac.raw import refined
from swath.readers.stac.stated_place import check_place
from swath.scene import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFiles:
    """Bands of an item as files.

    Args:
        assets: Bands by name.
        digests: Keys of the item's assets, each with the digest of its file.
        facts: What is said of control points that maps or models were fitted to; usually empty.
        wrong: What the item has wrong about its files, in words by field.
    """

    assets: Mapping[str, Asset]
    digests: tuple[tuple[str, str], ...]
    facts: Mapping[str, str | int | float]
    wrong: Mapping[str, str]


def band_files(candidates: Mapping[str, BandCandidate], *, item: Item, platform: Platform, rpc: Rpc | None) -> ItemFiles:
    """Read the headers of the bands, take their digests, and compare them with the item and with each other.

    Args:
        candidates: One file of each band, by name.
        item: The item.
        platform: Its platform.
        rpc: Model of a raw image that is in a file of its own.

    Raises:
        SceneError: A file cannot be read, or contradicts the item or another file.
    """
    files = {name: asset_of(c, item=item, platform=platform, rpc=rpc) for name, c in candidates.items()}
    assets, control = refined({name: file.asset for name, file in files.items()}, item=item)
    # Of several files that are fitted to points of their own, the one that is off most is told.
    told = (file.control for file in files.values() if file.control)
    fitted = max(told, key=lambda control: control["swath:control_most_px"], default={})
    lengths = next(({"file:size": file.length} for file in files.values() if file.length), {})
    check_extents(assets)
    wrong = check_place(item, assets=assets, keys={name: candidate.key for name, candidate in candidates.items()})
    return ItemFiles(
        assets=assets,
        digests=tuple((candidates[n].key + end, digest) for n, asset in assets.items() for end, digest in asset.digests.items()),
        facts={**fitted, **control},
        wrong={**wrong, **lengths},
    )
