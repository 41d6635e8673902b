"""What a site without shared folders is given, run here: all data, models, tables and logs in buckets, keys in a file."""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.faults.whole_product import MADE, Maker
from tests.quick_jvm import quick_jvm

from swath.config import load_pipeline, prepare
from swath.deploy.engine_command import EngineCommand, engine_command
from swath.deploy.render.layout import HOME
from swath.deploy.render.order import Order
from swath.deploy.site.identity import PROFILE_MOUNT
from swath.deploy.site.job_spec import JobSpec, Resources
from swath.deploy.site.memory import Memory
from swath.deploy.site.site import Site
from swath.deploy.spark_submit.local import entry_point
from swath.engine.child.parent import Child, Limits
from swath.inference.model_store import VARIABLE, ModelStore
from swath.inference.pinned import pin
from swath.inference.registry import Registry
from swath.plain import canonical
from swath.simulator.simulate import simulate
from swath.spark.start.jars import delta_class_path, spark_home
from swath.stores.options import StoreOptions
from swath.stores.registry import open_store
from swath.stores.s3_client import s3_client

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.s3a, pytest.mark.timeout(600)]
RUN_ID = "map-1"
#: Of a cluster alone: pods, and a database that keeps other drivers away.
_PODS = re.compile(r"spark\.(kubernetes|pyspark)\.|spark\.kubernetes\.driverEnv")
_DATABASE = ("SWATH_LOCK", "SWATH_LEDGER")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The site's buckets.

    Args:
        site: Rendered for.
        client: boto3's.
        folder: Of the secret's files, and of everything that is local.
    """

    site: Site
    client: Any
    folder: Path

    @property
    def products(self) -> str:
        """Root of the store of products."""
        return self.site.stores["products"].uri


@pytest.fixture
def place(s3_endpoint: str, change: Callable[..., Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The site eks-anywhere over moto's server; its scenes bucket has one scene, its models store one model."""
    one = uuid4().hex[:8]
    store = {"kind": "s3-compatible", "endpoint": s3_endpoint, "region": "external", "addressing": "path", "insecure_http": True}
    site = change(
        "eks-anywhere",
        stores={
            "scenes": {**store, "uri": f"s3://scenes-{one}"},
            "products": {**store, "uri": f"s3://products-{one}/swath"},
        },
        catalogue={},
        proxy=None,
        trust=None,
    )
    for name in [n for n in os.environ if n.startswith(("AWS_", "SWATH_STORES"))]:
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = K\naws_secret_access_key = S\n", encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    s3_client.cache_clear()
    client = s3_client(StoreOptions(endpoint=s3_endpoint, region="us-east-1"))
    for bucket in (f"scenes-{one}", f"products-{one}"):
        client.create_bucket(Bucket=bucket)
    yield Place(site=site, client=client, folder=tmp_path)
    s3_client.cache_clear()


def _order(place: Place) -> Order:
    resources = Resources(executors=2, executor_cores=1, executor_heap=Memory(1024))
    job = JobSpec(
        job="map", pipeline="landcover", inputs=("store://scenes/incoming",), output="store://products/maps", resources=resources
    )
    return Order(job=job, site=place.site, run_id=RUN_ID)


def _words(command: EngineCommand, *, jars: str) -> list[str]:
    """For a cluster of two executors on this machine; of the settings only those of pods are left out."""
    conf = {key: value for key, value in command.conf.items() if not _PODS.match(key)}
    conf |= {f"spark.executorEnv.{key}": value for key, value in command.executor.items()}
    conf |= {
        "spark.master": "local-cluster[2,1,1024]",
        # On Kubernetes Spark makes one itself; here the master of the cluster in this JVM asks for it.
        "spark.authenticate.secret": uuid.uuid4().hex,
        "spark.driver.extraClassPath": jars,
        "spark.executor.extraClassPath": jars,
    }
    pairs = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
    return [str(spark_home() / "bin" / "spark-submit"), *pairs, str(entry_point()), *command.arguments]


def _mounted(folder: Path, text: str) -> str:
    return text.replace(PROFILE_MOUNT, str(folder)).replace(HOME, str(folder))


def _variables(place: Place, command: EngineCommand) -> Mapping[str, str]:
    """Of the driver: what was rendered, and nothing of ours that could help it reach a bucket."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SPARK_", "PYSPARK_", "SWATH_"))}
    told = {k: _mounted(place.folder, v) for k, v in command.driver.items() if k not in _DATABASE}
    python = {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return {**ours, **quick_jvm(), **told, **python, "SPARK_LOCAL_IP": "127.0.0.1", "SWATH_CONF": os.environ["SWATH_CONF"]}


@pytest.fixture
def jars(s3a_jars: tuple[Path, ...]) -> str:
    return ":".join(map(str, [*delta_class_path(), *s3a_jars]))


def test_land_cover_with_a_model_of_the_models_store_needs_nothing_but_buckets(
    place: Place, small_model: Path, jars: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = simulate(kind="landsat9", folder=place.folder / "in", size=96, truth=False).delivery
    for file in delivery.iterdir():
        place.client.upload_file(str(file), place.site.stores["scenes"].uri[5:], f"incoming/{delivery.name}/{file.name}")
    models = f"{place.products}/models"
    model = pin(small_model, cache=place.folder / "pinned")
    ModelStore.at(models).export(model, aliases=("production",))

    command = engine_command(_order(place))
    done = subprocess.run(
        [_mounted(place.folder, word) for word in _words(command, jars=jars)],
        env=dict(_variables(place, command)), cwd=place.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    out = open_store(f"{place.products}/maps", create=False)
    result = json.loads(out.read(f"reports/{RUN_ID}.json") or b"{}")
    assert (result["made"], result["quarantined"], result["balanced"]) == (1, 0, True)

    log = (out.read(f"reports/{RUN_ID}.log") or b"").decode()
    assert "1 scenes in = 1 made + 0 skipped + 0 quarantined; the account balances" in log

    events = [p for p in open_store(f"{place.products}/spark-events").list("") if p.rpartition("/")[2].startswith("events_")]
    assert events

    monkeypatch.setenv(VARIABLE, models)
    plain = prepare(load_pipeline("landcover"), registry=Registry.beside(place.folder)).plain
    with closing(Child(Limits())) as child:
        pinned = {"landcover": {"path": str(model.path), "digest": model.digest}}
        maker = Maker(child=child, pipeline=canonical(dict(plain)), output=place.folder / "out", models=pinned)
        (place.folder / "out").mkdir()
        assert maker.make(str(delivery))[0] == MADE
    made = sorted((place.folder / "out" / "products").rglob("*.tif"))
    assert {p.name.split(".")[2] for p in made} == {"landcover", "landcover_probability", "qa"}
    assert [out.read(p.relative_to(place.folder / "out").as_posix()) for p in made] == [p.read_bytes() for p in made]
