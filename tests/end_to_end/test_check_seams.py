"""``swath check seams``: every shipped pipeline has none, and a step that breaks its promise is caught at the right pixel."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.cli.main import main
from swath.runs.seams import _first_difference
from swath.simulator.damage import copied, truncate
from swath.simulator.simulate import simulate
from swath.steps import registry

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted(p.stem for p in (ROOT / "conf" / "pipelines").glob("*.yaml"))
#: Those whose assets are all on the finest grid.
ONE_GRID = {"clouds", "landcover"}
#: ``seams(*words)``: exit code, the JSON of stdout, stderr.
Seams = Callable[..., tuple[int, Any, str]]

BLUR = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from swath.pipeline import Layer, Need, Recipe
from swath.product import REFLECTANCE, LayerSpec


@dataclass(frozen=True, kw_only=True)
class Blur:
    """Mean of each pixel and its upper and lower neighbours; an honest one asks for a halo of 1."""

    name: ClassVar[str] = "blur"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("blur",)
    halo: int = 1

    @property
    def parameters(self):
        return {"halo": self.halo}

    def recipes(self, scene, *, given):
        grid = given["toa:red"].grid
        made = LayerSpec(name="blur", asset="blur", title="Blurred red", grid=grid, encoding=REFLECTANCE)
        return (Recipe(makes=(made,), needs={"toa:red": Need(halo_px=self.halo)}),)

    def run(self, recipe, layers, *, window, scene, inputs):
        red, padded = layers["toa:red"], window.pad(1)
        full = np.full(padded.shape, np.nan)
        full[padded.slices_of(red.window)] = red.physical
        stack = np.stack([full[n : n + window.height, 1:-1] for n in range(3)])
        count = np.isfinite(stack).sum(axis=0)
        mean = np.divide(np.nansum(stack, axis=0), count, out=np.full(window.shape, np.nan), where=count > 0)
        return {"blur": Layer(values=mean, grid=recipe.grid, window=window, valid=np.isfinite(mean))}
'''
PIPELINE = "name: blurred\ntitle: Blurred\nsteps: [toa, blur]\nassets: {required: [blur], optional: [toa:green]}\n"


@pytest.fixture
def seams(capfd: pytest.CaptureFixture[str]) -> Seams:
    def call(*words: object) -> tuple[int, Any, str]:
        with pytest.raises(SystemExit, match=r"^[0-5]$") as stop:
            main(["check", "seams", *map(str, words), "--json"])
        told = capfd.readouterr()
        return int(stop.value.code or 0), json.loads(told.out or "null"), told.err

    return call


@pytest.fixture(scope="module")
def blur(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A distribution with the step, as pip leaves it; the folder that holds it."""
    folder = tmp_path_factory.mktemp("plugin")
    record = folder / "blur-1.0.dist-info"
    record.mkdir()
    (folder / "blur_step.py").write_text(BLUR, encoding="utf-8")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: blur\nVersion: 1.0\n", encoding="utf-8")
    (record / "entry_points.txt").write_text("[swath.steps]\nblur = blur_step:Blur\n", encoding="utf-8")
    (folder / "blurred.yaml").write_text(PIPELINE, encoding="utf-8")
    return folder


