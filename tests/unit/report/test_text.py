"""The account in a terminal."""

from dataclasses import replace

import pytest

from swath.account import Count
from swath.report.summary import RunSummary
from swath.report.text import duration, lines, plain, size


def test_a_remainder_is_told(summary: RunSummary) -> None:
    broken = replace(summary, assets=Count(taken_in=5, made=2))
    assert "DOES NOT BALANCE" in lines(broken)[0]


def test_lines_name_what_failed_and_where_the_report_is(summary: RunSummary) -> None:
    found = lines(summary)
    assert "4 scenes in = 2 made + 1 skipped + 1 quarantined; the account balances (1 min 24 s)" in found[0]
    assert found[1].startswith("assets: ")
    assert "(read): band red cannot be read" in found[2]
    assert found[-1] == f"report {summary.report}"


def test_a_line_names_its_scene_once(summary: RunSummary) -> None:
    (entry,) = summary.quarantine
    told = lines(replace(summary, quarantine=(replace(entry, message=f"{entry.scene_id}: no pixels"),)))[2]
    assert told == f"quarantined {entry.scene_id} at process (read): no pixels"


def test_terminals_do_not_obey_strangers(hostile: RunSummary) -> None:
    text = "".join(lines(hostile))
    assert text.isprintable()
    assert plain("a\x1b[2Jb\u202ec\nd") == "a [2Jb c d"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3599.7, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(("number", "said"), [(812, "812 B"), (4301, "4.2 KiB"), (5 << 20, "5.0 MiB"), (3 << 30, "3.0 GiB")])
def test_sizes_are_said_as_people_do(number: int, said: str) -> None:
    assert size(number) == said
