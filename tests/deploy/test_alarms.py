"""The alarms in Prometheus itself: its own tests of rules, and a bad night that reaches Alertmanager."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from swath.deploy.monitoring.alarms import ALARMS
from swath.metrics.beat import Beat
from swath.metrics.pushgateway import Pushgateway

RULES = Path(__file__).resolve().parents[2] / "spark-operator" / "monitoring" / "rules.yaml"
_PROGRAMS = ("prometheus", "promtool", "prometheus-pushgateway", "prometheus-alertmanager")
pytestmark = [
    pytest.mark.tools,
    pytest.mark.skipif(not all(map(shutil.which, _PROGRAMS)), reason="make monitoring installs Prometheus and its companions"),
]
_PROMTOOL = shutil.which("promtool") or ""
_LABELS = '{site="s", pipeline="ard"}'
_DAY = 1440  # minutes


def test_promtool_takes_the_rules() -> None:
    done = subprocess.run([_PROMTOOL, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _series(**series: str) -> list[dict[str, str]]:
    return [{"series": f"swath_{name}{_LABELS}", "values": values} for name, values in series.items()]


#: By alarm: series by the minute (promtool begins at the epoch), the minute to look at, and whether it speaks.
_CASES: list[tuple[str, list[dict[str, str]], int, bool]] = [
    ("QuarantinedShare", _series(quarantined_share="0.3+0x10"), 5, True),
    ("QuarantinedShare", _series(quarantined_share="0.2+0x10"), 5, False),
    ("NoRunEnded", _series(last_end_timestamp_seconds="0+0x1600"), 1561, True),
    ("NoRunEnded", _series(last_end_timestamp_seconds="0+0x1600"), 1559, False),
    ("NoRunEnded", _series(last_beat_timestamp_seconds="0+60x1600"), 1561, True),
    ("NoRunEnded", _series(last_beat_timestamp_seconds="0+60x1600"), 1500, False),
    ("NoRunEnded", _series(last_beat_timestamp_seconds="0+60x1600", last_end_timestamp_seconds="0+60x1600"), 1590, False),
    ("DeadRun", _series(run_open="1+0x60", last_beat_timestamp_seconds="0+0x60"), 16, True),
    ("DeadRun", _series(run_open="1+0x60", last_beat_timestamp_seconds="0+60x60"), 59, False),
    ("DeadRun", _series(run_open="0+0x60", last_beat_timestamp_seconds="0+0x60"), 59, False),
    ("AccountOutOfBalance", _series(account_remainder="1+0x5"), 5, True),
    ("AccountOutOfBalance", _series(account_remainder="0+0x5"), 5, False),
    ("CatalogueOutboxStays", _series(outbox_waiting=f"5+0x{_DAY + 30}"), _DAY + 10, True),
    ("CatalogueOutboxStays", _series(outbox_waiting=f"5+0x{_DAY} 0+0x30"), _DAY + 10, False),
    ("CatalogueOutboxStays", _series(outbox_waiting="5+0x60"), 30, False),
    ("LinkCut", _series(receipt_age_seconds="172801+0x5"), 5, True),
    ("LinkCut", _series(receipt_age_seconds="172800+0x5"), 5, False),
    ("RunOverBudget", _series(run_cost="100.5+0x5"), 5, True),
    ("RunOverBudget", _series(run_cost="99+0x5"), 5, False),
]


def test_every_alarm_speaks_when_it_should_and_only_then(tmp_path: Path) -> None:
    assert {name for name, _, _, speaks in _CASES if speaks} == {alarm.name for alarm in ALARMS}
    written = {rule["alert"]: rule for rule in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]}
    tests = []
    for name, series, minute, speaks in _CASES:
        rule = written[f"Swath{name}"]
        summary = rule["annotations"]["summary"].replace("{{ $labels.site }}", "s").replace("{{ $labels.pipeline }}", "ard")
        told = {
            "exp_labels": {"severity": "warning", "site": "s", "pipeline": "ard"},
            "exp_annotations": {**rule["annotations"], "summary": summary},
        }
        asked = {"eval_time": f"{minute}m", "alertname": f"Swath{name}", "exp_alerts": [told] if speaks else []}
        tests.append({"interval": "1m", "input_series": series, "alert_rule_test": [asked]})
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}), encoding="utf-8")
    done = subprocess.run([_PROMTOOL, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  our own servers
        return json.loads(answer.read() or b"null")


def _until(what: Callable[[], Any], *, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = what()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"not in {seconds} s")


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """Pushgateway, Prometheus and Alertmanager on loopback: their addresses."""
    push, prom, alert = (f"127.0.0.1:{_port()}" for _ in range(3))
    (tmp_path / "alertmanager.yaml").write_text(yaml.safe_dump({"route": {"receiver": "x"}, "receivers": [{"name": "x"}]}))
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alert]}]}]},
        "scrape_configs": [{"job_name": "push", "honor_labels": True, "static_configs": [{"targets": [push]}]}],
    }
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(settings))
    commands = (
        ["prometheus-pushgateway", f"--web.listen-address={push}"],
        [
            "prometheus-alertmanager",
            f"--config.file={tmp_path}/alertmanager.yaml",
            f"--storage.path={tmp_path}/a",
            f"--web.listen-address={alert}",
            "--cluster.listen-address=",
        ],
        [
            "prometheus",
            f"--config.file={tmp_path}/prometheus.yaml",
            f"--storage.tsdb.path={tmp_path}/p",
            f"--web.listen-address={prom}",
        ],
    )
    with ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        _until(lambda: _get(f"http://{prom}/api/v1/status/runtimeinfo"))
        _until(lambda: _get(f"http://{alert}/api/v2/status"))
        yield f"http://{push}", f"http://{prom}", f"http://{alert}"


def _night(site: str, *, quarantined: int) -> Beat:
    end = Beat(event="end", at=datetime.now(UTC), run_id="r", site=site, pipeline="ard")
    return replace(end, scenes_in=10, made=10 - quarantined, quarantined=quarantined)


def test_a_bad_night_reaches_alertmanager_and_a_calm_one_does_not(services: tuple[str, str, str]) -> None:
    push, prom, alert = services
    gateway = Pushgateway(push)
    for site, quarantined in (("calm", 1), ("bad", 3)):
        start = Beat(event="start", at=datetime.now(UTC), run_id="r", site=site, pipeline="ard")
        assert gateway.tell(start) == ""
        assert gateway.tell(_night(site, quarantined=quarantined)) == ""
    alerts = _until(lambda: _get(f"{alert}/api/v2/alerts"))
    assert [(a["labels"]["alertname"], a["labels"]["site"]) for a in alerts] == [("SwathQuarantinedShare", "bad")]
    # the start of the next run leaves the end of the last one
    gateway.tell(Beat(event="start", at=datetime.now(UTC), run_id="r2", site="bad", pipeline="ard"))
    ends = _get(f"{prom}/api/v1/query?query=swath_last_end_timestamp_seconds")["data"]["result"]
    assert sorted(e["metric"]["site"] for e in ends) == ["bad", "calm"]
    groups = [g for g in _get(f"{push}/api/v1/metrics")["data"] if g["labels"]["site"] == "bad"]
    assert len(groups) == 1, "a run's id is no part of the group"
    assert "swath_last_end_timestamp_seconds" in groups[0]


def test_a_gateway_that_is_away_is_told_in_words() -> None:
    assert Pushgateway(f"http://127.0.0.1:{_port()}").tell(_night("s", quarantined=0)).startswith("Pushgateway http://127.0.0.1")
