"""A run to report: two products with pictures, one scene in quarantine, one skipped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.records import records_of

from swath.account import Count
from swath.algo.qa import QA_BITS
from swath.grid import Grid
from swath.product import (
    PROBABILITY,
    REFLECTANCE,
    TEMPERATURE,
    AppliedStep,
    Category,
    Encoding,
    LayerSpec,
    ModelRef,
    Product,
    Statistics,
    Tally,
    bit_field,
    class_map,
)
from swath.report.product_summary import AssetSummary, AtmosphericValue, ProductSummary, Truth
from swath.report.stage_timing import StageTiming
from swath.report.summary import QuarantineEntry, RunSummary, SkippedEntry
from swath.scene import Angles, Asset, Band, Reflectance, Scene
from swath.shares import shares_of
from swath.sinks.quicklook import class_png, stretch_of, true_colour_png
from swath.truth import BandTruth

SIDE = 240
GRID = Grid(crs="EPSG:32632", left=5e5, top=5.2e6, dx=30.0, dy=30.0, width=SIDE, height=SIDE)
LEGEND = (
    Category(value=0, name="water", title="Water", rgb=(44, 110, 184)),
    Category(value=1, name="forest", title="Forest", rgb=(38, 106, 62)),
    Category(value=2, name="grass", title="Grassland", rgb=(150, 190, 90)),
    Category(value=3, name="crops", title="Cropland", rgb=(222, 186, 90)),
    Category(value=4, name="town", title="Built-up", rgb=(190, 70, 60)),
)
SPECTRA = {  # reflectance x 1e4 of the five classes
    "coastal": (0.44, (500, 260, 420, 700, 1300)),
    "blue": (0.48, (520, 280, 480, 800, 1450)),
    "green": (0.56, (560, 480, 860, 1150, 1650)),
    "red": (0.655, (380, 300, 700, 1500, 1800)),
    "nir08": (0.865, (160, 2900, 3400, 2700, 2300)),
    "swir16": (1.61, (70, 1400, 2300, 3000, 2700)),
    "swir22": (2.2, (40, 600, 1300, 2200, 2400)),
}
RMSE = (("blue", 0.0041, 0.0012), ("green", 0.0033, 0.0008), ("red", 0.0029, -0.0004), ("nir08", 0.0036, -0.0011))
MODEL = ModelRef(name="landcover-forest", version="4", digest="3f9ac1" + "70" * 29)
HOSTILE = '"><script>alert(1)</script>'


def land(seed: int) -> NDArray[np.int64]:
    """Classes in smooth patches, (y, x)."""
    noise = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    field = sum(
        np.sin(2 * np.pi * (f * (x * np.cos(a) + y * np.sin(a)) + p)) / f
        for f, a, p in zip(noise.uniform(1, 9, 14), noise.uniform(0, 6.3, 14), noise.uniform(0, 1, 14), strict=True)
    )
    fields = (np.floor(x * 22) * 7 + np.floor(y * 26) * 13) % 5 == 0
    classes = np.digitize(field, np.quantile(field, [0.16, 0.5, 0.72, 0.96]))
    return np.where(fields & (classes == 2), 3, classes)


def bands_of(classes: NDArray[np.int64], *, seed: int) -> dict[str, NDArray[np.int16]]:
    """Surface reflectance counts with texture, a cloud and a nodata wedge."""
    noise = np.random.default_rng(seed + 100)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    cloud = np.exp(-(((x - 170) / 38.0) ** 2 + ((y - 70) / 28.0) ** 2)) * 6500
    made = {}
    for name, (_, spectrum) in SPECTRA.items():
        values = np.array(spectrum)[classes] * noise.normal(1.0, 0.09, classes.shape) + cloud
        made[name] = np.where(x + y < 70, -9999, values).astype(np.int16)
    return made


def asset(name: str, stored: NDArray[np.integer], *, encoding: Encoding, layer: str, band: Band | None = None) -> AssetSummary:
    """A summary with true statistics."""
    tally = Tally(encoding)
    tally.add(stored.astype(encoding.dtype))
    return AssetSummary(
        name=name,
        layer=layer,
        title={"landcover": "Land cover", "qa": "Quality bits"}.get(name, name),
        href=f"p.{name}.0123456789ab.tif",
        key=f"{hash_of(name)}" * 8,
        bytes=stored.size * 2 - len(name) * 997,
        digest=f"{hash_of(name + 'd')}" * 8,
        encoding=encoding,
        statistics=tally.statistics(),
        height=SIDE,
        width=SIDE,
        resolution_m=30.0,
        band=band,
    )


def band(name: str, centre_um: float) -> Band:
    return Band(name=name, native_id=name, resolution_m=30.0, centre_um=centre_um)


def hash_of(text: str) -> str:
    return f"{sum((i + 7) * ord(c) * 2654435 for i, c in enumerate(text)) % 16**8:08x}"


def product(seed: int, *, scene_id: str, files: dict[str, bytes], truth: Truth | None = None) -> ProductSummary:
    """A product; its pictures go into ``files``."""
    classes = land(seed)
    bands = bands_of(classes, seed=seed)
    red, green, blue = bands["red"], bands["green"], bands["blue"]
    stretch = stretch_of(red, green, blue=blue, nodata=-9999)
    hazy = [np.where(b == -9999, b, b * 0.82 + h).astype(np.int16) for b, h in ((red, 330), (green, 480), (blue, 820))]
    folder = f"products/ard-landsat-oli/2024/06/21/{scene_id}.ard"
    pictures = {n: f"{folder}/{n}.png" for n in ("after", "before", "landcover")}
    pictures["true_colour"] = pictures["after"]
    files[pictures["after"]] = true_colour_png(red, green, blue=blue, nodata=-9999, stretch=stretch)
    files[pictures["before"]] = true_colour_png(hazy[0], hazy[1], blue=hazy[2], nodata=-9999, stretch=stretch)
    nodata = red == -9999
    cover = np.where(nodata, 255, classes).astype(np.uint8)
    files[pictures["landcover"]] = class_png(cover, LEGEND)
    cloudy = ~nodata & (blue > 3000)
    qa = (nodata * 1 + cloudy * (4 + 2048) + ((classes == 0) & ~nodata) * 32 + (blue > 7000) * 2).astype(np.uint16)
    kelvin = np.where(nodata, 0, 29000 + classes * 260 + red // 40).astype(np.uint16)
    sure = np.where(nodata, 255, np.clip(97 - red // 120, 30, 100)).astype(np.uint8)
    assets = (
        *(
            asset(
                n,
                b,
                encoding=REFLECTANCE,
                layer=f"sr:{n}",
                band=band(n, SPECTRA[n][0]),
            )
            for n, b in bands.items()
        ),
        asset(
            "lwir11",
            kelvin,
            encoding=TEMPERATURE,
            layer="bt:lwir11",
            band=band("lwir11", 10.9),
        ),
        asset("landcover", cover, encoding=class_map(LEGEND), layer="landcover"),
        asset("landcover_probability", sure, encoding=PROBABILITY, layer="landcover_probability"),
        asset("qa", qa, encoding=bit_field(QA_BITS), layer="qa"),
    )
    return ProductSummary(
        product_id=f"{scene_id}.ard",
        scene_id=scene_id,
        scene_digest="9e107d9d372bb6826bd81d3542a419d6" * 2,
        item=f"{folder}/{scene_id}.ard.json",
        collection="ard-landsat-oli",
        platform="landsat-9",
        acquired=datetime(2024, 6, 21, 10, 4, 31, tzinfo=UTC),
        sun_elevation_deg=61.4,
        assets=assets,
        pictures=pictures,
        left_out={"pan": "the delivery has no such band", "sr:cirrus": "the ground is not seen in this band"},
        steps=(
            AppliedStep(name="toa", version=1, parameters={}),
            AppliedStep(name="smac", version=1, parameters={"aot550": 0.14, "ozone_atm_cm": None, "pressure_hpa": 1013.0}),
            AppliedStep(name="qa", version=1, parameters={}),
            AppliedStep(name="landcover", version=2, parameters={"model": "landcover-forest@champion"}),
        ),
        models=(MODEL,),
        atmosphere=(
            AtmosphericValue(name="aot550", value=0.14, source="parameter"),
            AtmosphericValue(name="ozone_atm_cm", value=0.33, source="default"),
            AtmosphericValue(name="water_vapour_g_cm2", value=2.1, source="scene"),
            AtmosphericValue(name="pressure_hpa", value=1013.0, source="parameter"),
        ),
        shares=shares_of({a.name: (a.encoding, a.statistics) for a in assets}),
        truth=truth,
    )


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """Pictures by path."""
    return {}


@pytest.fixture(scope="session")
def summary(files: dict[str, bytes]) -> RunSummary:
    """A run of four scenes."""
    return sample(files)


def sample(files: dict[str, bytes]) -> RunSummary:
    """The run; also what ``docs`` and people who change the page look at."""
    truth = Truth(
        bands=tuple(
            BandTruth(band=n, rmse=r, bias=b, pixels=86_041)
            for n, r, b in (
                ("blue", 0.0041, 0.0012),
                ("green", 0.0033, 0.0008),
                ("red", 0.0029, -0.0004),
                ("nir08", 0.0036, -0.0011),
            )
        ),
        landcover_accuracy=0.957,
        cloud_iou=0.913,
        note="Clear pixels against the reflectance that the simulator put in.",
    )
    started = datetime(2024, 7, 1, 6, 30, tzinfo=UTC)
    return RunSummary(
        run_id="20240701T063000Z-ard-7f3a",
        pipeline="ard",
        code="0.1.0",
        site="local",
        started=started,
        ended=started + timedelta(seconds=84.3),
        scenes=Count(taken_in=4, made=2, skipped=1, quarantined=1),
        assets=Count(taken_in=44, made=22, skipped=11, quarantined=11),
        products=(
            product(3, scene_id="LC09_L1TP_193026_20240621_20240621_02_T1", files=files, truth=truth),
            product(8, scene_id="LC09_L1TP_193027_20240621_20240621_02_T1", files=files),
        ),
        skipped=(SkippedEntry(scene_id="LC09_L1TP_193028_20240621_20240621_02_T1", reason="already there"),),
        quarantine=(
            QuarantineEntry(
                scene_id="S2B_MSIL1C_20240619T102559_N0510_R108_T32UPU_20240619T123456",
                stage="process",
                error="read",
                message="band red cannot be read: expected 120561 bytes of codestream; got 48213. The file is truncated:"
                " fetch T32UPU_20240619T102559_B04.jp2 again.",
                attempts=2,
            ),
        ),
        stages=(
            StageTiming(name="discover", wall_s=1.9, cpu_s=2.2, tasks=4, peak_mb=212.0),
            StageTiming(name="plan", wall_s=3.1, cpu_s=4.4, tasks=2),
            StageTiming(name="process", wall_s=51.2, cpu_s=93.8, tasks=18, peak_mb=874.0),
            StageTiming(name="assemble", wall_s=17.4, cpu_s=26.0, tasks=22, peak_mb=391.0),
            StageTiming(name="publish", wall_s=8.8, cpu_s=6.1, tasks=2, peak_mb=240.0),
        ),
        report="reports/20240701T063000Z-ard-7f3a.html",
        output="out",
    )


@pytest.fixture
def hostile(summary: RunSummary) -> RunSummary:
    """The same run with markup wherever a stranger may write."""
    first = summary.products[0]
    poisoned = replace(
        first,
        scene_id=HOSTILE,
        item=f"products/{HOSTILE}/x.json",
        left_out={HOSTILE: HOSTILE},
        steps=(AppliedStep(name="toa", version=1, parameters={"note": HOSTILE}),),
    )
    return replace(
        summary,
        run_id=HOSTILE,
        site=HOSTILE,
        products=(poisoned,),
        quarantine=(QuarantineEntry(scene_id=HOSTILE, stage=HOSTILE, error=HOSTILE, message=HOSTILE + "\x1b[2J\u202e"),),
        skipped=(SkippedEntry(scene_id=HOSTILE, reason=HOSTILE),),
        stages=(StageTiming(name=HOSTILE, wall_s=1.0, cpu_s=1.0, tasks=1),),
    )


@pytest.fixture
def made() -> Product:
    """A product as the engine leaves it."""
    red = band("red", 0.655)
    scene = Scene(
        scene_id="S",
        platform="landsat-9",
        instrument="oli",
        family="landsat-oli",
        acquired=datetime(2024, 1, 2, tzinfo=UTC),
        assets={
            "red": Asset(
                band=red,
                href="B4.TIF",
                grid=GRID,
                dtype="uint16",
                nodata=0,
                saturated=None,
                calibration=Reflectance(gain=1.0, offset=0.0, sun_normalised=False),
                digest="11" * 32,
            )
        },
        angles=Angles(sun_elevation_deg=40.0, sun_azimuth_deg=150.0),
        reader="landsat",
        source_href="s",
        metadata_href="s/MTL.txt",
        digest="cd" * 32,
    )
    layers = {
        "red": LayerSpec(name="sr:red", asset="red", title="Red", grid=GRID, encoding=REFLECTANCE, band=red),
        "landcover": LayerSpec(name="landcover", asset="landcover", title="Land cover", grid=GRID, encoding=class_map(LEGEND)),
    }
    counts = Statistics(count=4, valid=3, minimum=1, maximum=3, total=6, squares=14, histogram={0: 3})
    return Product(
        product_id="S.ard",
        pipeline="ard",
        pipeline_version=1,
        collection="ard-landsat-oli",
        scene=scene,
        grid=scene.reference,
        layers=layers,
        assets=records_of(layers, statistics=counts, models={"landcover": replace(MODEL, version="7")}),
        left_out={},
        steps=(),
        code="0.1.0",
        facts={"toa": {}, "smac": {"atmosphere": {"aot550": {"value": 0.2, "source": "default"}}}},
    )
