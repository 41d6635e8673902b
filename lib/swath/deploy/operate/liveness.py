"""Whether a run without a result is still at work, by the last words of its stream."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from swath.metrics.beat import Beat, beats_of

#: A run shows every minute that it is alive; a store may be away for five of them.
SILENT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a run's stream says.

    Args:
        last: Last beat.
        began: Start of the execution that the beat belongs to.
        dead: Neither ended nor at work: killed, out of memory, out of time, or cut from its store.
        text: Human-readable text.
    """

    last: Beat
    began: datetime
    dead: bool
    text: str


def life_of(data: bytes, *, now: datetime, max_duration_s: float) -> Life:
    """Read a stream.

    Args:
        data: The file.
        now: Clock, aware.
        max_duration_s: The longest that the run may last [s].

    Raises:
        ConfigError: The stream holds no beats.
    """
    beats = beats_of(data)
    last = beats[-1]
    began = next((beat.at for beat in reversed(beats) if beat.event == "start"), beats[0].at)
    if last.event == "end":
        how = f"ended by {last.error}" if last.error else "ended"
        return Life(last=last, began=began, dead=False, text=f"it {how} at {last.at:%Y-%m-%dT%H:%M:%SZ}")
    heard = f"it began at {began:%Y-%m-%dT%H:%M:%SZ} and was last heard of at {last.at:%Y-%m-%dT%H:%M:%SZ}"
    if now - began > timedelta(seconds=max_duration_s):
        return Life(last=last, began=began, dead=True, text=f"the run is dead: {heard}, longer than its max_duration ago")
    if now - last.at > SILENT:
        return Life(last=last, began=began, dead=True, text=f"the run is dead: {heard}")
    return Life(last=last, began=began, dead=False, text=f"the run is at work: {heard}")
