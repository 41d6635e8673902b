"""The example of docs/grids.md: Landsat and Sentinel-2 of one place, pixel on pixel."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.windows import from_bounds

from swath.algo.atmosphere import Atmosphere
from swath.simulator.request import SceneRequest
from swath.simulator.simulate import DEFAULT_SEED, DEFAULT_TIMES, write_scene

if TYPE_CHECKING:
    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.slow]
DOC = Path(__file__).resolve().parents[2] / "docs" / "grids.md"
#: A place in the simulated land with fields and a shore [m].
LANDSAT_M, SENTINEL_M = (405_000.0, 5_996_000.0), (405_300.0, 5_995_800.0)


def _shift(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[int, int]:
    """Rows and columns by which the other picture lies beside the first, by phase correlation of where values change."""
    spectra = [np.fft.fft2(np.hypot(*np.gradient(p))) for p in (one, other)]
    cross = spectra[0] * np.conj(spectra[1])
    found = np.fft.ifft2(cross / np.maximum(np.abs(cross), 1e-12)).real
    row, col = np.unravel_index(int(found.argmax()), found.shape)
    down, across = (int(n - size if n > size // 2 else n) for n, size in zip((row, col), found.shape, strict=True))
    return down, across


def _scene(folder: Path, *, kind: Any, size: int, corner_m: tuple[float, float]) -> Path:
    request = SceneRequest(
        size=size, seed=DEFAULT_SEED, acquired=DEFAULT_TIMES[kind], clouds=0.0, atmosphere=Atmosphere(), truth=False,
        upper_left_m=corner_m,
    )  # fmt: skip
    return write_scene(folder, request, kind=kind).delivery


def test_landsat_and_sentinel_2_are_on_each_other(run_job: Any, tmp_path: Path) -> None:
    (pipeline,) = re.findall(r"```yaml\n(name: reflectance-30m.*?)```", DOC.read_text(encoding="utf-8"), flags=re.DOTALL)
    path = tmp_path / "reflectance-30m.yaml"
    path.write_text(pipeline, encoding="utf-8")
    scenes = [
        _scene(tmp_path / "l9", kind="landsat9", size=256, corner_m=LANDSAT_M),
        _scene(tmp_path / "s2", kind="sentinel2", size=768, corner_m=SENTINEL_M),
    ]
    summary: RunSummary = run_job(str(path), *scenes, output=tmp_path / "out")
    assert (summary.scenes.made, summary.balanced) == (2, True)
    files = [tmp_path / "out" / p.to_contract()["assets"]["nir08"] for p in summary.products]
    with rasterio.open(files[0]) as one, rasterio.open(files[1]) as other:
        assert {one.crs.to_epsg(), other.crs.to_epsg()} == {32632}
        assert one.res == other.res == (30.0, 30.0)
        offset = (one.transform.c - other.transform.c) / 30.0, (one.transform.f - other.transform.f) / 30.0
        assert offset == (round(offset[0]), round(offset[1]))
        west, south = (max(a, b) for a, b in zip(one.bounds[:2], other.bounds[:2], strict=True))
        east, north = (min(a, b) for a, b in zip(one.bounds[2:], other.bounds[2:], strict=True))
        pictures = [d.read(1, window=from_bounds(west, south, east, north, d.transform)) for d in (one, other)]
    both = (pictures[0] != -9999) & (pictures[1] != -9999)
    assert both.sum() > 30_000
    clear = [np.where(both, np.clip(p, 0, 4000), 0).astype(np.float64) for p in pictures]
    assert _shift(clear[0], clear[1]) == (0, 0)
    assert np.corrcoef(clear[0][both], clear[1][both])[0, 1] > 0.3
