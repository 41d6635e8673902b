"""Which of several files of a band is used: what the item says of them decides, and never their order."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from swath.errors import MetadataError, SceneError
from swath.readers.files.href import gdal_href
from swath.readers.pixels.header import RasterHeader, inspect
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.units import is_reflectance

#: Keys of pictures, whatever roles their items give them.
_PICTURE_KEYS = re.compile(
    r"(?:tci|visual|true[-_ ]?colou?r|rendered[-_]preview|preview|browse|quicklook|overview|thumbnail)\b.*"
)
_RGB = frozenset({"red", "green", "blue"})
_PICTURE_BITS = 8
_UNKNOWN_M = 1e9

Look = Callable[[BandCandidate], RasterHeader | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The bands that an item offers, by name; and what was passed over and why, by asset key."""

    bands: Mapping[str, BandCandidate]
    left_out: Mapping[str, str]


def is_picture_key(key: str) -> bool:
    """Whether an asset's key is one that providers give to pictures (``visual``, ``TCI_10m``)."""
    return _PICTURE_KEYS.fullmatch(key.lower().replace("_", "-")) is not None


def choose(candidates: Iterable[BandCandidate], *, look: Look | None = None) -> Chosen:
    """Pick one file for each band.

    First the band that is not described as surface reflectance, whose scale is known, in reflectance, whose key is the
    band's name, whose roles say reflectance, that has a file of its own; then the finest, the one of
    more bits, and GeoTIFF before JPEG 2000.

    Args:
        candidates: All bands of all assets.
        look: Reads the header of a candidate's file, where the item alone does not decide.

    Raises:
        MetadataError: Two files of a band are equal in all of that.
    """
    seen = look or header_of
    every = list(candidates)
    pictures = _pictures(every, look=seen)
    left_out = dict.fromkeys(sorted(pictures), "an 8-bit picture beside bands of more bits")
    offers: dict[str, list[BandCandidate]] = {}
    for candidate in every:
        if candidate.key not in pictures:
            offers.setdefault(candidate.band.name, []).append(candidate)
    bands = {name: _first(offered, look=seen) for name, offered in offers.items()}
    for name, offered in offers.items():
        used = bands[name].key
        left_out.update({c.key: f"another file of {name}; {used} is used" for c in offered if c.key != used})
    # An asset of several bands may serve with one of them and be passed over with another.
    serving = {c.key for c in bands.values()}
    return Chosen(bands=bands, left_out={k: why for k, why in left_out.items() if k not in serving})


def header_of(candidate: BandCandidate) -> RasterHeader | None:
    """The header of a candidate's file; None when it cannot be read."""
    try:
        return inspect(gdal_href(candidate.href))
    except SceneError:
        return None


def _pictures(candidates: Sequence[BandCandidate], *, look: Look) -> set[str]:
    """Keys of assets with just red, green and blue in 8 bits, whose bands another asset has in more."""
    by_key: dict[str, list[BandCandidate]] = {}
    for candidate in candidates:
        by_key.setdefault(candidate.key, []).append(candidate)
    found: set[str] = set()
    for key, own in by_key.items():
        if {c.band.name for c in own} != _RGB:
            continue
        others = [c for c in candidates if c.key != key and c.quality is None]
        if others and _bits(own[0], look=look) <= _PICTURE_BITS and any(_bits(c, look=look) > _PICTURE_BITS for c in others):
            found.add(key)
    return found


def _bits(candidate: BandCandidate, *, look: Look) -> int:
    """Bits of a sample, as the item or the file says; 0 when neither does."""
    if candidate.bits:
        return candidate.bits
    header = look(candidate)
    return _bits_of(header.dtype) if header else 0


def _bits_of(dtype: str) -> int:
    digits = "".join(c for c in dtype if c.isdigit())
    return int(digits) if digits else 0


def _first(offered: list[BandCandidate], *, look: Look) -> BandCandidate:
    best = min(_stated(c) for c in offered)
    equal = [c for c in offered if _stated(c) == best]
    if len(equal) == 1 or equal[0].gain is None:
        return min(equal, key=lambda c: (c.key, c.band_index))
    ranked = sorted(((_measured(c, offered=equal, look=look), c.key, c) for c in equal), key=lambda r: r[:2])
    (rank, _, first), (next_rank, _, second) = ranked[:2]
    if rank == next_rank and (first.href, first.band_index) != (second.href, second.band_index):
        raise MetadataError(
            f"it is not clear which asset is {first.band.name}",
            expected="one asset of the band, or roles, keys, units or gsd that tell them apart",
            got=f"{first.key} band {first.band_index} and {second.key} band {second.band_index}",
            remedy=f'Name the right one "{first.band.name}", or give the other one the role "overview" or "visual".',
        )
    return first


def _stated(candidate: BandCandidate) -> tuple[bool, ...]:
    return (
        bool(candidate.surface),
        candidate.gain is None and candidate.calibration is None,
        not is_reflectance(candidate.unit),
        candidate.key.lower() != candidate.band.name,
        "reflectance" not in candidate.roles,
        candidate.entries > 1,
    )


def _measured(candidate: BandCandidate, *, offered: Sequence[BandCandidate], look: Look) -> tuple[float, int, bool]:
    """Ground sampling [m], bits and format: by the item where it says so of all, otherwise by the files."""
    stated = all(c.band.resolution_m > 0.0 for c in offered) and all(c.bits for c in offered)
    header = None if stated else look(candidate)
    # A sensor's band has one sampling by its table; copies of it at other ones say their own.
    own = stated and all(c.spacing_m > 0.0 for c in offered) and len({c.spacing_m for c in offered}) > 1
    spacing = candidate.spacing_m if own else candidate.band.resolution_m
    if not stated:
        spacing = header.grid.resolution_m if header else _UNKNOWN_M
    bits = candidate.bits if stated else (_bits_of(header.dtype) if header else 0)
    return spacing, -bits, candidate.href.partition("?")[0].lower().endswith((".jp2", ".j2k"))
