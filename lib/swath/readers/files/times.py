"""Times as metadata spells them: ISO 8601 and RFC 3339 with their leap seconds and lower-case letters."""

import re
from datetime import UTC, datetime, timedelta

#: The seconds of a time of day, whole and fraction.
_SECONDS = re.compile(r"(?<=\d\d:\d\d:)(?P<whole>\d\d)(?P<fraction>[.,]\d+)?")
_MOST_SECONDS = 60
#: ``fromisoformat`` takes six digits of a second at most from some writers' nine.
_DIGITS = 6


def time_in(text: str) -> datetime:
    """A time; aware when the text has a zone.

    A second of 60 (a leap second, or one that a provider rounded up) is the first second of the next minute: ``datetime``
    has no other place for it.

    Args:
        text: ``2016-12-31T23:59:60Z``, ``2023-06-01t10:20:60.01z``, ``2023-06-01 10:20:30+02:00``.

    Raises:
        ValueError: The text is not a time, or not of the years 1 to 9999.
    """
    plain = text.strip().upper()
    seconds = _SECONDS.search(plain)
    if seconds is None:
        return datetime.fromisoformat(plain)
    whole, fraction = int(seconds["whole"]), (seconds["fraction"] or "").replace(",", ".")[: _DIGITS + 1]
    carried = whole == _MOST_SECONDS
    spelled = f"{0 if carried else whole:02d}{fraction}"
    time = datetime.fromisoformat(f"{plain[: seconds.start()]}{spelled}{plain[seconds.end() :]}")
    try:
        return time + timedelta(minutes=1) if carried else time
    except OverflowError as error:
        raise ValueError(str(error)) from error


def utc_time(text: str) -> datetime:
    """A time as UTC; without a zone it is UTC, as all times of ESA and USGS are.

    Raises:
        ValueError: The time cannot be expressed in UTC.
    """
    time = time_in(text)
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error
