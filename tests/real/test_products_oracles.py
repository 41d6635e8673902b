"""Published pixels against what other people computed: the files are opened as a user opens them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray

if TYPE_CHECKING:
    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.real, pytest.mark.spark, pytest.mark.slow]
IMAGES = "sat_image/image_test"
LC8, LE7, LT5 = (f"{IMAGES}/{f}" for f in ("lc8_image", "le7_image", "lt5_image"))
L8_SCENE, L8_DECIMATED = "LC80400282014193LGN00", "LC08_L1TP_016037_20170813_20170814_01_RT"
S2A = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"
CROP = "openeo_icor/icor/atmocorr"
#: Half a count of what we store, plus the last bit of the division.
HALF_REFLECTANCE, HALF_KELVIN = 0.5e-4 + 1e-9, 0.005 + 1e-9
Published = Callable[..., NDArray[np.float64]]


def delivered(path: Path) -> NDArray[np.float64]:
    with rasterio.open(path) as source:
        values: NDArray[np.float64] = source.read(1).astype(np.float64)
    return values


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toa")


@pytest.fixture(scope="module")
def summary(scenes: Path, output: Path, run_job: Any) -> "RunSummary":
    found: RunSummary = run_job(
        "toa",
        *(scenes / i for i in (LC8, LE7, LT5, "rio_tiler_pds", f"eodatasets/{S2A}.zip")),
        output=output,
    )
    assert (found.scenes.made, found.balanced) == (5, True)
    return found


@pytest.fixture(scope="module")
def published(summary: "RunSummary", output: Path) -> Published:
    """``published(scene_id, asset)``: physical values by the file's own scale; NaN where nodata."""

    def read(scene_id: str, asset: str) -> NDArray[np.float64]:
        product = next(p for p in summary.products if p.scene_id.startswith(scene_id))
        with rasterio.open(output / product.to_contract()["assets"][asset]) as source:
            values = source.read(1).astype(np.float64)
            physical: NDArray[np.float64] = np.where(
                values == source.nodata, np.nan, values * source.scales[0] + source.offsets[0]
            )
        return physical

    return read


def test_landsat_8_reflectance_is_the_references(published: Published, scenes: Path) -> None:
    rho = published(L8_SCENE, "coastal")
    expected = delivered(scenes / LC8 / "LC8_reflct_B1.TIF")
    seen = expected > 0
    np.testing.assert_array_equal(np.isfinite(rho), seen)
    # The reference is truncated to counts of 1 / 65535 and may be one count off.
    below, above = (expected - 1) / 65535, (expected + 2) / 65535
    assert (rho >= below - HALF_REFLECTANCE)[seen].all()
    assert (rho <= above + HALF_REFLECTANCE)[seen].all()


def test_landsat_8_temperature_is_the_references(published: Published, scenes: Path) -> None:
    kelvin = published(L8_SCENE, "lwir11")
    expected = delivered(scenes / LC8 / "LC8_brightemp_B10.TIF")
    seen = expected > 0
    np.testing.assert_array_equal(np.isfinite(kelvin), seen)
    assert np.abs(kelvin - expected)[seen].max() <= 1e-3 + HALF_KELVIN


def test_landsat_5_and_7_points(published: Published, oracles: dict[str, Any]) -> None:
    five, seven = oracles["toa_points"]
    row, col = five["pixel_rc"]
    assert published(five["scene"], "blue")[row, col] == pytest.approx(five["toa_b1"], abs=five["tol"][0] + HALF_REFLECTANCE)
    assert published(five["scene"], "lwir11")[row, col] == pytest.approx(five["bt_b6_K"], abs=five["tol"][1] + HALF_KELVIN)
    row, col = seven["pixel_rc"]
    assert published(seven["scene"], "lwir11")[row, col] == pytest.approx(seven["bt_b6_vcid1_K"], abs=seven["tol"] + HALF_KELVIN)


def test_the_whole_decimated_scene_equals_its_metadatas_formula(published: Published, scenes: Path) -> None:
    """USGS: rho = (M DN + A) / sin(sun elevation), for every reflective band, pan included."""
    (mtl,) = (scenes / "rio_tiler_pds").rglob("*_MTL.txt")
    told = dict(line.split(" = ") for line in map(str.strip, mtl.read_text(encoding="ascii").splitlines()) if " = " in line)
    sine = np.sin(np.radians(float(told["SUN_ELEVATION"])))
    names = ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "pan", "cirrus")
    for number, name in enumerate(names, start=1):
        (path,) = mtl.parent.glob(f"*_B{number}.TIF")
        dn = delivered(path)
        expected = (float(told[f"REFLECTANCE_MULT_BAND_{number}"]) * dn + float(told[f"REFLECTANCE_ADD_BAND_{number}"])) / sine
        rho = published(L8_DECIMATED, name)
        np.testing.assert_array_equal(np.isfinite(rho), dn > 0)
        assert np.abs(rho - expected)[dn > 0].max() <= HALF_REFLECTANCE, name


