"""When a delivery was acquired: of two deliveries with one id only the later version of one acquisition may replace the other.

A satellite that passes twice over one tile, and a tile that two datastrips share, give pixels of their own: neither delivery is
a version of the other, whatever their processing dates.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

#: Properties that name the pass and the part of it, each with the time at which it began.
STRIPS: Final = ("s2:datatake_id", "s2:datastrip_id")
_BEGAN: Final = re.compile(r"_(\d{8}T\d{6})")
#: In a datastrip's id the time of its making comes first.
_SENSED: Final = re.compile(r"_S(\d{8}T\d{6})")
#: Versions of one acquisition are dated by its start, its centre or its tile; an orbit takes more than 85 minutes.
_APART: Final = (timedelta(minutes=20), timedelta(minutes=1), timedelta(minutes=1))
#: What joins the moments in a column.
BETWEEN: Final = "|"


def moments_of(scene: Mapping[str, Any]) -> str:
    """When a scene was acquired, and which pass and part of it the delivery names.

    Args:
        scene: JSON of a scene: ``acquired`` and ``properties``.
    """
    properties = scene.get("properties") or {}
    return BETWEEN.join([scene.get("acquired") or "", *(str(properties.get(name) or "") for name in STRIPS)])


def one_acquisition(one: str | None, other: str | None) -> bool:
    """Whether two deliveries can be versions of one acquisition: nothing that both tell says otherwise.

    Args:
        one: ``moments_of`` a scene; empty where it is unknown.
        other: Moments of another scene.
    """
    pairs = zip(_times(one), _times(other), _APART, strict=True)
    return all(a is None or b is None or abs(a - b) <= apart for a, b, apart in pairs)


def words_of(moments: str | None) -> str:
    """The moments for a person: time of acquisition, and the datastrip where it is known."""
    acquired, _, strip = _parts(moments)
    return ", ".join([*([f"acquired {acquired}"] if acquired else []), *([f"datastrip {strip}"] if strip else [])])


def _times(moments: str | None) -> tuple[datetime | None, datetime | None, datetime | None]:
    acquired, datatake, datastrip = _parts(moments)
    return _time(acquired), _began(_BEGAN.search(datatake)), _began(_SENSED.search(datastrip))


def _parts(moments: str | None) -> tuple[str, str, str]:
    acquired, datatake, datastrip = [*(moments or "").split(BETWEEN), "", "", ""][:3]
    return acquired, datatake, datastrip


def _began(found: re.Match[str] | None) -> datetime | None:
    return None if found is None else _time(found[1])


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
