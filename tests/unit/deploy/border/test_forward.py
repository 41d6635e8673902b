import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swath.deploy.border.flows import cut
from swath.deploy.border.forward import Dead, Forwarded, SetAside, forward
from swath.deploy.border.place import FolderPlace
from swath.deploy.site.border import Flow
from swath.deploy.site.site import Site
from swath.errors import ConfigError
from swath.metrics.beat import Beat
from swath.report.summary import QuarantineEntry
from swath.runs.results import Results
from swath.stores.local import local_store

Change = Callable[..., Site]
# one canary a kind of knowledge: none may appear in a flow of another kind
CANARIES = {
    Flow.ARGUMENTS: "canary-arguments-1",
    Flow.FOOTPRINTS: "2031-05-06T07:08:09Z",
    Flow.LINEAGE: "canary-lineage-3",
    Flow.ERROR_TEXTS: "canary-error-4",
    Flow.EVENT_LOG: "canary-event-5",
    Flow.DRIVER_LOGS: "canary-log-6",
    Flow.JOB_REQUEST: "canary-request-7",
}
FORWARDED = (Flow.METRICS, Flow.ARGUMENTS, Flow.FOOTPRINTS, Flow.LINEAGE, Flow.ERROR_TEXTS, Flow.DRIVER_LOGS)


def _run(output: Path, run_id: str = "canary-request-7-run") -> None:
    """An output with a canary in everything that a run leaves."""
    item = {
        "id": "x",
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "properties": {"datetime": CANARIES[Flow.FOOTPRINTS]},
    }
    product = {
        "product_id": f"{CANARIES[Flow.LINEAGE]}.ard",
        "scene_id": CANARIES[Flow.LINEAGE],
        "item": "products/item.json",
        "assets": {"red": f"products/{CANARIES[Flow.LINEAGE]}.red.tif"},
    }
    result = {
        "run_id": run_id,
        "pipeline": "ard",
        "scenes_in": 2,
        "made": 1,
        "skipped": 0,
        "quarantined": 1,
        "products": [product],
        "quarantine": [{"scene_id": "q", "stage": "read", "error": "read", "message": CANARIES[Flow.ERROR_TEXTS]}],
        "output": f"s3://{CANARIES[Flow.ARGUMENTS]}/x",
        "stages": [{"name": "strips", "wall_s": 2.0, "cpu_s": 3.5}],
        "started": "2026-11-24T23:58:17.100000+00:00",
        "ended": "2026-11-25T00:00:00+00:00",
    }
    for path, text in (
        (f"reports/{run_id}.json", json.dumps(result)),
        ("products/item.json", json.dumps(item)),
        ("spark-events/app", CANARIES[Flow.EVENT_LOG]),
        (f"reports/{run_id}.log", CANARIES[Flow.DRIVER_LOGS]),
    ):
        file = output / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _site(change: Change, *, allow: list[str], to: Path) -> Site:
    return change("outposts-local", border={"allow": allow, "to": str(to)})


def _sent(to: Path) -> str:
    return "\n".join(f"{p.relative_to(to)}\n{p.read_text(encoding='utf-8')}" for p in sorted(to.rglob("*")) if p.is_file())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(allow=st.sets(st.sampled_from(sorted(Flow)), min_size=1))
