"""Which processing level a delivery is of: one table of what providers write, and how it is read.

Level 1 is top-of-atmosphere reflectance (or radiance); Level 2 and above are corrected for the atmosphere already. A
statement of Level 2 outweighs one of Level 1: derived products repeat the Level-1 names of what they were made from.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from swath.sensors import LANDSAT, SENTINEL2

#: The property by which the author of an item states its level; it decides where a mission's own properties are silent.
OWN_PROPERTY: Final = "swath:level"
#: Properties that state a level and nothing else: what they say must be understood.
_LEVELS: Final = ("processing:level", "processing_level", "processingLevel", "eo:processing_level", "landsat:correction")
#: And whatever else providers call them (``s2:processing_level``, ``eo:product_level``): believed where it is understood.
_OTHER_LEVELS = re.compile(r"(?:.*[:_.])?(?:processing|product|proc|correction|data)[:_. ]?(?:level|lvl)", re.IGNORECASE)
#: A level of something: believed where more than a digit says it (``mysat:level: L2A``).
_ANY_LEVEL = re.compile(r"(?:\w+:)?level", re.IGNORECASE)
#: Properties whose value implies a level: product types, product names (``s2:product_type``, ``odc:product``,
#: ``pl:asset_type``, ``sentinel:product_id``).
_TYPES: Final = re.compile(
    r"(?:.*[:_.])?(?:(?:product|asset|data|item)[:_. ]?(?:type|name|uri|id|family)|odc:product|product)", re.IGNORECASE
)
#: A level alone: ``L2``, ``2A``, ``Level-2A``, ``L1TP``, ``2.0``.
_ALONE = re.compile(r"(?:l|level)? ?([0-4])(?: 0|[a-z]{0,3})")
_ROMAN = re.compile(r"level (i{1,3})[a-c]?")
#: Levels inside a name whose words a space parts: ``sentinel 2 l1c``, ``landsat c2l2 sr``, ``s2a msil2a``, ``s2msi1c``;
#: of Level 2 also without one: ``sentinel2l2a``, ``mysat_l2c2``, ``Level2Science``.
_WORDS: Final = (
    re.compile(r"\b(?:c\d+)?(?:msi)?l(?:evel)? ?([0-3])[a-z]{0,2}\b"),
    re.compile(r"\bs2msi([0-4])[a-z]{0,2}\b"),
    re.compile(r"\b[a-z0-9]*l(?:evel)?([23])(?:a|sp|sr|c\d)\b"),
    re.compile(r"\blevel ?([0-3])"),
)
#: Words of collections and products, by level.
_NAMES: Final[Mapping[int, re.Pattern[str]]] = {
    2: re.compile(
        # NASA's HLS (HLSS30, HLSL30, hls2-s30); Geoscience Australia's ARD and NBART; ESPA's and Earth Engine's SR;
        # VITO's TOC; MODIS and VIIRS surface reflectance; and the words in full, in six languages.
        r"\b(?:hls\d*|hls[sl]\d\d|ard|analysis ready(?: data)?|sr|srb\d+"
        r"|l?srefl?|lsr|boa|toc|nbart?|rhos|rho s|(?:mod|myd|mcd|vnp)(?:09|43)[a-z0-9]*"
        r"|surf(?:ace)? ?refl(?:ectance|ectances|ectivity)?|reflectances? (?:at|of) (?:the )?(?:ground|surface)"
        r"|(?:ground|canopy) reflectance|reflectance surface|bottom of (?:the )?atmosphere|top of (?:the )?canopy"
        r"|reflectance (?:de|a la) surface|boden ?reflektan(?:z|ce)|oberflachen ?reflektanz|atmosphae?ren ?korrigiert"
        r"|reflectancia (?:de|en) (?:la )?superficie|refletancia (?:de|da) superficie|riflettanza (?:superficiale|al suolo)"
        r"|corrigee? de l ?atmosphere"
        r"|(?<!not )(?<!not yet )(?<!un )atmospheric(?:ally)? (?:effects )?(?:correct|compensat)ed)\b"
    ),
    1: re.compile(r"\b(?:toa|top of (?:the )?atmosphere)\b"),
}
#: The unit of a radiance, whose steradian is no surface reflectance: ``W m-2 sr-1 um-1``.
_RADIANCE = re.compile(r"\b[mu]?w(?:atts?)?\b.{0,20}?\bsr\b")
#: Texts that are remembered in words; longer ones come once.
_SHORT: Final = 200
#: Ids that a mission gives to its products; an id of the user's own says nothing.
_IDS: Final = (
    re.compile(r"s2[a-d]_msil([0-3])"),
    re.compile(r"s2[a-d]_(?:oper|user)_\w*?_l([0-3])[a-c]_"),
    re.compile(r"s2[a-d]_\w+_l([0-3])[a-c](?:_|$)"),
    re.compile(r"l[cotem]0\d_l([0-3])[a-z]{2}_"),
    re.compile(r"l[cotem]0\d_cu_\w+_(?:sr|st)$()"),
    re.compile(r"hls\.[sl]30\.()"),
)
#: Missions of which providers distribute surface reflectance too: an item that does not say which it is may be either.
_TWO_LEVELS = re.compile(
    r"\b(?:landsat ?\d?|sentinel ?[23] ?[a-d]?|s2[a-d]|planetscope|super ?dove|skysat|rapideye|terra|aqua|suomi npp|snpp"
    r"|noaa ?2\d|proba ?v|venus)\b"
)

_MISSIONS: Final = {
    SENTINEL2: re.compile(r"\b(?:sentinel ?2 ?[a-z]?|s2[a-e]?|s2msi\w*|msi)\b"),
    LANDSAT: re.compile(r"\b(?:landsat ?\d?|l[cote]0?[4-9]|oli(?: ?tirs)?|etm)\b"),
}
_MISSION_IDS: Final = {
    SENTINEL2: re.compile(r"(?i)S2[A-D]_(?:MSIL|OPER_|USER_|T?\d\d[A-Z]{3}_|\d{8})"),
    LANDSAT: re.compile(r"(?i)L[COTE]0?[4-9](?:_L1|\d{13})"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingLevel:
    """A processing level and who says so.

    Args:
        number: 0 to 4; None for a statement that is not understood.
        said: The statement (``collection HLSS30_2.0``).
    """

    number: int | None
    said: str

    @property
    def top_of_atmosphere(self) -> bool:
        """Whether pixels of this level are still to be corrected for the atmosphere."""
        return self.number == 1


def stated_level(properties: Mapping[str, Any], *, collection: str, item_id: str) -> ProcessingLevel | None:
    """The level that an item, or the properties of a scene, states; None when nothing does.

    Args:
        properties: Properties of the item.
        collection: Collection; empty when it has none.
        item_id: Id.
    """
    stated = list(_statements(properties, collection=collection, item_id=item_id))
    mission = any(_TWO_LEVELS.search(_plain(properties.get(name))) for name in ("platform", "constellation"))
    own = [level for level in stated if level.said.startswith(OWN_PROPERTY)]
    if own and not mission:
        return own[0]
    understood = [level for level in stated if level.number is not None]
    return max(understood, key=lambda level: level.number or 0) if understood else next(iter(stated), None)


def level_in(text: str) -> int | None:
    """The level that a text means, whichever its spelling; None when it means none."""
    plain = _plain(text)
    if alone := _ALONE.fullmatch(plain):
        return int(alone[1])
    roman = _ROMAN.fullmatch(plain)
    return len(roman[1]) if roman else _named(text)


def names_surface(text: str) -> bool:
    """Whether a text speaks of reflectance at the surface, in whichever words and separators."""
    words = _words(text)
    return _NAMES[2].search(words) is not None and _NAMES[1].search(words) is None


def has_two_levels(*names: str) -> bool:
    """Whether one of these platforms, constellations or families is of a mission with products of Level 1 and of Level 2."""
    return any(_TWO_LEVELS.search(_plain(name)) for name in names)


def mission_of(*names: str, item_id: str) -> str:
    """The constellation that a platform, constellation, collection or product id names; empty for a sensor of the user's own.

    Args:
        names: Names of platform, constellation and collection in the item.
        item_id: Id; only ids that a mission gives to its products say anything.
    """
    told = " ".join(_plain(name) for name in names)
    found = next((mission for mission, pattern in _MISSIONS.items() if pattern.search(told)), "")
    return found or next((mission for mission, pattern in _MISSION_IDS.items() if pattern.match(item_id)), "")


def level_of_part(record: Mapping[str, Any]) -> ProcessingLevel | None:
    """The level that an asset, or a band of it, states for itself; None when it states none that is understood."""
    stated = [level for level in _statements(record, collection="", item_id="") if level.number is not None]
    return max(stated, key=lambda level: level.number or 0, default=None)


def _statements(properties: Mapping[str, Any], *, collection: str, item_id: str) -> Iterator[ProcessingLevel]:
    for name in (OWN_PROPERTY, *_LEVELS):
        if properties.get(name):
            yield ProcessingLevel(number=level_in(str(properties[name])), said=f"{name} {str(properties[name])[:60]}")
    for name in (n for n in properties if n not in (OWN_PROPERTY, *_LEVELS)):
        number = _implied(name, value=properties[name])
        if number is not None:
            yield ProcessingLevel(number=number, said=f"{name} {str(properties[name])[:60]}")
    if (number := _named(collection)) is not None:
        yield ProcessingLevel(number=number, said=f"collection {collection[:60]}")
    found = next((m for pattern in _IDS if (m := pattern.match(item_id.lower()))), None)
    if found:
        yield ProcessingLevel(number=int(found[1] or 2), said=f"id {item_id[:60]}")


def _implied(name: str, *, value: Any) -> int | None:
    """The level that a property implies by its value; None when it implies none."""
    if not isinstance(value, str | int | float | list):
        return None
    said = str(value)
    if _OTHER_LEVELS.fullmatch(name) or (_ANY_LEVEL.fullmatch(name) and not _plain(said).isdigit()):
        return level_in(said)
    return _named(said) if _TYPES.fullmatch(name) else None


def _named(text: Any) -> int | None:
    """The highest level among the words of a name."""
    words = _words(text)
    numbers = [int(found) for pattern in _WORDS for found in pattern.findall(words)]
    numbers += [number for number, pattern in _NAMES.items() if pattern.search(words)]
    return max(numbers, default=None)


def _words(text: Any) -> str:
    """A text's words, and again as its capitals part them: ``surfacereflectance | surface reflectance``."""
    spelled = str(text or "")
    return _worded(spelled) if len(spelled) <= _SHORT else _worded.__wrapped__(spelled)


@lru_cache(maxsize=1024)
def _worded(text: str) -> str:
    # The names of bands and properties come again with every scene.
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", " ", text)
    plain, split = (_RADIANCE.sub("", _plain(spelled)) for spelled in (text, parted))
    return plain if plain == split else f"{plain} | {split}"


def _plain(value: Any) -> str:
    """Words in lower case, without accents, with one space between them."""
    text = str(value or "").lower()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", text).strip()
