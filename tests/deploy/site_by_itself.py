"""Run by ``test_site_by_itself`` in a network of its own: a model's whole life against the site's own registry and store.

Trains, is refused, promotes, runs on two executors, traces both ways, revokes; prints what came of each as one JSON object.
"""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer
from tests.conftest import Silent

from swath.cli.models import models_group
from swath.cli.run import execute
from swath.cli.run_request import RunOptions
from swath.errors import ConfigError
from swath.inference.registry import Registry
from swath.simulator.labels import write_labels
from swath.simulator.landscape import Landscape
from swath.simulator.simulate import DEFAULT_SEED, simulate
from swath.spark.held import executors
from swath.spark.samples import draw_samples
from swath.spark.start.session import build_session, stop_session
from swath.training.polygons import Polygons, read_polygons
from swath.training.recipe import ForestSettings, TrainingRecipe
from swath.training.train import train

PIPELINE = """
name: land
title: Land cover of this site
steps: [toa, {landcover: {model: land@production}}]
assets: {required: [landcover], optional: [landcover_probability]}
"""
#: Those that the scene has enough polygons of.
CLASSES = ("water", "grassland", "crop_green")
BUCKET = "site"
_HERE = "127.0.0.1"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_HERE, 0))
        return int(free.getsockname()[1])


@contextmanager
def store() -> Iterator[Any]:
    """The site's S3: a client of it; the process's own variables lead there."""
    server = ThreadedMotoServer(ip_address=_HERE, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {
        "MLFLOW_S3_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    server.stop()


@contextmanager
def registry_server(folder: Path) -> Iterator[threading.Event]:
    """The site's ``mlflow server``, a database file, artifacts in the bucket; the event says that it answers."""
    port = _free_port()
    words = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination", f"s3://{BUCKET}/artifacts", "--host", _HERE, "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    # Nothing else may end: what MLflow's authors want to know of its users would leave.
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True
    )
    os.environ["MLFLOW_TRACKING_URI"] = f"http://{_HERE}:{port}"
    # The server shares two cores with Spark: a slow answer is no registry that is away.
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "60"
    answers = threading.Event()
    reader = threading.Thread(target=_follow, args=(process, folder / "server.log", answers), daemon=True)
    reader.start()
    try:
        yield answers
    finally:
        # Its workers belong to its group.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        reader.join(timeout=60)


def _follow(process: "subprocess.Popen[str]", log: Path, answers: threading.Event) -> None:
    """Keep what the server prints; the event is set by the line that it prints once its port is bound."""
    with log.open("w", encoding="utf-8") as file:
        for line in process.stdout or ():
            file.write(line)
            if "running on http://" in line:
                answers.set()


def await_registry(answers: threading.Event) -> None:
    """Return when the server answers.

    Raises:
        TimeoutError: It does not.
    """
    if not answers.wait(timeout=150):
        msg = "mlflow server did not start"
        raise TimeoutError(msg)


def labelled(folder: Path) -> tuple[Path, Polygons, TrainingRecipe]:
    """A scene, polygons of its classes, and a recipe for them."""
    scene = simulate(kind="landsat9", folder=folder / "input", size=320, clouds=0.0, truth=False)

    def everywhere(x_m: Any, y_m: Any) -> Any:
        return (x_m > float("-inf"))[None, :] & (y_m > float("-inf"))[:, None]

    landscape = Landscape(seed=DEFAULT_SEED, sun_azimuth_deg=180.0)
    found = read_polygons(str(write_labels(folder / "labels.geojson", landscape=landscape, grid=scene.grid, allowed=everywhere)))
    classes = [{"value": i + 1, "name": n, "title": n, "rgb": [30 * i, 90, 90]} for i, n in enumerate(CLASSES)]
    recipe = TrainingRecipe.of(
        {
            "name": "land", "title": "Land", "licence": "Apache-2.0", "classes": classes, "splits": 1, "frozen": 0.3,
            "features": {"of": "toa", "bands": ["green", "red", "nir08", "swir16"]}, "forest": {"trees": 12, "leaves": 8},
            "calibration": "temperature",
        }
    )  # fmt: skip
    return scene.delivery.parent, Polygons(crs=found.crs, items=tuple(p for p in found.items if p.label in CLASSES)), recipe


def swath_models(*words: object) -> str:
    """``swath models ...``: what it prints."""
    said = io.StringIO()
    with redirect_stdout(said):
        models_group.main([str(w) for w in words], standalone_mode=False)
    return said.getvalue()


def life(folder: Path, bucket: Any, *, answers: threading.Event) -> dict[str, Any]:
    """From samples to a revoked model."""
    scenes, polygons, recipe = labelled(folder)
    out, told = folder / "out", dict[str, Any]()
    (folder / "land.yaml").write_text(PIPELINE, encoding="utf-8")
    options = RunOptions(pipeline=str(folder / "land.yaml"), inputs=(str(scenes),), output=str(out), run_id="first")
    conf = {"spark.local.dir": str(folder / "spark")}
    spark = build_session(app="site", master="local-cluster[2,1,1024]", conf=conf)
    try:
        hrefs = [str(p) for p in scenes.iterdir()]
        drawn = draw_samples(spark, hrefs, polygons=polygons, request=recipe.features)
        await_registry(answers)
        registry = Registry.beside(out)
        stump = replace(recipe, forest=ForestSettings(trees=1, leaves=2))
        for name, asked in {"first": recipe, "worse": stump}.items():
            trained = train(drawn, recipe=asked, registry=registry, alias="production")
            told[name] = [trained.model.version, list(trained.model.aliases), trained.not_promoted]
        larger = train(drawn, recipe=replace(recipe, forest=ForestSettings(trees=16, leaves=8)), registry=registry)
        told["promoted"] = swath_models("promote", "land", larger.model.version, "--output", out)
        digest = told["digest"] = larger.model.digest
        told["made"] = json.loads(execute(options, told=Silent(), spark=spark).to_json())
        told["executors"] = len([e for e in executors(spark) if e.cores])
        (product,) = told["made"]["products"]
        item = out / product["item"]
        told["from item"] = json.loads(swath_models("trace", item, "--output", out))
        told["from model"] = json.loads(swath_models("trace", "land@production", "--output", out))
        words = ("--because", "water went wrong", "--list", folder / "revoked", "--tables", out, "--output", out)
        told["revoked"] = swath_models("revoke", digest, *words)
        told["item"] = json.loads(item.read_text(encoding="utf-8"))["properties"]
        os.environ["SWATH_MODEL_REVOKED"] = str(folder / "revoked")
        try:
            execute(replace(options, run_id="second"), told=Silent(), spark=spark)
        except ConfigError as error:
            told["refused"] = str(error)
        swath_models("rollback", "land", "--because", "water went wrong", "--output", out)
        queue = next((out / "remake").glob("*.txt"))
        again = replace(options, inputs=(str(queue),), run_id="third")
        told["made again"] = json.loads(execute(again, told=Silent(), spark=spark).to_json())
        told["item again"] = json.loads(item.read_text(encoding="utf-8"))["properties"]
    finally:
        stop_session(spark)
    pages = bucket.list_objects_v2(Bucket=BUCKET)
    told["objects"] = [o["Key"] for o in pages["Contents"]]
    return told


def main(folder: Path) -> None:
    """Live, and print."""
    with store() as bucket, registry_server(folder) as answers:
        told = life(folder, bucket, answers=answers)
    print(json.dumps(told))  # noqa: T201  for the test


if __name__ == "__main__":
    main(Path(sys.argv[1]))
