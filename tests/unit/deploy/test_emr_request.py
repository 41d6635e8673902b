import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.deploy.emr_on_eks.limits import request_refusals
from swath.deploy.emr_on_eks.request import settings_of, start_job_run
from swath.deploy.emr_on_eks.service_account import base36, service_account
from swath.deploy.render.order import Order

Ordered = Callable[[str], Order]
EMR_SITES = ["aws-region", "outposts-extended"]


@pytest.fixture
def request_(order: Ordered) -> dict[str, Any]:
    return start_job_run(order("aws-region"))


@pytest.mark.parametrize("site", EMR_SITES)
def test_rendered_requests_pass_every_limit_of_the_model(site: str, order: Ordered) -> None:
    assert request_refusals(start_job_run(order(site))) == ()


@pytest.mark.parametrize("site", EMR_SITES)
def test_command_line_and_map_together_are_the_one_configuration(site: str, order: Ordered) -> None:
    ordered = order(site)
    back = settings_of(start_job_run(ordered))
    missing = ordered.conf.keys() - back.keys()
    assert missing == {
        "spark.kubernetes.namespace",
        "spark.kubernetes.container.image.pullPolicy",
        "spark.kubernetes.authenticate.driver.serviceAccountName",
        "spark.kubernetes.authenticate.executor.serviceAccountName",
    }
    assert back.keys() - ordered.conf.keys() == {f"spark.kubernetes.{role}.podTemplateFile" for role in ("driver", "executor")}
    assert all(back[key] == value for key, value in ordered.conf.items() if key in back)


def test_emr_tries_once_and_the_token_is_the_run(request_: dict[str, Any]) -> None:
    assert request_["retryPolicyConfiguration"] == {"maxAttempts": 1}
    assert request_["clientToken"] == request_["name"] == "ard-20261125t000000z-abcd"
    assert request_["releaseLabel"] == "emr-spark-8.0.0-20260421"


def test_aws_keeps_no_copy_of_logs(request_: dict[str, Any]) -> None:
    monitoring = request_["configurationOverrides"]["monitoringConfiguration"]
    assert monitoring["persistentAppUI"] == "DISABLED"
    assert monitoring["managedLogs"] == {"allowAWSToRetainLogs": "DISABLED"}


def test_a_second_attempt_of_a_run_is_another_job_with_the_same_run_id(order: Ordered) -> None:
    first = order("aws-region")
    again = start_job_run(Order(job=first.job, site=first.site, run_id=first.run_id, attempt=2))
    assert again["clientToken"] == f"{first.run_id}-r2"
    arguments = again["jobDriver"]["sparkSubmitJobDriver"]["entryPointArguments"]
    assert arguments[arguments.index("--run-id") + 1] == first.run_id


def _edited(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(request)
    place: Any = made
    *parents, last = path.split("/")
    for parent in parents:
        place = place[int(parent) if parent.isdigit() else parent]
    place[int(last) if last.isdigit() else last] = value
    return made


_DRIVER = "jobDriver/sparkSubmitJobDriver"
_PROPERTIES = "configurationOverrides/applicationConfiguration/0/properties"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("name", "n" * 65, "at most 64"),
        ("name", "a b", "does not match"),
        ("virtualClusterId", "UPPER", "does not match"),
        ("clientToken", " ", "does not match"),
        ("releaseLabel", "emr spark", "does not match"),
        ("executionRoleArn", "arn:aws:iam::1:user/x", "does not match"),
        (f"{_DRIVER}/entryPoint", "s3://" + "x" * 260, "at most 256"),
        (f"{_DRIVER}/entryPointArguments/0", " ", "does not match"),
        (f"{_DRIVER}/entryPointArguments/0", "", "at least 1"),
        (f"{_DRIVER}/entryPointArguments/0", "x" * 10281, "at most 10280"),
        (f"{_DRIVER}/sparkSubmitParameters", "x" * 102401, "at most 102400"),
        (_PROPERTIES, {str(n): "x" for n in range(101)}, "at most 100"),
        (f"{_PROPERTIES}/spark.app.name", "x" * 1025, "at most 1024"),
        ("configurationOverrides/monitoringConfiguration/persistentAppUI", "MAYBE", "allowed are ENABLED, DISABLED"),
        (
            "configurationOverrides/monitoringConfiguration/containerLogRotationConfiguration/rotationSize",
            "100 MB",
            "does not match",
        ),
        ("configurationOverrides/monitoringConfiguration/containerLogRotationConfiguration/maxFilesToKeep", 51, "at most 50"),
        ("tags", {f"t{n}": "x" for n in range(51)}, "at most 50"),
        ("jobDriver/sparkSubmitJobDriver/entryPoints", "x", "Unknown parameter"),
        ("retryPolicyConfiguration", {"maxAttempts": "1"}, "Invalid type"),
    ],
)
def test_what_aws_would_refuse_late_is_refused_at_render(path: str, value: Any, words: str, request_: dict[str, Any]) -> None:
    assert any(words in r.reason for r in request_refusals(_edited(request_, path, value)))


def test_botocore_itself_lets_most_of_it_pass(request_: dict[str, Any]) -> None:
    """Why the check exists: if botocore starts to look at maxima, it may go."""
    import botocore.session  # noqa: PLC0415 - only here
    from botocore.validate import ParamValidator  # noqa: PLC0415

    shape = botocore.session.get_session().get_service_model("emr-containers").operation_model("StartJobRun").input_shape
    assert shape is not None
    assert not ParamValidator().validate(_edited(request_, "name", "n" * 65), shape).has_errors()


@given(st.integers(0, 200))
def test_the_limit_of_a_name_is_where_the_model_puts_it(length: int) -> None:
    request = {"name": "n" * length, "virtualClusterId": "a", "clientToken": "t"}
    assert bool(request_refusals(request)) == (not 1 <= length <= 64)


def test_no_secret_and_no_blank_in_the_command_line(request_: dict[str, Any]) -> None:
    words = request_["jobDriver"]["sparkSubmitJobDriver"]["sparkSubmitParameters"].split()
    assert words[::2] == ["--conf"] * (len(words) // 2)
    assert "SWATH_POSTGRESQL_DSN=" not in json.dumps(request_)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64))
def test_service_accounts_of_pod_identity_write_the_role_in_base_36(role: str) -> None:
    name = service_account("driver", account="111122223333", role=role)
    number = name.removeprefix("emr-containers-sa-spark-driver-111122223333-")
    assert int(number, 36).to_bytes(len(role), "big").decode() == role
    assert number == base36(role)
