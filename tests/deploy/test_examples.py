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


def kept(path: Path, text: str) -> str:
    """The text of a file; with SWATH_UPDATE_EXAMPLES it is written first. Empty where there is none."""
    if os.environ.get("SWATH_UPDATE_EXAMPLES"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@pytest.mark.parametrize(("job", "site"), _CASES)
def test_rendered_examples_are_fresh(job: str, site: str) -> None:
    where = load_site(site)
    folder, suffix = _FOLDERS[where.engine]
    text = render(Order(job=load_job(job), site=where, run_id=RUN_ID))
    path = ROOT / folder / "examples" / f"{job}.{site}.{suffix}"
    assert kept(path, text) == text, f"{path}: SWATH_UPDATE_EXAMPLES=1 pytest {__file__}"


@pytest.mark.parametrize("site", ["aws-region", "kubernetes"])
def test_what_orchestrators_start_from_is_fresh(site: str) -> None:
    text = handover_text(load_job("ard-nightly"), site=load_site(site))
    path = ROOT / "conf" / "orchestrators" / "rendered" / f"ard-nightly.{site}.json"
    assert kept(path, text) == text, f"{path}: SWATH_UPDATE_EXAMPLES=1 pytest {__file__}"


@pytest.mark.parametrize("site", ["aws-region", "outposts-extended"])
def test_pod_templates_of_the_emr_image_are_fresh(site: str) -> None:
    for role, template in pod_templates(load_site(site)).items():
        path = ROOT / "emr-on-eks" / "pod-templates" / site / f"{role}.yaml"
        assert kept(path, as_yaml(template)) == as_yaml(template), f"{path}: SWATH_UPDATE_EXAMPLES=1 pytest {__file__}"
