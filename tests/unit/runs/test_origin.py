"""Who ordered a run, and what it runs in."""

import getpass
import socket

import pytest

from swath.errors import ConfigError
from swath.runs import origin
from swath.runs.origin import RunOrigin, submitter

POD = {
    "spark.kubernetes.container.image": "r.example.org/swath@sha256:ab",
    "spark.kubernetes.namespace": "ard",
    "spark.kubernetes.authenticate.driver.serviceAccountName": "swath-driver",
}


def _conf(values: dict[str, str]) -> origin.Conf:
    return values.get


def test_the_launcher_says_who_and_the_engine_otherwise() -> None:
    told = RunOrigin.of(_conf(POD), environ={"SWATH_SUBMITTED_BY": "anna@desk", "SWATH_SITE_DIGEST": "cd" * 32})
    assert told.columns() == {
        "submitted_by": "anna@desk", "image": "r.example.org/swath@sha256:ab", "site_digest": "cd" * 32, "attempt": 1
    }  # fmt: skip
    scheduled = RunOrigin.of(_conf(POD), environ={})
    assert (scheduled.submitted_by, scheduled.site_digest) == ("serviceaccount:ard/swath-driver", None)
    here = RunOrigin.of(_conf({}), environ={})
    assert (here.submitted_by, here.image) == (getpass.getuser(), None)
    assert here.again(2).attempt == 3


def test_an_account_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError(185)

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert (RunOrigin.of(environ={}).submitted_by or "").startswith("uid:")


def test_who_submits_is_plain_on_a_command_line() -> None:
    assert submitter({}) == f"{getpass.getuser()}@{socket.gethostname()}"
    assert submitter({"SWATH_SUBMITTED_BY": "airflow dag=ard; 'x'"}) == "airflow_dag_ard___x_"
    with pytest.raises(ConfigError, match="SWATH_LOCK"):
        submitter({"SWATH_LOCK": "zookeeper"})
