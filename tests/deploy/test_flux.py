"""What Flux delivers: its own objects against their published types, everything that its Kustomizations build, and no run."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # carries no types
import pytest
import yaml
from click.testing import CliRunner
from tests.deploy.crd_schema import crd_validator
from tests.deploy.kinds import problems
from tests.deploy.test_examples import kept

from swath.cli.deploy import render_command
from swath.deploy.render.plain import as_yaml
from swath.deploy.site.files import load_job, load_site
from swath.deploy.spark_operator.schedule import scheduled_spark_application
from swath.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
FLUX = ROOT / "spark-operator" / "flux"
SITES = sorted(p.name for p in (FLUX / "sites").iterdir())
_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")
Object = dict[str, Any]


def _built(folder: Path) -> list[Object]:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def _kustomizations(site: str) -> list[Object]:
    return [o for o in _built(FLUX / "sites" / site) if o["kind"] == "Kustomization"]


def _delivered(site: str) -> list[Object]:
    """Everything that the site's Kustomizations build."""
    return [o for k in _kustomizations(site) for o in _built(ROOT / k["spec"]["path"])]


def _images(part: Any) -> Iterator[str]:
    """Every image that anything names, wherever it is."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key in {"image", "imageName"} and isinstance(value, str):
                yield value
            yield from _images(value)
    elif isinstance(part, list):
        for value in part:
            yield from _images(value)


@pytest.mark.tools
@pytest.mark.timeout(400)
@pytest.mark.parametrize("site", SITES)
def test_fluxs_types_have_every_field(site: str) -> None:
    ours = [o for o in [*_built(FLUX / "sites" / site), *_delivered(site)] if "toolkit.fluxcd.io" in o["apiVersion"]]
    assert {o["kind"] for o in ours} >= {"OCIRepository", "Kustomization", "HelmRelease", "HelmRepository", "Alert", "Provider"}
    assert problems(ours) == []


@pytest.mark.parametrize("site", SITES)
def test_nothing_that_is_delivered_is_a_run(site: str) -> None:
    """Recreated after its removal, and run again by any change: so never an application, and a Job only if it is let alone."""
    objects = _delivered(site)
    assert "ScheduledSparkApplication" in {o["kind"] for o in objects}
    for made in objects:
        assert made["kind"] != "SparkApplication"
        alone = made["metadata"].get("annotations", {}).get("kustomize.toolkit.fluxcd.io/ssa") == "IfNotPresent"
        assert made["kind"] != "Job" or alone
        assert all(_DIGEST.fullmatch(image) for image in _images(made)), made["metadata"]["name"]


@pytest.mark.parametrize("site", SITES)
def test_what_is_built_passes_the_schemas_of_its_kinds(site: str) -> None:
    for made in _delivered(site):
        if made["kind"] == "ScheduledSparkApplication":
            assert list(crd_validator(made["kind"]).iter_errors(made)) == []
        elif "toolkit.fluxcd.io" not in made["apiVersion"]:
            kubernetes_validate.validate(made, "1.33", strict=True)


@pytest.mark.parametrize("site", SITES)
def test_parts_come_in_order_from_one_verified_source(site: str) -> None:
    (source,) = [o for o in _built(FLUX / "sites" / site) if o["kind"] == "OCIRepository"]
    assert source["spec"]["verify"] == {"provider": "cosign", "secretRef": {"name": "swath-cosign"}}
    parts = _kustomizations(site)
    after = {p["metadata"]["name"]: [d["name"] for d in p["spec"].get("dependsOn", [])] for p in parts}
    assert after == {"swath-tenant": [], "swath-operator": ["swath-tenant"], "swath-schedules": ["swath-operator"]}
    for part in parts:
        assert part["spec"]["sourceRef"] == {"kind": "OCIRepository", "name": source["metadata"]["name"]}
        assert part["spec"]["prune"] is True
        assert (ROOT / part["spec"]["path"]).is_dir()
    (tenant,) = [p for p in parts if p["metadata"]["name"] == "swath-tenant"]
    assert "kustomize.toolkit.fluxcd.io/prune: disabled" in tenant["spec"]["patches"][0]["patch"]


def test_the_operator_has_the_values_of_the_guide_and_brings_its_crds() -> None:
    (release,) = [o for o in _built(FLUX / "operator") if o["kind"] == "HelmRelease"]
    assert release["spec"]["values"] == yaml.safe_load((ROOT / "spark-operator" / "values.yaml").read_text(encoding="utf-8"))
    assert release["spec"]["install"]["crds"] == release["spec"]["upgrade"]["crds"] == "CreateReplace"
    assert release["spec"]["chart"]["spec"]["version"] == "2.5.2"


@pytest.mark.parametrize("site", SITES)
def test_schedules_are_fresh_and_one_that_is_suspended_by_hand_stays_so(site: str) -> None:
    """A field that the manifest does not have is not Flux's: server-side apply leaves it as it is."""
    manifest = scheduled_spark_application(load_job("ard-nightly"), site=load_site(site))
    assert "suspend" not in manifest["spec"]
    path = FLUX / "schedules" / site / "ard-nightly.yaml"
    assert kept(path, as_yaml(manifest)) == as_yaml(manifest), f"{path} is stale"


def test_a_job_without_a_schedule_has_no_template() -> None:
    done = CliRunner().invoke(render_command, ["ard", "--site", "kubernetes", "--template"])
    assert isinstance(done.exception, ConfigError)
    assert "job ard has no schedule: Flux would make its run again" in str(done.exception)
    done = CliRunner().invoke(render_command, ["ard-nightly", "--site", "kubernetes", "--template"])
    assert yaml.safe_load(done.stdout)["kind"] == "ScheduledSparkApplication"
