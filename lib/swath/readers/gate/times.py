"""When an acquisition can have been: since there are satellites, and not later than tomorrow."""

from datetime import UTC, datetime, timedelta
from typing import Final

from swath.errors import MetadataError

#: The year of the first satellite.
EARLIEST: Final = datetime(1957, 1, 1, tzinfo=UTC)
#: Clocks, and zones that were left out, differ by less than a day.
AHEAD: Final = timedelta(days=1)


def check_time(acquired: datetime, *, scene_id: str = "") -> None:
    """Refuse a time at which no scene was acquired: a placeholder, two digits of a year, milliseconds taken for seconds.

    Args:
        acquired: Aware.
        scene_id: Id of the scene, for the message.

    Raises:
        MetadataError: It is before 1957, or later than tomorrow by this machine's clock.
    """
    now = datetime.now(UTC)
    if EARLIEST <= acquired <= now + AHEAD:
        return
    early = acquired < EARLIEST
    raise MetadataError(
        "no scene can be of that time",
        expected=f"a time since {EARLIEST:%Y}, not later than tomorrow",
        got=acquired.isoformat() + ("" if early else f"; this machine's clock says {now:%Y-%m-%dT%H:%M}Z"),
        remedy="Correct the time in the metadata." if early else "Correct the time in the metadata, or the clock.",
        scene_id=scene_id,
    )
