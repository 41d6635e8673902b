import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.deploy.site.names import JOB_LIMIT, RUN_LIMIT, check_name, new_run_id
from swath.errors import ConfigError

_DNS_1035 = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")


def test_a_run_id_tells_job_and_time() -> None:
    moment = datetime(2026, 11, 25, 3, 15, tzinfo=UTC)
    assert new_run_id("ard", now=moment, salt="beef") == "ard-20261125t031500z-beef"


@given(st.from_regex(r"[a-z][a-z0-9-]{0,22}[a-z0-9]", fullmatch=True))
def test_every_job_name_makes_run_ids_that_every_engine_takes(job: str) -> None:
    run_id = new_run_id(job)
    assert len(run_id) <= RUN_LIMIT
    assert _DNS_1035.fullmatch(run_id)


def test_two_runs_of_one_second_differ() -> None:
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    assert len({new_run_id("ard", now=moment) for _ in range(20)}) > 1


@pytest.mark.parametrize(("name", "better"), [("Ard_Daily", "ard-daily"), ("9lives", "lives"), ("a.b", "a-b")])
def test_a_bad_name_is_answered_with_a_good_one(name: str, better: str) -> None:
    with pytest.raises(ConfigError, match=f"Write '{better}'"):
        check_name(name, limit=JOB_LIMIT, what="job")


def test_a_long_name_is_answered_with_the_limit() -> None:
    with pytest.raises(ConfigError, match=f"25 characters, at most {JOB_LIMIT}"):
        check_name("a" * 25, limit=JOB_LIMIT, what="job")