def test_sentinel_2_has_13_bands_where_the_jp2s_lie(
    published: Published, summary: "RunSummary", output: Path, scenes: Path
) -> None:
    product = next(p for p in summary.products if p.scene_id == S2A)
    assets = product.to_contract()["assets"]
    reflective = sorted(a for a in assets if a != "qa")
    assert len(reflective) == 13
    blue = published(S2A, "blue")
    assert float(np.isnan(blue).mean()) == pytest.approx(0.27, abs=0.01)
    (member,) = (m for m in _members(scenes / "eodatasets" / f"{S2A}.zip") if m.endswith("_B02.jp2"))
    with rasterio.open(member) as source, rasterio.open(output / assets["blue"]) as made:
        dn = source.read(1).astype(np.float64)
        assert (made.transform, made.shape, made.crs) == (source.transform, source.shape, source.crs)
    seen = np.isfinite(blue)
    assert np.abs(blue - dn / 10000.0)[seen].max() <= 1e-9  # baseline 02.06: no offset, and our count is theirs


def _members(archive: Path) -> list[str]:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(archive) as opened:
        return [f"/vsizip/{archive}/{name}" for name in opened.namelist()]


@pytest.fixture(scope="module")
def item(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[slice, slice], dict[str, float]]:
    """A STAC item around the part of the crop where the whole-degree angles are the most frequent ones."""
    angles = {
        name: delivered(scenes / CROP / f"ref_input_S2_{name}.tif")
        for name in ("sunZenithAngles", "sunAzimuthAngles", "viewZenithMean", "viewAzimuthMean")
    }
    stacked = np.stack(list(angles.values()))
    kinds, counts = np.unique(stacked.reshape(4, -1), axis=1, return_counts=True)
    wanted = kinds[:, counts.argmax()]
    part = _largest_rows((stacked == wanted[:, None, None]).all(axis=0))
    told = dict(zip(angles, map(float, wanted), strict=True))
    folder = tmp_path_factory.mktemp("item")
    with rasterio.open(scenes / CROP / "ref_input_S2_B02.tif") as source:
        values, transform, crs = source.read(1)[part], source.transform, source.crs
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "uint16", "nodata": 0}
    moved = transform @ Affine.translation(part[1].start, part[0].start)
    bands = {"B02": "blue", "B03": "green", "B04": "red"}
    for native in bands:
        with rasterio.open(folder / f"{native}.tif", "w", crs=crs, transform=moved, **profile) as target:
            target.write(values.astype("uint16"), 1)
    record = _item(bands, told=told, bounds=rasterio.transform.array_bounds(*values.shape, moved), crs=crs)
    path = folder / "item.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path, part, told


def _largest_rows(uniform: NDArray[np.bool_]) -> tuple[slice, slice]:
    """A rectangle inside: grown from the widest row, for as long as the rows below are uniform there."""
    best: tuple[int, slice, slice] = (0, slice(0, 0), slice(0, 0))
    for row in range(0, uniform.shape[0], 16):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], uniform[row].view(np.int8), [0]])))
        for start, stop in edges.reshape(-1, 2):
            below: NDArray[np.bool_] = np.asarray(uniform[row:, start:stop].all(axis=1))
            height = len(below) if below.all() else int(below.argmin())
            if height * (stop - start) > best[0]:
                best = (height * (stop - start), slice(row, row + height), slice(int(start), int(stop)))
    return best[1], best[2]


def _item(bands: dict[str, str], *, told: dict[str, float], bounds: tuple[float, ...], crs: Any) -> dict[str, Any]:
    from rasterio.warp import transform_bounds  # noqa: PLC0415

    west, south, east, north = transform_bounds(crs, "EPSG:4326", *bounds)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature", "stac_version": "1.1.0", "id": "S2A_T31UFS_20190411", "links": [],
        "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": [west, south, east, north],
        "properties": {
            "datetime": "2019-04-11T10:50:31Z", "platform": "sentinel-2a", "instruments": ["msi"], "processing:level": "L1C",
            "view:sun_elevation": 90.0 - told["sunZenithAngles"], "view:sun_azimuth": told["sunAzimuthAngles"],
            "view:off_nadir": told["viewZenithMean"], "view:incidence_angle": told["viewZenithMean"],
            "view:azimuth": told["viewAzimuthMean"],
        },
        "assets": {
            name: {
                "href": f"./{native}.tif", "type": "image/tiff; application=geotiff", "roles": ["data"],
                "raster:scale": 1e-4, "raster:offset": 0.0, "nodata": 0, "data_type": "uint16",
                "bands": [{"name": native, "eo:common_name": name}],
            }
            for native, name in bands.items()
        },
    }  # fmt: skip


def test_corrected_pixels_are_cesbios(
    item: tuple[Path, tuple[slice, slice], dict[str, float]], scenes: Path, run_job: Any, tmp_path: Path
) -> None:
    path, part, _ = item
    air = ("aot550=0.14", "ozone_atm_cm=0.33", "water_vapour_g_cm2=0.3", "pressure_hpa=1013")
    summary = run_job("surface-reflectance", path, output=tmp_path, settings=tuple(f"smac.{a}" for a in air))
    (product,) = summary.products
    with rasterio.open(tmp_path / product.to_contract()["assets"]["blue"]) as source:
        made = source.read(1).astype(np.float64)
        nodata = source.nodata
    expected = delivered(scenes / CROP / "ref_check_smac_S2_B02.tif")[part]
    assert expected.size > 20_000
    kept = (made != nodata) & (expected <= 60000)
    assert kept.mean() > 0.99
    # Theirs is truncated to whole counts, ours rounded: at most one count between them.
    assert np.abs(made - expected)[kept].max() <= 1
