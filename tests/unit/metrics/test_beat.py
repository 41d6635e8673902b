from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.errors import ConfigError
from swath.metrics.beat import Beat, beat_of, beats_of
from swath.metrics.emf import emf
from swath.metrics.names import METRICS, values_of

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


def _beat(**fields: object) -> Beat:
    return Beat(**{"event": "end", "at": NOW, "run_id": "ard-1", "site": "s", "pipeline": "ard", **fields})  # type: ignore[arg-type]


@given(
    counts=st.tuples(*[st.integers(0, 10**6)] * 4),
    seconds=st.floats(0, 1e6).map(lambda s: round(s, 3)),
    age=st.none() | st.floats(0, 1e7).map(lambda s: round(s, 3)),
    name=st.text(min_size=1, max_size=20),
)
def test_a_line_and_back(counts: tuple[int, ...], seconds: float, age: float | None, name: str) -> None:
    beat = _beat(
        scenes_in=counts[0],
        made=counts[1],
        skipped=counts[2],
        quarantined=counts[3],
        seconds=seconds,
        receipt_age_s=age,
        run_id=name,
    )
    assert beat_of(beat.to_json()) == beat
    assert "\n" not in beat.to_json()


@pytest.mark.parametrize("line", ["", "null", "{}", '{"event": "end"', '{"at": 1}', _beat().to_json().replace("+00:00", "")])
def test_what_is_no_beat_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="a line of the metrics"):
        beat_of(line)


def test_a_stream_that_was_cut_short_is_refused() -> None:
    text = f"{_beat(event='start').to_json()}\n{_beat().to_json()}\n"
    assert [b.event for b in beats_of(text.encode())] == ["start", "end"]
    with pytest.raises(ConfigError, match="is not a beat"):
        beats_of(text.encode()[:-20])


def test_values_of_a_run_at_work_and_at_its_end() -> None:
    counts = {"scenes_in": 10, "made": 5, "skipped": 2, "quarantined": 3, "seconds": 60.0}
    alive, end = values_of(_beat(event="alive", **counts)), values_of(_beat(**counts))
    assert (end["QuarantinedShare"], end["AccountRemainder"], end["RunOpen"], end["RunsEnded"]) == (0.3, 0.0, 0.0, 1.0)
    assert alive.keys().isdisjoint({"QuarantinedShare", "AccountRemainder", "RunsEnded", "RunCost", "ReceiptAge"})
    assert alive["RunOpen"] == 1.0
    assert values_of(_beat(error="ServiceError"))["RunsEnded"] == 0.0
    assert values_of(_beat(scenes_in=10, made=9))["AccountRemainder"] == 1.0


def test_there_are_few_metrics() -> None:
    assert len(METRICS) <= 20
    assert len({m.name for m in METRICS}) == len({m.series for m in METRICS}) == len(METRICS)


def test_events_are_what_cloudwatch_specifies() -> None:
    """Root members, names and units of "Specification: Embedded metric format"."""
    event = emf(
        _beat(scenes_in=10, made=10, receipt_age_s=1.0, cost=2.5, model_psi=0.1, model_outside=0.0, model_confidence=0.9),
        namespace="swath",
    )
    (directive,) = event["_aws"]["CloudWatchMetrics"]
    assert event["_aws"]["Timestamp"] == 1795662000000  # date -ud 2026-11-26T03:00Z +%s
    assert directive["Dimensions"] == [["Site", "Pipeline"]]
    assert len(directive["Metrics"]) == len(METRICS) <= 100
    for metric in directive["Metrics"]:
        assert isinstance(event[metric["Name"]], float)
        assert metric["Unit"] in {"Count", "Seconds", "None"}
    for dimension in directive["Dimensions"][0]:
        assert isinstance(event[dimension], str)
    assert "ard-1" not in str(event)
