import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from swath.cli.fleet import fleet_command
from swath.deploy.fleet import Row, fleet
from swath.deploy.site.files import load_job
from swath.deploy.site.site import Site
from swath.metrics.beat import Beat
from swath.report.fleet import fleet_page

Change = Callable[..., Site]
NOW = datetime.now(UTC)


def _site(change: Change, folder: Path, name: str = "kubernetes") -> Site:
    store = {"kind": "folder", "uri": str(folder), "shared": True, "claim": "c"}
    return change(
        name, stores={"scenes": store, "products": store}, border={"allow": ["metrics"], "to": str(folder / "to")}, logging={}
    )


def _leave(folder: Path, run_id: str, *, ended: datetime = NOW, **fields: Any) -> None:
    reports = folder / "ard" / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    counts = {"scenes_in": 4, "made": 3, "skipped": 1, "quarantined": 0}
    result = {"run_id": run_id, "site": "kubernetes", "pipeline": "ard", "code": "1.2.3", "ended": ended.isoformat(), **counts}
    (reports / f"{run_id}.json").write_text(json.dumps({**result, **fields}), encoding="utf-8")


def _stream(folder: Path, run_id: str, *, ago: timedelta, event: str = "alive", error: str = "") -> None:
    start = Beat(event="start", at=NOW - ago, run_id=run_id, site="kubernetes", pipeline="ard")
    (folder / "ard" / "reports").mkdir(parents=True, exist_ok=True)
    text = f"{start.to_json()}\n{replace(start, event=event, error=error, made=7).to_json()}\n"  # type: ignore[arg-type]
    (folder / "ard" / "reports" / f"{run_id}.metrics.jsonl").write_text(text, encoding="utf-8")


def _one(change: Change, folder: Path) -> Row:
    (row,) = fleet(load_job("ard"), sites=[_site(change, folder)], now=NOW)
    return row


def test_the_newest_run_is_told(tmp_path: Path, change: Change) -> None:
    _leave(tmp_path, "ard-1", ended=NOW - timedelta(days=1), quarantined=1, made=2)
    _leave(tmp_path, "ard-2", ended=NOW - timedelta(hours=2))
    (tmp_path / "ard" / "reports" / "forwarded").mkdir()
    (tmp_path / "ard" / "reports" / "forwarded" / "ard-1.json").write_text("{}", encoding="utf-8")
    row = _one(change, tmp_path)
    assert (row.state, row.run_id, row.scenes_in, row.made, row.backlog) == ("good", "ard-2", 4, 3, 1)
    assert (row.age_s, row.code, row.ledger) == (7200.0, "1.2.3", "delta")
    assert row.image.startswith("sha256:")
    assert row.receipt_age_s is not None
    assert row.receipt_age_s < 300


@pytest.mark.parametrize(
    ("fields", "state"),
    [({"made": 1}, "unbalanced"), ({"made": 1, "quarantined": 2}, "quarantined"), ({"made": "many"}, "failed")],
)
def test_a_result_that_is_not_good_has_its_own_word(fields: dict[str, Any], state: str, tmp_path: Path, change: Change) -> None:
    _leave(tmp_path, "ard-1", **fields)
    row = _one(change, tmp_path)
    assert (row.state, row.good) == (state, False)


@pytest.mark.parametrize(
    ("stream", "state"),
    [
        ({"ago": timedelta(minutes=5)}, "at work"),
        ({"ago": timedelta(minutes=20)}, "dead"),
        ({"ago": timedelta(minutes=20), "event": "end", "error": "ServiceError"}, "failed"),
    ],
)
def test_a_run_without_a_result_is_told_by_its_stream(stream: dict[str, Any], state: str, tmp_path: Path, change: Change) -> None:
    _stream(tmp_path, "ard-3", **stream)
    row = _one(change, tmp_path)
    assert (row.state, row.good, row.made) == (state, state == "at work", 7)


def test_a_site_without_a_run_says_so(tmp_path: Path, change: Change) -> None:
    assert _one(change, tmp_path).state == "no run"


def test_sites_that_cannot_be_reached_are_rows_and_cost_ten_seconds_at_most_together(
    tmp_path: Path, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that takes connections and never answers, another that takes none."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    _leave(tmp_path, "ard-1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hangs, closed = f"http://127.0.0.1:{silent.getsockname()[1]}", "http://127.0.0.1:9"
        sites = [_site(change, tmp_path)]
        for endpoint in (hangs, hangs, closed):
            store = {"kind": "s3-compatible", "endpoint": endpoint, "region": "x", "addressing": "path", "insecure_http": True}
            stores = {"scenes": {**store, "uri": "s3://scenes"}, "products": {**store, "uri": "s3://products"}}
            sites.append(
                change("kubernetes", site=f"site-{len(sites)}", stores=stores, logging={}, models={}, border={"allow": []})
            )
        since = time.monotonic()
        rows = fleet(load_job("ard"), sites=sites, now=NOW, wait_s=2.0)
        took_s = time.monotonic() - since
    assert [row.state for row in rows] == ["good", *["not reached"] * 3]
    assert rows[1].told == "no answer in time"
    assert took_s < 8
    assert threading.active_count() < 50


def test_the_command_is_3_when_a_site_needs_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        Row(site="a", state="good", run_id="ard-1", code="1.2.3"),
        Row(site="b", state="dead", told="the run is dead: killed"),
    ]
    monkeypatch.setattr("swath.cli.fleet.fleet", lambda _job, *, sites: rows[: len(sites)])
    done = CliRunner().invoke(fleet_command, ["ard", "--sites", "kubernetes,eks-anywhere", "--json"])
    assert done.exit_code == 3
    assert [row["site"] for row in json.loads(done.stdout)["sites"]] == ["a", "b"]
    assert CliRunner().invoke(fleet_command, ["ard", "--sites", "kubernetes"]).exit_code == 0
    assert "b: the run is dead: killed" in CliRunner().invoke(fleet_command, ["ard", "--sites", "kubernetes,eks-anywhere"]).stderr
    page = CliRunner().invoke(fleet_command, ["ard", "--sites", "kubernetes,eks-anywhere", "--html"]).stdout
    assert '<td class="dead">dead</td>' in page


def test_the_page_escapes_what_it_is_given() -> None:
    page = fleet_page([("<script>x</script>", 'a" onload="b')], columns=("site", "state"))
    assert "<script>x" not in page
    assert 'onload="b' not in page


def test_who_ran_it_in_what_is_told_and_whether_the_site_file_changed_since(tmp_path: Path, change: Change) -> None:
    site, image = _site(change, tmp_path), f"r.example.org/swath@sha256:{'0b' * 32}"
    told: dict[str, Any] = {"submitted_by": "anna@desk", "attempt": 2, "image": image, "site_digest": site.digest}
    _leave(tmp_path, "ard-1", **told)
    row = _one(change, tmp_path)
    assert (row.submitted_by, row.attempt, row.ran, row.changed) == ("anna@desk", 2, "sha256:0b0b0b0b0b0b", False)
    assert row.ran != row.image
    renamed = site.model_copy(update={"site": "twin", "summary": "another"})
    larger = site.model_copy(update={"price_file": "/prices.yaml"})
    assert (renamed.digest == site.digest, larger.digest == site.digest) == (True, False)
    (later,) = fleet(load_job("ard"), sites=[larger], now=NOW)
    assert later.changed
    # results of earlier versions say nothing of it
    _leave(tmp_path, "ard-1")
    row = _one(change, tmp_path)
    assert (row.submitted_by, row.attempt, row.ran, row.changed) == ("", None, "", None)