@pytest.fixture
def blurred(blur: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The pipeline with that step, which is plugged in."""
    monkeypatch.syspath_prepend(str(blur))
    monkeypatch.setattr(registry, "_targets", registry._targets.__wrapped__)
    return str(blur / "blurred.yaml")


@pytest.fixture(scope="module")
def landsat(tall_scene: Callable[..., Path]) -> Path:
    """Narrow, and tall enough for two strips of 512 rows."""
    return tall_scene("landsat9", side=96, copies=7)


@pytest.fixture(scope="module")
def sentinel(tall_scene: Callable[..., Path]) -> Path:
    """Narrow, and tall enough for two strips of 3072 rows at 10 m."""
    return tall_scene("sentinel2", side=96, copies=33)


@pytest.mark.parametrize("pipeline", SHIPPED)
def test_shipped_pipelines_have_no_seams(seams: Seams, landsat: Path, sentinel: Path, small_model: Path, pipeline: str) -> None:
    model = ("--set", f"landcover.model={small_model}") if pipeline in {"ard", "landcover"} else ()
    code, told, err = seams(pipeline, "--input", landsat, "--input", sentinel, *model)
    assert (code, told["refused"]) == (0, []), err
    tilings = [s["tilings"] for s in told["scenes"]]
    assert tilings[0] == ["1 x 672 rows (pieces of 672 x 96)", "2 x 512 rows (pieces of 420 x 60)"]
    # Where an asset has 60 m, only the whole scene is legal beside a run's own 3072 rows.
    whole = ["2 x 3072 rows (pieces of 1024 x 96)", "1 x 3168 rows (pieces of 640 x 60)"]
    single = ["2 x 3072 rows (pieces of 1024 x 96)", "7 x 512 rows (pieces of 512 x 60)"]
    assert tilings[1] == (single if pipeline in ONE_GRID else whole)
    assert [(s["compared"], s["seams"]) for s in told["scenes"]] == [(True, []), (True, [])]
    assert min(s["assets"] for s in told["scenes"]) >= (2 if pipeline == "clouds" else 3)


def test_a_step_that_reads_less_than_it_needs_is_caught_at_its_first_seam(seams: Seams, landsat: Path, blurred: str) -> None:
    code, told, err = seams(blurred, "--input", landsat)
    assert (code, told["scenes"][0]["seams"]) == (0, []), err
    code, told, err = seams(blurred, "--input", landsat, "--set", "blur.halo=0")
    (seam,) = told["scenes"][0]["seams"]
    assert (code, seam["asset"], seam["pixel"]["level"]) == (1, "blur", 0)
    # Pieces of 420 rows against the whole: the last row of the first piece misses its lower neighbour.
    assert seam["pixel"]["row"] == 419
    one, other = seam["pixel"]["values"]
    assert one != other
    place = (
        f"asset blur, level 0, row 419, column {seam['pixel']['column']}: {one} in 1 x 672 rows (pieces of 672 x 96), {other} in"
    )
    assert place in err


def test_heights_that_are_asked_for_are_compared(seams: Seams, landsat: Path, blurred: str) -> None:
    given = (blurred, "--input", landsat, "--set", "blur.halo=0", "--tile-size")
    code, told, _ = seams(*given, 512, "--tile-size", 672, "--tile-size", 512)
    assert [t.split(" (")[0] for t in told["scenes"][0]["tilings"]] == ["2 x 512 rows", "1 x 672 rows", "2 x 512 rows"]
    assert (code, [s["pixel"]["row"] for s in told["scenes"][0]["seams"]]) == (1, [419, 251])
    code, told, err = seams(*given, 500, "--tile-size", 512)
    assert (code, told) == (2, None)
    assert "legal here: multiples of 512, or 672" in err
    code, told, err = seams(*given, 512)
    assert (code, told) == (2, None)
    assert "expected two heights or more" in err


def test_a_scene_that_cannot_be_read_is_3_and_the_others_are_checked(seams: Seams, tmp_path: Path) -> None:
    whole = simulate(kind="landsat9", folder=tmp_path, size=48, truth=False)
    broken = truncate(copied(whole, folder=tmp_path / "scenes", rename={"193022_2024": "199022_2024"}))
    code, told, err = seams("toa", "--input", tmp_path / "scenes")
    assert (code, [s["scene_id"] for s in told["scenes"]]) == (3, [whole.scene_id])
    (refused,) = told["refused"]
    assert (refused["scene_id"], refused["error"]) == (broken.scene_id, "read")
    assert f"refused: {broken.scene_id}: " in err


def test_the_first_pixel_that_differs_is_found_at_its_level(tmp_path: Path) -> None:
    """Two files with the same full resolution and overviews by different rules."""
    values = np.random.default_rng(4).integers(0, 9000, (1100, 600), dtype=np.int16)
    files = {}
    for rule in ("nearest", "average"):
        files[rule] = tmp_path / f"{rule}.tif"
        profile = {"driver": "GTiff", "height": 1100, "width": 600, "count": 1, "dtype": "int16", "crs": "EPSG:32633"}
        with rasterio.open(files[rule], "w", tiled=True, transform=rasterio.Affine(30, 0, 0, 0, -30, 0), **profile) as target:
            target.write(values, 1)
            target.build_overviews([2, 4], rasterio.enums.Resampling[rule])
    found = _first_difference(files["nearest"], files["average"])
    assert found is not None
    with rasterio.open(files["nearest"], overview_level=0) as one, rasterio.open(files["average"], overview_level=0) as other:
        first, second = one.read(1), other.read(1)
    row, column = np.argwhere(first != second)[0]
    assert (found.level, found.row, found.column) == (1, row, column)
    assert found.values == (first[row, column], second[row, column])
    assert _first_difference(files["nearest"], files["nearest"]) is None
