"""The workflows for Argo: made by hera in an environment of its own, held against Argo's published types."""

import copy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.environments import ROOT, environment
from tests.deploy.kinds import problems

from swath.cli.main import COMMANDS

pytestmark = [pytest.mark.tools, pytest.mark.timeout(600)]
HERE = ROOT / "conf" / "orchestrators" / "argo"
IMAGE = "registry.example/swath@sha256:1f3c6e0b7d5a49288c0e4b6f9a2d7c518e3b0f64a97d2c5e8b1f406d3a9c7e25"


def _make(*words: str) -> subprocess.CompletedProcess[str]:
    command = [str(environment("hera")), str(HERE / "make_workflows.py"), "ard-nightly", "--site", "kubernetes", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made() -> list[dict[str, Any]]:
    done = _make("--image", IMAGE, "--schedule", "15 2 * * *")
    assert done.returncode == 0, done.stderr
    example = HERE / "ard-nightly.yaml"
    assert example.read_text(encoding="utf-8") == done.stdout, f"{example} is stale: make it again as its maker says"
    return list(yaml.safe_load_all(done.stdout))


def _named(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Argo's schema asks for the name that Kubernetes' containers have; Argo itself calls the one of a template ``main``."""
    named = copy.deepcopy(made)
    for template in named[0]["spec"]["templates"]:
        if "container" in template:
            template["container"]["name"] = "main"
    return named


def test_argos_types_have_every_field(made: list[dict[str, Any]]) -> None:
    assert [o["kind"] for o in made] == ["WorkflowTemplate", "CronWorkflow"]
    assert problems(_named(made)) == []


def test_a_field_that_argo_does_not_know_is_found(made: list[dict[str, Any]]) -> None:
    named = _named(made)
    named[0]["spec"]["templates"][0]["retryStrategy"]["limits"] = "2"
    (found,) = problems([named[0]])
    assert '"limits"' in found
    assert "does not exist in type 'IRetryStrategy'" in found


def test_runs_do_not_overlap_and_end_with_the_gate(made: list[dict[str, Any]]) -> None:
    template, cron = made
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    by_name = {t["name"]: t for t in template["spec"]["templates"]}
    assert by_name["main"]["dag"]["tasks"] == [
        {"name": "run", "template": "run"},
        {"name": "gate", "template": "gate", "depends": "run"},
    ]
    assert template["spec"]["onExit"] == "told"
    words = [by_name[name]["container"]["args"] for name in ("gate", "told")]
    assert {w[0] for w in words} == {"gate"}
    assert all(w[0] in COMMANDS and "{{workflow.name}}" in w for w in words)
    assert (
        "swath submit ard-nightly --site kubernetes --run-of {{workflow.name}} --wait" in by_name["run"]["container"]["args"][1]
    )
    expression = by_name["run"]["retryStrategy"]["expression"]
    assert "'1'" in expression
    assert "'6'" in expression
    assert by_name["gate"].get("retryStrategy") is None


def test_an_image_without_a_digest_is_refused() -> None:
    done = _make("--image", "registry.example/swath:1", "--schedule", "15 2 * * *")
    assert done.returncode == 2
    assert "has no digest" in done.stderr


def test_the_script_of_the_run_leaves_quarantine_to_the_gate(made: list[dict[str, Any]], tmp_path: Path) -> None:
    script = made[0]["spec"]["templates"][0]["container"]["args"][1]
    for said, expected in ((0, 0), (1, 1), (3, 0), (4, 4), (5, 5), (6, 6)):
        (tmp_path / "swath").write_text(f"#!/bin/sh\nexit {said}\n", encoding="utf-8")
        (tmp_path / "swath").chmod(0o755)
        done = subprocess.run(["/bin/sh", "-c", script], env={"PATH": str(tmp_path)}, check=False)
        assert done.returncode == expected
