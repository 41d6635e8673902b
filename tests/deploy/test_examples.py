"""Rendered files that people copy, kept fresh; with SWATH_UPDATE_EXAMPLES=1 this writes them anew."""

import os
from pathlib import Path

import pytest

from swath.deploy.handover import handover_text
from swath.deploy.render.order import Order
from swath.deploy.render.plain import as_yaml
from swath.deploy.rendering import pod_templates, render
from swath.deploy.site.files import load_job, load_site

ROOT = Path(__file__).resolve().parents[2]
RUN_ID = "ard-20261125t021500z-0a1b"
_FOLDERS = {"emr-on-eks": ("emr-on-eks", "json"), "spark-operator": ("spark-operator", "yaml")}
_CASES = [
    ("ard-nightly", "aws-region"),
    ("ard", "aws-region"),
    ("ard", "outposts-extended"),
    ("ard", "outposts-local"),
    ("ard", "eks-anywhere"),
    ("ard", "kubernetes"),
    ("ard-nightly", "eks-anywhere"),
]


def is_fresh(path: Path, text: str) -> None:
    if os.environ.get("SWATH_UPDATE_EXAMPLES"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path} is missing: SWATH_UPDATE_EXAMPLES=1 pytest {__file__}"
    assert path.read_text(encoding="utf-8") == text, f"{path} is stale: SWATH_UPDATE_EXAMPLES=1 pytest {__file__}"


@pytest.mark.parametrize(("job", "site"), _CASES)
def test_rendered_examples_are_fresh(job: str, site: str) -> None:
    where = load_site(site)
    folder, suffix = _FOLDERS[where.engine]
    text = render(Order(job=load_job(job), site=where, run_id=RUN_ID))
    is_fresh(ROOT / folder / "examples" / f"{job}.{site}.{suffix}", text)


@pytest.mark.parametrize("site", ["aws-region", "kubernetes"])
def test_what_orchestrators_start_from_is_fresh(site: str) -> None:
    text = handover_text(load_job("ard-nightly"), site=load_site(site))
    is_fresh(ROOT / "conf" / "orchestrators" / "rendered" / f"ard-nightly.{site}.json", text)


@pytest.mark.parametrize("site", ["aws-region", "outposts-extended"])
def test_pod_templates_of_the_emr_image_are_fresh(site: str) -> None:
    for role, template in pod_templates(load_site(site)).items():
        is_fresh(ROOT / "emr-on-eks" / "pod-templates" / site / f"{role}.yaml", as_yaml(template))
