"""The same alarms as rules of Prometheus, and a dashboard for Grafana."""

from typing import Any

from swath.deploy.monitoring.alarms import ALARMS, Alarm
from swath.metrics.names import LAST_BEAT, LAST_END, METRICS

_SERIES = {metric.name: metric.series for metric in METRICS}
_COLUMNS, _WIDTH, _HEIGHT = 3, 8, 8


def rules() -> dict[str, Any]:
    """The file of rules."""
    return {"groups": [{"name": "swath", "rules": [_rule(alarm) for alarm in ALARMS]}]}


def _rule(alarm: Alarm) -> dict[str, Any]:
    return {
        "alert": f"Swath{alarm.name}",
        "expr": expression(alarm),
        "labels": {"severity": "warning"},
        "annotations": {
            "summary": f"{alarm.summary} ({{{{ $labels.site }}}}, {{{{ $labels.pipeline }}}})",
            "description": alarm.remedy,
        },
    }


def expression(alarm: Alarm) -> str:
    """The alarm in PromQL, one result for each site and pipeline that it speaks of."""
    series = _SERIES[alarm.metric]
    if alarm.shape == "above":
        return f"{series} > {alarm.threshold:g}"
    if alarm.shape == "lasting":
        return f"min_over_time({series}[{alarm.over_s}s]) > {alarm.threshold:g} and {series} offset {alarm.over_s}s"
    if alarm.shape == "silent":
        # a site that has begun and never ended a run counts from its first sign of life
        never = f"({LAST_BEAT} unless {LAST_END}) and {LAST_BEAT} offset {alarm.over_s}s"
        return f"time() - {LAST_END} > {alarm.over_s} or {never}"
    return f"{series} == 1 and time() - {LAST_BEAT} > {alarm.over_s}"


def grafana() -> dict[str, Any]:
    """Every metric once, for all sites and pipelines."""
    panels = [
        {
            "id": number + 1,
            "type": "timeseries",
            "title": metric.meaning,
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "gridPos": {"x": number % _COLUMNS * _WIDTH, "y": number // _COLUMNS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
            "fieldConfig": {"defaults": {"unit": {"Seconds": "s", "Count": "short"}.get(metric.unit, "none")}, "overrides": []},
            "targets": [{"refId": "A", "expr": metric.series, "legendFormat": "{{site}} {{pipeline}}"}],
        }
        for number, metric in enumerate(METRICS)
    ]
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": "swath",
        "title": "swath",
        "schemaVersion": 39,
        "version": 1,
        "time": {"from": "now-7d", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }
