"""The proof of a bundle: in a network without a way out, from the bundle alone, a scene becomes a product."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.deploy.bundles import checkout, key_pair, put, registry, small_image
from tests.deploy.environments import ROOT
from tests.tiny_model import RECIPE, samples, swath_models

from swath.cli.bundle import bundle_group
from swath.deploy.bundle.wheels import fetch
from swath.errors import ServiceError
from swath.inference.registry import Registry
from swath.simulator.simulate import simulate
from swath.spark.start.jars import cache_folder
from swath.training.draw import Drawn
from swath.training.train import train

CLOSED, SITE = (Path(__file__).with_name(name) for name in ("closed_network.sh", "closed_site.py"))
OPERATOR = "ghcr.io/kubeflow/spark-operator/controller"
pytestmark = [pytest.mark.tools, pytest.mark.spark, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def packages() -> Path:
    """Every package of the lock, fetched once."""
    folder = ROOT / ".cache" / "bundle-wheels"
    try:
        fetch(ROOT / "requirements.lock", into=folder)
    except ServiceError as error:
        pytest.skip(f"the packages of the lock cannot be fetched here: {error}")
    return folder


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel of this tree."""
    uv = Path(sys.executable).with_name("uv")
    words = [str(uv), "build", "-q", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable]
    subprocess.run([*words, "-o", str(tmp_path / "dist")], cwd=ROOT, check=True, capture_output=True)
    return next((tmp_path / "dist").glob("*.whl"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model, trained and registered elsewhere, in a signed bundle."""
    home = tmp_path / "region"
    trained = Drawn(samples=samples({"low": 0.1, "high": 0.4}, seed=0), refused={})
    home.mkdir()
    train(trained, recipe=RECIPE, registry=Registry.beside(home, uri=f"sqlite:///{home}/mlflow.db"), alias="production")
    key_pair(tmp_path)
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        swath_models("export", "tiny/1", "--bundle", tmp_path / "tiny.tar", "--sign-key", tmp_path / "site.key", "--output", home)
    return tmp_path / "tiny.tar"


def test_from_the_bundle_alone_a_scene_becomes_a_product_and_nothing_tries_to_leave(
    java: None, s3a_jars: tuple[Path, ...], packages: Path, wheel: Path, model: Path, tmp_path: Path
) -> None:
    probe = ["/usr/bin/unshare", "-rn", "/bin/sh", str(CLOSED), "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no network of its own can be made here")
    images = {"swath": small_image(tmp_path / "i", text="swath"), "operator": small_image(tmp_path / "o", text="o", docker=True)}
    with registry(tmp_path / "outside") as address:
        put(tmp_path / "i", f"{address}/swath")
        put(tmp_path / "o", f"{address}/kubeflow/spark-operator/controller")
        bundle = _bundle(tmp_path, address=address, images=images, packages=packages, wheel=wheel, model=model)
    scene = simulate(kind="landsat9", folder=tmp_path / "scene", size=96, truth=False).delivery
    home = tmp_path / "home"
    home.mkdir()
    words = ["/usr/bin/unshare", "-rn", "/bin/sh", str(CLOSED), sys.executable, str(SITE)]
    words += [str(bundle), str(tmp_path / "site.pub"), str(scene), str(home)]
    variables = {n: v for n, v in os.environ.items() if n in {"PATH", "LANG", "JAVA_HOME"}}
    done = subprocess.run(words, env={**variables, "HOME": str(home)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-6000:]
    lines = done.stdout.strip().splitlines()
    told = json.loads(lines[0])
    assert (told["run"]["made"], told["run"]["quarantined"]) == (1, 0)
    assert [m["name"] for m in told["run"]["models"]] == ["tiny"]
    assert told["pulled"] == [True, True]
    assert "as it was signed, for site kubernetes: 2 images" in told["verified"]
    assert told["packages"] > 150
    assert lines[-1] == "sent 0"


def _bundle(home: Path, *, address: str, images: dict[str, str], packages: Path, wheel: Path, model: Path) -> Path:
    """A bundle of the real lock, the real wheel, the real jars; only the images are small."""
    root = checkout(home / "checkout", image=images["swath"])
    shutil.copy(ROOT / "requirements.lock", root / "requirements.lock")
    shutil.copy(ROOT / "spark-operator" / "jars.sha256", root / "spark-operator" / "jars.sha256")
    next((root / "dist").glob("*.whl")).unlink()
    shutil.copy(wheel, root / "dist")
    labels = {"helm.sh/chart": "spark-operator-2.5.2"}
    container = {"image": f"{OPERATOR}:2.5.2@{images['operator']}"}
    deployment = {
        "kind": "Deployment", "metadata": {"name": "controller", "labels": labels},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }  # fmt: skip
    crd = {"kind": "CustomResourceDefinition", "metadata": {"name": "sparkapplications.sparkoperator.k8s.io"}}
    (home / "operator.yaml").write_text(json.dumps(deployment) + "\n---\n" + json.dumps(crd), encoding="utf-8")
    (home / "spark-operator-2.5.2.tgz").write_bytes(b"a chart")
    site, job = root / "conf" / "sites" / "kubernetes.yaml", root / "conf" / "jobs" / "ard.yaml"
    made = CliRunner().invoke(
        bundle_group,
        [
            *("make", "--site", str(site), "--job", str(job), "--root", str(root), "--out", str(home / "bundle")),
            *("--sign-key", str(home / "site.key"), "--wheels", str(packages), "--jars", str(cache_folder())),
            *("--objects", str(home / "operator.yaml"), "--chart", str(home / "spark-operator-2.5.2.tgz")),
            *("--from", f"registry.example/={address}/", "--from", f"ghcr.io/={address}/", "--model", str(model)),
        ],
    )
    assert made.exception is None, (made.output, made.exception)
    return home / "bundle"
