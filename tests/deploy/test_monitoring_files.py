"""Dashboards and alarms: the files that people apply are those of the table, for CloudWatch and for Prometheus alike."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.test_examples import kept

from swath.deploy.monitoring.alarms import ALARMS
from swath.deploy.monitoring.cloudformation import stack
from swath.deploy.monitoring.prometheus import grafana, rules
from swath.deploy.render.plain import as_yaml
from swath.metrics.names import METRICS

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "emr-on-eks" / "monitoring.yaml"
RULES = ROOT / "spark-operator" / "monitoring" / "rules.yaml"
GRAFANA = ROOT / "spark-operator" / "monitoring" / "swath.json"


@pytest.mark.parametrize(
    ("path", "text"),
    [(STACK, as_yaml(stack())), (RULES, as_yaml(rules())), (GRAFANA, json.dumps(grafana(), indent=2) + "\n")],
)
def test_the_files_are_those_of_the_table(path: Path, text: str) -> None:
    assert kept(path, text) == text, f"{path} is stale"


def _alarms() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load(STACK.read_text(encoding="utf-8"))["Resources"]
    return made


def test_both_services_have_every_alarm() -> None:
    ruled = {rule["alert"] for rule in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]}
    assert ruled == {f"Swath{alarm.name}" for alarm in ALARMS}
    assert {alarm.name for alarm in ALARMS} <= _alarms().keys()
    assert {alarm.metric for alarm in ALARMS} <= {metric.name for metric in METRICS}


def test_cfn_lint_finds_nothing() -> None:
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    done = subprocess.run([lint, str(STACK)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_alarms_stay_within_what_cloudwatch_evaluates() -> None:
    """At most a day, or a week for periods of an hour."""
    for alarm in _alarms().values():
        if alarm["Type"] == "AWS::CloudWatch::Alarm":
            properties = alarm["Properties"]
            over_s = properties["Period"] * properties["EvaluationPeriods"]
            assert over_s <= (7 * 86400 if properties["Period"] >= 3600 else 86400)


def test_silence_is_an_alarm_and_a_night_without_news_is_none() -> None:
    missing = {name: a["Properties"].get("TreatMissingData") for name, a in _alarms().items()}
    assert missing["NoRunEnded"] == missing["DeadRunUnheard"] == "breaching"
    assert {missing[name] for name in ("QuarantinedShare", "AccountOutOfBalance", "RunOverBudget", "DeadRunAtWork")} == {"ignore"}


def test_the_dashboards_show_every_metric() -> None:
    body = _alarms()["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    assert len(widgets) == len(METRICS)
    shown = {panel["targets"][0]["expr"] for panel in grafana()["panels"]}
    assert shown == {metric.series for metric in METRICS}
    assert all(any(f'MetricName="{m.name}"' in str(w["properties"]["metrics"]) for w in widgets) for m in METRICS)
