"""An output as a user has it: two sensors made, one of them found there again by a second run, one scene in quarantine."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
import uvicorn
from starlette.testclient import TestClient
from tests.conftest import RunJob

from swath.simulator.simulate import simulate
from swath.stores.registry import open_store
from swath.view.app import View
from swath.view.output import OutputSource

LANDSAT_DAY, BROKEN_DAY = datetime(2024, 8, 5, 10, tzinfo=UTC), datetime(2024, 8, 21, 10, tzinfo=UTC)
HERE = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Viewed:
    """The output, and the ids in it."""

    root: Path
    landsat: str
    sentinel: str
    broken: str

    def client(self, *, base_url: str = HERE) -> TestClient:
        """A client of a server of its own."""
        return TestClient(View(OutputSource(open_store(str(self.root), create=False))).app(), base_url=base_url)


@pytest.fixture(scope="session")
def viewed(run_job: RunJob, small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Viewed:
    """Two runs: of a whole and a broken Landsat scene, then of these and a Sentinel-2 scene."""
    home = tmp_path_factory.mktemp("viewed")
    pipeline = home / "mapped.yaml"
    steps = f"steps: [toa, smac, clouds, qa, {{landcover: {{model: {small_model}}}}}]"
    assets = "assets: {required: [qa, cloud, landcover, landcover_probability], optional: [sr, bt]}"
    pipeline.write_text(f"name: mapped\ntitle: Mapped\nversion: 1\n{steps}\n{assets}\n", encoding="utf-8")
    landsat = simulate(kind="landsat9", folder=home, size=256, acquired=LANDSAT_DAY, truth=False)
    broken = simulate(kind="landsat9", folder=home, size=96, acquired=BROKEN_DAY, truth=False)
    red = broken.rasters["red"]
    os.truncate(red, red.stat().st_size // 2)
    root = home / "out"
    run_job(str(pipeline), home / "scenes", output=root, run_id="first")
    sentinel = simulate(kind="sentinel2", folder=home, size=300, truth=False)
    run_job(str(pipeline), home / "scenes", output=root, run_id="second")
    return Viewed(root, f"{landsat.scene_id}.mapped", f"{sentinel.scene_id}.mapped", broken.scene_id)


@pytest.fixture
def client(viewed: Viewed) -> TestClient:
    """A client of the output's server."""
    return viewed.client()


@pytest.fixture(scope="session")
def address(viewed: Viewed) -> Iterator[str]:
    """Address of the real server, as a browser asks it."""
    app = View(OutputSource(open_store(str(viewed.root), create=False))).app()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    until = monotonic() + 30
    while not server.started and monotonic() < until:
        sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join(10)
