"""A large archive that is named as one scene and holds several: each of them is made."""

import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from swath.readers import recognise
from swath.runs import few_plan
from swath.simulator.simulate import simulate

if TYPE_CHECKING:
    from tests.conftest import RunJob

    from swath.report.summary import RunSummary

pytestmark = pytest.mark.spark
#: Rows of the WRS-2 grid: the ids of two scenes differ by them.
ROWS = ("033033", "033034")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes in folders of one compressed tar."""
    folder = tmp_path_factory.mktemp("several")
    delivery = Path(simulate(kind="landsat9", folder=folder / "in", size=128, truth=False).delivery)
    source = delivery if delivery.is_dir() else delivery.parent
    (metadata,) = source.glob("*_MTL.txt")
    scene_id = metadata.name.removesuffix("_MTL.txt")
    path = folder / f"{scene_id}.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for number, row in enumerate(ROWS):
            other = scene_id.replace(scene_id.split("_")[2], row)
            for file in sorted(p for p in source.iterdir() if p.is_file()):
                copy = folder / "copy"
                text = file.suffix in (".txt", ".json", ".xml")
                copy.write_bytes(file.read_text("utf-8").replace(scene_id, other).encode() if text else file.read_bytes())
                packed.add(copy, f"{number}/{file.name.replace(scene_id, other)}")
    return path


def counted(run: "RunSummary") -> tuple[int, int, int]:
    """Scenes taken in, made and skipped."""
    scenes = run.scenes
    return scenes.taken_in, scenes.made, scenes.skipped


@pytest.mark.parametrize("few", [pytest.param(1000, id="on the driver"), pytest.param(0, id="by Spark", marks=pytest.mark.long)])
def test_each_scene_of_an_archive_that_discovery_did_not_look_into_is_made(
    run_job: "RunJob", archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(recognise, "CHEAP_BYTES", 0)
    monkeypatch.setattr(few_plan, "FEW", few)
    done = run_job("toa", archive, output=tmp_path / "out", run_id="first")
    assert counted(done) == (2, 2, 0)
    assert sorted(p.scene_id.split("_")[2] for p in done.products) == list(ROWS)
    again = run_job("toa", archive, output=tmp_path / "out")
    assert counted(again) == (2, 0, 2)
    one = run_job("toa", archive, output=tmp_path / "one", limit=1)
    assert counted(one) == (1, 1, 0)