def test_no_canary_of_a_withheld_flow_leaves(allow: set[Flow], change: Change, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("border")
    _run(folder / "out")
    list(
        forward(_site(change, allow=[f.value for f in allow], to=folder / "to"), output=str(folder / "out"), max_duration_s=3600)
    )
    sent = _sent(folder / "to")
    for flow, canary in CANARIES.items():
        if flow not in allow:
            assert canary not in sent
        elif flow in FORWARDED:
            assert canary in sent


def test_every_run_is_sent_once(change: Change, tmp_path: Path) -> None:
    site = _site(change, allow=["metrics"], to=tmp_path / "to")
    _run(tmp_path / "out", "one")
    _run(tmp_path / "out", "two")
    first = list(forward(site, output=str(tmp_path / "out"), max_duration_s=3600))
    assert [f.run_id for f in first] == ["one", "two"]
    assert list(forward(site, output=str(tmp_path / "out"), max_duration_s=3600)) == []
    assert len(list((tmp_path / "to").rglob("metrics.json"))) == 2


def test_a_crash_between_sending_and_receipt_repeats_nothing(change: Change, tmp_path: Path) -> None:
    site = _site(change, allow=["metrics"], to=tmp_path / "to")
    _run(tmp_path / "out", "one")
    list(forward(site, output=str(tmp_path / "out"), max_duration_s=3600))
    (sent,) = (tmp_path / "to").rglob("metrics.json")
    before = sent.stat()
    month = f"{datetime.now(UTC):%Y-%m}"
    (tmp_path / "out" / "reports" / "forwarded" / month / "one.json").unlink()
    list(forward(site, output=str(tmp_path / "out"), max_duration_s=3600))
    assert (sent.stat().st_mtime_ns, sent.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_metrics_are_in_the_embedded_format(change: Change, tmp_path: Path) -> None:
    _run(tmp_path / "out", "one")
    list(forward(_site(change, allow=["metrics"], to=tmp_path / "to"), output=str(tmp_path / "out"), max_duration_s=3600))
    (sent,) = (tmp_path / "to").rglob("metrics.json")
    body = json.loads(sent.read_text(encoding="utf-8"))
    directive = body["_aws"]["CloudWatchMetrics"][0]
    assert directive["Dimensions"] == [["Site", "Pipeline"]]
    assert {m["Name"] for m in directive["Metrics"]} <= body.keys()
    assert (body["ScenesQuarantined"], body["CpuSeconds"], body["_aws"]["Timestamp"]) == (1, 3.5, 1795564800000)
    assert body["WallSeconds"] == 102.9  # from start to end; the stages add up to something else
    assert body["Stages"] == [{"name": "strips", "wall_s": 2.0, "cpu_s": 3.5}]
    assert "Stages" not in str(directive)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[: len(text) // 2], "is not the result of a run"),
        (lambda _text: "", "is not the result of a run"),
        (lambda text: text.replace('"run_id": "one"', '"run_id": "other"'), "is the result of another run, other"),
        (lambda text: text.replace('"pipeline": "ard", ', ""), "is not the result of a run: KeyError"),
        (lambda text: text.replace('"products": [', '"products": ["x", '), "is not the result of a run: TypeError"),
        (lambda text: text.replace("2026-11-25T", "yesterday"), "is not the result of a run: ValueError"),
    ],
)
def test_a_bad_result_is_set_aside_and_the_rest_goes_on(
    damage: Callable[[str], str], reason: str, change: Change, tmp_path: Path
) -> None:
    site, output = _site(change, allow=["metrics"], to=tmp_path / "to"), tmp_path / "out"
    for name in ("one", "two"):
        _run(output, name)
    bad = output / "reports" / "one.json"
    whole = bad.read_text(encoding="utf-8")
    bad.write_text(damage(whole), encoding="utf-8")
    aside, sent = forward(site, output=str(output), max_duration_s=3600)
    assert isinstance(aside, SetAside)
    assert (aside.run_id, sent.run_id) == ("one", "two")
    assert reason in aside.reason
    assert json.loads((output / "reports" / "set-aside" / "one.json").read_text(encoding="utf-8")) == {"reason": aside.reason}
    assert [f.run_id for f in forward(site, output=str(output), max_duration_s=3600)] == ["one"]
    bad.write_text(whole, encoding="utf-8")
    (mended,) = forward(site, output=str(output), max_duration_s=3600)
    assert isinstance(mended, Forwarded)


@pytest.mark.parametrize("item", [None, "", '{"type": "Feat', '{"geometry": null}', "[]"])
def test_a_product_whose_item_vanished_is_counted_and_has_no_footprint(item: str | None, change: Change, tmp_path: Path) -> None:
    _run(tmp_path / "out", "one")
    file = tmp_path / "out" / "products" / "item.json"
    file.unlink() if item is None else file.write_text(item, encoding="utf-8")
    list(forward(_site(change, allow=["footprints"], to=tmp_path / "to"), output=str(tmp_path / "out"), max_duration_s=3600))
    (sent,) = (tmp_path / "to").rglob("footprints.json")
    assert json.loads(sent.read_text(encoding="utf-8")) == {"type": "FeatureCollection", "features": [], "missing": 1}


def test_without_a_link_nothing_is_forwarded(change: Change, tmp_path: Path) -> None:
    site = change("outposts-local", link="none", border={"allow": ["metrics"], "to": str(tmp_path / "to")})
    with pytest.raises(ConfigError, match="link: none"):
        list(forward(site, output=str(tmp_path), max_duration_s=3600))


def test_without_a_way_out_nothing_is_forwarded(change: Change, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no border\.to"):
        list(forward(change("outposts-local", border={"allow": []}), output=str(tmp_path), max_duration_s=3600))


def test_flows_share_no_text() -> None:
    """A result without anything makes flows without anything: nothing is taken from elsewhere."""
    empty = {"pipeline": "ard", "scenes_in": 0, "made": 0, "skipped": 0, "quarantined": 0}
    flows = cut(empty, read=lambda _path: None, site="s", namespace="n")
    assert set(flows) == set(FORWARDED)
    assert flows[Flow.LINEAGE]["products"] == flows[Flow.FOOTPRINTS]["features"] == []


NOW = datetime(2026, 11, 26, 6, tzinfo=UTC)


def _stream(output: Path, *beats: Beat) -> None:
    (output / "reports").mkdir(parents=True, exist_ok=True)
    text = "".join(f"{beat.to_json()}\n" for beat in beats)
    (output / "reports" / f"{beats[0].run_id}.metrics.jsonl").write_text(text, encoding="utf-8")


def _start(run_id: str, *, ago: timedelta) -> Beat:
    return Beat(event="start", at=NOW - ago, run_id=run_id, site="outposts-local", pipeline="ard")


def test_a_dead_run_is_told_once_and_its_numbers_leave(tmp_path: Path, change: Change) -> None:
    hour = timedelta(hours=1)
    killed = _start("canary-request-7-killed", ago=hour)
    _stream(tmp_path / "out", killed, replace(killed, event="wave", at=NOW - hour / 2, made=5, scenes_in=5))
    _stream(tmp_path / "out", _start("at-work", ago=timedelta(minutes=5)))
    ended = _start("ended", ago=hour)
    _stream(tmp_path / "out", ended, replace(ended, event="end", error="ServiceError"))
    site = _site(change, allow=["metrics"], to=tmp_path / "to")
    (dead,) = forward(site, output=str(tmp_path / "out"), max_duration_s=7200, now=NOW)
    assert isinstance(dead, Dead)
    assert (dead.run_id, dead.sent) == ("canary-request-7-killed", True)
    assert "the run is dead: it began at 2026-11-26T05:00:00Z" in dead.reason
    (sent,) = (tmp_path / "to").rglob("metrics.json")
    told = json.loads(sent.read_text())
    assert (told["Dead"], told["ScenesMade"], told["RunOpen"]) == (True, 5, 1)
    assert "canary" not in sent.read_text() + str(sent)
    assert list(forward(site, output=str(tmp_path / "out"), max_duration_s=7200, now=NOW)) == []
    # it was started again, and is killed once more
    _stream(tmp_path / "out", killed, replace(killed, at=NOW - hour / 3))
    (again,) = forward(site, output=str(tmp_path / "out"), max_duration_s=7200, now=NOW)
    assert isinstance(again, Dead)


def test_a_dead_run_is_named_where_metrics_stay(tmp_path: Path, change: Change) -> None:
    _stream(tmp_path / "out", _start("killed", ago=timedelta(hours=3)))
    (dead,) = forward(
        _site(change, allow=["footprints"], to=tmp_path / "to"), output=str(tmp_path / "out"), max_duration_s=7200, now=NOW
    )
    assert isinstance(dead, Dead)
    assert not dead.sent
    assert not list((tmp_path / "to").rglob("*.json"))


def test_a_stream_that_was_cut_short_is_set_aside(tmp_path: Path, change: Change) -> None:
    (tmp_path / "out" / "reports").mkdir(parents=True)
    (tmp_path / "out" / "reports" / "r.metrics.jsonl").write_text("{", encoding="utf-8")
    site = _site(change, allow=["metrics"], to=tmp_path / "to")
    (aside,) = forward(site, output=str(tmp_path / "out"), max_duration_s=7200, now=NOW)
    assert isinstance(aside, SetAside)
    assert "is not a beat" in aside.reason


def test_every_product_of_a_large_run_is_forwarded(tmp_path: Path, change: Change) -> None:
    """10,500 products and 1,200 quarantined scenes: the result names the first of them, parts beside it all."""
    out, to = tmp_path / "out", tmp_path / "to"
    _run(out, "large")
    store, products, refused = local_store(out), 10_500, 1_200
    parts = Results(store=store, run_id="large", many=True)
    for wave in range(0, products, 3_500):
        entries = (_product(n) for n in range(wave, wave + 3_500))
        parts.take(wave, products=entries, quarantine=[_refusal(n) for n in range(refused)] if wave == 0 else ())
    path = out / "reports" / "large.json"
    listings = {kind: listing.to_plain() for kind, listing in parts.listings().items()}
    result = json.loads(path.read_text(encoding="utf-8")) | {"made": products, "quarantined": refused, "listings": listings}
    path.write_text(json.dumps(result | {"scenes_in": products + refused}), encoding="utf-8")
    site = _site(change, allow=["lineage", "footprints", "error-texts"], to=to)
    (sent,) = list(forward(site, output=str(out), max_duration_s=3600.0))
    assert isinstance(sent, Forwarded), sent
    told = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in to.rglob("*.json")}
    assert [p["product_id"] for p in told["lineage"]["products"]] == [f"p{n}" for n in range(products)]
    assert len(told["lineage"]["assets"]) == len(told["footprints"]["features"]) == products
    assert [q["scene_id"] for q in told["error-texts"]["quarantine"]] == [f"q{n}" for n in range(refused)]
    assert told["error-texts"]["quarantine"][0].keys() == {"scene_id", "stage", "error", "message", "attempts"}


@pytest.mark.parametrize("damage", ["gone", "cut short"])
def test_a_result_whose_parts_cannot_be_read_is_set_aside(tmp_path: Path, change: Change, damage: str) -> None:
    out, to = tmp_path / "out", tmp_path / "to"
    _run(out, "large")
    parts = Results(store=local_store(out), run_id="large", many=True)
    parts.take(0, products=[_product(n) for n in range(60)])
    (name,) = parts.listings()["products"].paths
    part, path = out / name, out / "reports" / "large.json"
    listings = {kind: listing.to_plain() for kind, listing in parts.listings().items()}
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"listings": listings}), encoding="utf-8")
    if damage == "gone":
        part.unlink()
    else:
        part.write_bytes(part.read_bytes()[:-9])
    (aside,) = list(forward(_site(change, allow=["lineage"], to=to), output=str(out), max_duration_s=3600.0))
    assert isinstance(aside, SetAside)
    assert ("is gone" if damage == "gone" else "a part of a result cannot be read") in aside.reason
    assert not to.exists()


