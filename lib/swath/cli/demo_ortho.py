"""What the demo shows of raw images: one with RPC over simulated hills, its orthoimage, and how far known points are off."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swath.cli.run import execute
from swath.cli.run_request import RunOptions
from swath.report.product_summary import Truth
from swath.report.summary import RunSummary
from swath.runs.told import Told
from swath.simulator.raw_image import RawScene, simulate_raw
from swath.simulator.raw_truth import measured, write_picture
from swath.simulator.simulate import DEFAULT_SEED

if TYPE_CHECKING:
    from swath.spark.start.session import SparkSession

RUN = "demo-ortho"
#: The band in which the marks are looked for.
_BAND = "red"


def show_ortho(output: Path, *, told: Told, spark: "SparkSession | None" = None) -> RunSummary:
    """Simulate a raw image, orthorectify it over its elevation, and measure it.

    Args:
        output: Folder of the demo's output.
        told: Hears of each step.
        spark: A session to use; one of its own otherwise.
    """
    told.say("simulating a raw image with RPC over hills")
    raw = simulate_raw(output / "input", seed=DEFAULT_SEED)
    shown = {"raw_image": write_picture(raw).relative_to(output).as_posix()}
    options = RunOptions(
        pipeline="ortho", inputs=(str(raw.item),), output=str(output), run_id=RUN, dem=str(raw.dem), dem_datum="ellipsoid"
    )
    summary = execute(
        options, told=told, truth=lambda _, files: _truth(files, raw=raw, output=output, pictures=shown), spark=spark
    )
    for place in (p for product in summary.products if product.truth for p in product.truth.places):
        told.say(f"{place.image}: {place.points} known points are off by {place.rms_m:.2f} m (RMS), {place.most_m:.2f} m at most")
    told.say(f"the raw image and its orthoimage: {output}/{summary.report}")
    return summary


def _truth(files: Mapping[str, str], *, raw: RawScene, output: Path, pictures: Mapping[str, str]) -> Truth | None:
    if _BAND not in files:
        return None
    found = measured(output / files[_BAND], raw=raw)
    return Truth(
        places=found,
        note="Marks on the simulated ground, found in the pixels of the orthoimage; and where the model of the raw image has "
        "them when all ground is taken to be at the model's middle height.",
        pictures=pictures,
    )
