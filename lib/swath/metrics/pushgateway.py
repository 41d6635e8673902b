"""Beats as series of a Prometheus Pushgateway, grouped by site and pipeline."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import quote

from swath.metrics.beat import Beat
from swath.metrics.names import LAST_BEAT, LAST_END, METRICS

_TIMEOUT_S = 5.0


class Pushgateway:
    """Replaces the series of one site and pipeline.

    The gateway forgets nothing, so a run's id is no part of the group. Each push replaces the series that it names and leaves
    the others: the time of the last end outlives the start of the next run.

    Args:
        url: ``https://host:port`` of the gateway.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def tell(self, beat: Beat) -> str:
        """Push it. The newest numbers are enough, so nothing waits."""
        group = f"job/swath/site/{quote(beat.site, safe='')}/pipeline/{quote(beat.pipeline, safe='')}"
        body = "".join(f"{line}\n" for line in _lines(beat)).encode()
        request = urllib.request.Request(f"{self._url}/metrics/{group}", data=body, method="POST")  # noqa: S310  a site's own address
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310  as above
                return ""
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            return f"Pushgateway {self._url}: {error}"


def _lines(beat: Beat) -> Iterator[str]:
    """The text that Prometheus reads."""
    for metric in METRICS:
        value = metric.value(beat)
        if value is not None:
            yield from _series(metric.series, meaning=metric.meaning, value=float(value))
    yield from _series(LAST_BEAT, meaning="When a run was last heard of", value=beat.at.timestamp())
    if beat.event == "end" and not beat.error:
        yield from _series(LAST_END, meaning="When a run last came to a good end", value=beat.at.timestamp())


def _series(name: str, *, meaning: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    yield f"{name} {value!r}"