def _product(number: int) -> dict[str, Any]:
    return {
        "product_id": f"p{number}", "scene_id": f"s{number}", "item": "products/item.json",
        "assets": {"red": f"products/p{number}.red.tif"}, "models": [], "reduced_accuracy": {}, "model_notes": {},
    }  # fmt: skip


def _refusal(number: int) -> QuarantineEntry:
    return QuarantineEntry(scene_id=f"q{number}", stage="process", error="read", message="cut short")


def test_months_that_ended_are_not_looked_at_again(change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = _site(change, allow=["metrics"], to=tmp_path / "to"), tmp_path / "out"
    now = datetime(2026, 11, 20, tzinfo=UTC)
    moments = {"old": "2026-09-05", "new": "2026-11-02", "earlier-version": "2026-10-07"}

    def written(run_id: str, day: str) -> None:
        _run(out, run_id)
        os.utime(out / "reports" / f"{run_id}.json", (datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp(),) * 2)

    for run_id, day in moments.items():
        written(run_id, day)
    earlier = out / "reports" / "forwarded" / "earlier-version.json"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("{}", encoding="utf-8")
    asked: list[str] = []
    names = FolderPlace.names

    def seen(self: FolderPlace, folder: str) -> Any:
        asked.append(folder)
        return names(self, folder)

    monkeypatch.setattr(FolderPlace, "names", seen)

    def sent() -> list[str]:
        asked.clear()
        return [f.run_id for f in forward(site, output=str(out), max_duration_s=3600, now=now)]

    assert sent() == ["new", "old"]
    receipts = {p.relative_to(out / "reports" / "forwarded").as_posix() for p in (out / "reports" / "forwarded").rglob("*.json")}
    assert receipts == {
        "earlier-version.json", "2026-09/old.json", "2026-11/new.json", "closed/2026-09.1.json", "closed/2026-10.1.json"
    }  # fmt: skip
    assert sent() == []
    assert not [folder for folder in asked if folder.endswith(("2026-09", "2026-10"))]
    # a result that comes into a month that was closed (a backup, a copy) opens it again
    written("late", "2026-09-06")
    assert sent() == ["late"]
    assert sent() == []


def test_a_month_in_which_something_waits_stays_open(change: Change, tmp_path: Path) -> None:
    site, out = _site(change, allow=["metrics"], to=tmp_path / "to"), tmp_path / "out"
    _run(out, "cut")
    file = out / "reports" / "cut.json"
    whole = file.read_bytes()
    file.write_bytes(whole[:50])
    os.utime(file, (datetime(2026, 9, 5, tzinfo=UTC).timestamp(),) * 2)
    now = datetime(2026, 11, 20, tzinfo=UTC)
    for _ in range(2):
        (aside,) = forward(site, output=str(out), max_duration_s=3600, now=now)
        assert isinstance(aside, SetAside)
    file.write_bytes(whole)
    os.utime(file, (datetime(2026, 9, 5, tzinfo=UTC).timestamp(),) * 2)
    assert [type(f) for f in forward(site, output=str(out), max_duration_s=3600, now=now)] == [Forwarded]
