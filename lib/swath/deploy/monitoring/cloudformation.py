"""The stack of a dashboard for all sites, and of the alarms of one site and pipeline."""

import json
from typing import Any

from swath.deploy.monitoring.alarms import ALARMS, Alarm
from swath.metrics.emf import DIMENSIONS
from swath.metrics.names import METRICS, Metric

_HOUR_S = 3600
_STATISTICS = {"ScenesMade": "Maximum", "ScenesQuarantined": "Maximum", "QuarantinedShare": "Maximum"}
_COLUMNS, _WIDTH, _HEIGHT = 3, 8, 6


def stack() -> dict[str, Any]:
    """The template."""
    resources: dict[str, Any] = {"Dashboard": _dashboard()}
    for alarm in ALARMS:
        resources |= _dead(alarm) if alarm.shape == "dead" else {alarm.name: _alarm(alarm)}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Alarms of one site and pipeline of swath, and once for all of them a dashboard",
        "Parameters": {
            "Site": {"Type": "String", "Description": "site of the site file"},
            "Pipeline": {"Type": "String", "Description": "pipeline of the job file"},
            "Namespace": {"Type": "String", "Default": "swath", "Description": "metrics.namespace of the site file"},
            "TopicArn": {"Type": "String", "Default": "", "Description": "SNS topic that receives alarms; empty for none"},
            "WithDashboard": {
                "Type": "String",
                "Default": "true",
                "AllowedValues": ["true", "false"],
                "Description": "One stack of an account makes the dashboard, which shows all sites",
            },
        },
        "Conditions": {
            "HasTopic": {"Fn::Not": [{"Fn::Equals": [{"Ref": "TopicArn"}, ""]}]},
            "HasDashboard": {"Fn::Equals": [{"Ref": "WithDashboard"}, "true"]},
        },
        "Resources": resources,
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    """One number against its threshold."""
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**_named(alarm), **_expression(alarm), **_actions()}}


def _expression(alarm: Alarm) -> dict[str, Any]:
    """What is compared with what, and what missing data means."""
    if alarm.shape == "silent":
        # a metric that was not told is the very thing
        return _threshold(
            alarm.metric, statistic="Sum", below=1, period_s=_HOUR_S, periods=alarm.over_s // _HOUR_S, missing="breaching"
        )
    if alarm.shape == "lasting":
        periods = alarm.over_s // _HOUR_S
        return _threshold(
            alarm.metric, statistic="Minimum", above=alarm.threshold, period_s=_HOUR_S, periods=periods, missing="ignore"
        )
    # the state of the last run stays until the next one tells
    return _threshold(alarm.metric, statistic="Maximum", above=alarm.threshold, period_s=300, periods=1, missing="ignore")


def _dead(alarm: Alarm) -> dict[str, Any]:
    """A run that is at work (the state stays while no beat arrives), and a run that has gone silent."""
    minutes = alarm.over_s // 60
    at_work = _threshold(alarm.metric, statistic="Minimum", above=0, period_s=60, periods=1, missing="ignore")
    unheard = _threshold(alarm.metric, statistic="SampleCount", below=1, period_s=60, periods=minutes, missing="breaching")
    parts = {
        f"{alarm.name}AtWork": (at_work, "A run is active; part of another alarm"),
        f"{alarm.name}Unheard": (unheard, "A run has gone silent; part of another alarm"),
    }
    made: dict[str, Any] = {
        name: {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"AlarmName": _name(name), "AlarmDescription": text, **expression},
        }
        for name, (expression, text) in parts.items()
    }
    rule = " AND ".join(f'ALARM("${{{name}}}")' for name in parts)
    properties = {**_named(alarm), "AlarmRule": {"Fn::Sub": rule}, **_actions()}
    return made | {alarm.name: {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": properties}}


def _threshold(
    metric: str,
    *,
    statistic: str,
    period_s: int,
    periods: int,
    missing: str,
    above: float | None = None,
    below: float | None = None,
) -> dict[str, Any]:
    return {
        "Namespace": {"Ref": "Namespace"},
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": {"Ref": name}} for name in DIMENSIONS],
        "Statistic": statistic,
        "Period": period_s,
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": periods,
        "ComparisonOperator": "LessThanThreshold" if above is None else "GreaterThanThreshold",
        "Threshold": below if above is None else above,
        "TreatMissingData": missing,
    }


def _named(alarm: Alarm) -> dict[str, Any]:
    return {"AlarmName": _name(alarm.name), "AlarmDescription": f"{alarm.summary}. {alarm.remedy}"}


def _name(name: str) -> dict[str, str]:
    return {"Fn::Sub": f"swath-${{Site}}-${{Pipeline}}-{name}"}


def _actions() -> dict[str, Any]:
    return {"AlarmActions": {"Fn::If": ["HasTopic", [{"Ref": "TopicArn"}], {"Ref": "AWS::NoValue"}]}}


def _dashboard() -> dict[str, Any]:
    """Every metric once, for all sites and pipelines that there are."""
    widgets = [_widget(metric, number=number) for number, metric in enumerate(METRICS)]
    body = json.dumps({"widgets": widgets}, separators=(",", ":"))
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Condition": "HasDashboard",
        "Properties": {"DashboardName": "swath", "DashboardBody": {"Fn::Sub": body}},
    }


def _widget(metric: Metric, *, number: int) -> dict[str, Any]:
    statistic = _STATISTICS.get(metric.name, "Sum" if metric.name == "RunsEnded" else "Maximum")
    found = f'{{${{Namespace}},{",".join(DIMENSIONS)}}} MetricName="{metric.name}"'
    expression = f"SEARCH('{found}', '{statistic}', {_HOUR_S})"
    return {
        "type": "metric",
        "x": number % _COLUMNS * _WIDTH,
        "y": number // _COLUMNS * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": metric.meaning,
            "metrics": [[{"expression": expression, "label": ""}]],
            "region": "${AWS::Region}",
            "view": "timeSeries",
            "period": _HOUR_S,
        },
    }
