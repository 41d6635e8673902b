"""The CI files that users copy: each calls the tests, then the same job; that command makes products here."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from swath.simulator.simulate import simulate

ROOT = Path(__file__).parents[2]
FILES = ("github-actions.yml", "gitlab-ci.yml", "codebuild.yml")


def commands(file: str) -> list[str]:
    """Every command of a template, in the order in which it runs."""
    loaded: dict[Any, Any] = yaml.safe_load((ROOT / "conf" / "ci" / file).read_text(encoding="utf-8"))
    if file == "github-actions.yml":
        return [step["run"] for job in loaded["jobs"].values() for step in job["steps"] if "run" in step]
    if file == "gitlab-ci.yml":
        return [line for name in loaded["stages"] for line in loaded[name]["script"]]
    return [line for phase in loaded["phases"].values() for line in phase.get("commands", ())]


@pytest.mark.parametrize("file", FILES)
def test_a_template_runs_the_tests_before_it_makes_products(file: str) -> None:
    told = commands(file)
    assert told[0] == "make test"
    assert told[-1].startswith(". .venv/bin/activate && spark-submit ")
    assert {c for c in told if c.startswith("make ")} <= {"make test", "make setup"}


def test_all_templates_submit_the_same_job() -> None:
    assert len({commands(file)[-1] for file in FILES}) == 1


def test_the_job_that_the_templates_submit_makes_products(tmp_path: Path) -> None:
    properties = ROOT / ".cache" / "spark-defaults.conf"
    if not properties.is_file():
        pytest.skip("`make setup` has not written .cache/spark-defaults.conf")
    simulate(kind="stac", folder=tmp_path / "in", size=64, clouds=0.0, truth=False)
    environment = os.environ | {"SCENES": str(tmp_path / "in" / "scenes"), "PRODUCTS": str(tmp_path / "out")}
    # The tests' environment is the one that `make setup` made, wherever it is.
    line = commands("gitlab-ci.yml")[-1].replace(".venv/bin/activate", str(Path(sys.executable).with_name("activate")))

    ended = subprocess.run(
        ["/bin/bash", "-c", line], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert list((tmp_path / "out" / "products").rglob("*.tif"))
