"""A store is asked what it can do, by doing it; stores that lie are found out."""

from typing import Any

import pytest
from click.testing import CliRunner

from swath.cli.inspect import doctor_command
from swath.doctor import examine_store, healthy
from swath.stores.probe import Ability, guard_of, probe


def _lacks(bucket: Any) -> dict[Ability, str]:
    return {a.ability: a.told for a in probe(bucket.store()) if not a.able}


def test_a_good_store_can_everything_and_is_left_as_it_was(bucket: Any) -> None:
    bucket.store().write("mine", b"x")
    answers = probe(bucket.store())
    assert {a.ability: a.told for a in answers} == dict.fromkeys(Ability, "yes")
    assert guard_of(answers).startswith("files are written with If-None-Match")
    assert (bucket.objects(), bucket.uploads()) == (["out/mine"], [])


def test_a_store_that_ignores_conditions_is_found_out(bucket: Any) -> None:
    def ignore(params: dict[str, Any], **_: Any) -> None:
        params["headers"].pop("If-None-Match", None)

    events = bucket.store().client.meta.events
    events.register("before-call.s3", ignore)
    try:
        answers = probe(bucket.store())
    finally:
        events.unregister("before-call.s3", ignore)
    assert {a.ability for a in answers if not a.able} == {Ability.PUT, Ability.RACE, Ability.COMPLETE}
    assert "one run at a time, or SWATH_LOCK=postgresql" in guard_of(answers)
    assert "8 of 8 simultaneous conditional writes" in next(a.told for a in answers if a.ability is Ability.RACE)


def test_a_store_whose_lists_lag_is_no_place_for_a_ledger(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = bucket.store()
    real = type(store).entries
    monkeypatch.setattr(type(store), "entries", lambda self, prefix: list(real(self, prefix))[:-1])
    answers = probe(store)
    assert {a.ability for a in answers if not a.able} == {Ability.LIST}
    assert guard_of(answers).startswith("no Delta ledger here")
    monkeypatch.undo()
    store.delete_tree("")


def test_clocks_that_differ_are_told(bucket: Any) -> None:
    def lie(parsed: dict[str, Any], **_: Any) -> None:
        parsed["ResponseMetadata"]["HTTPHeaders"]["date"] = "Mon, 01 Jan 2024 00:00:00 GMT"

    events = bucket.store().client.meta.events
    events.register("after-call.s3", lie)
    try:
        assert "s apart; beyond 900 s" in _lacks(bucket)[Ability.CLOCK]
    finally:
        events.unregister("after-call.s3", lie)


def test_a_bucket_that_is_not_there_is_one_failure(bucket: Any) -> None:
    findings = examine_store("s3://no-such-bucket/out")
    told = [f for f in findings if f.check.startswith("Store")]
    (finding,) = told
    assert finding.level == "failure"
    assert finding.found.startswith("bucket no-such-bucket does not exist at http://127.0.0.1")
    assert "Check the bucket's name" in finding.remedy
    assert not healthy(findings)


def test_the_doctor_prints_the_guard(bucket: Any) -> None:
    done = CliRunner().invoke(doctor_command, ["--output", f"s3://{bucket.name}/out"])
    assert "ok       Store: guard: files are written with If-None-Match" in done.output
    assert "ok       Store: multipart upload by several writers: yes" in done.output
