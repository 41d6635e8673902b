"""``swath demo``: simulate scenes, train a model, make everything, and compare with the truth."""

import webbrowser
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.cli.demo_ortho import show_ortho
from swath.cli.output import session
from swath.cli.progress import telling
from swath.cli.run import execute, finish
from swath.cli.run_request import RunOptions
from swath.errors import ConfigError
from swath.product import Product
from swath.report.product_summary import Truth
from swath.report.summary import RunSummary
from swath.runs.told import Told
from swath.simulator.comparison import compare
from swath.simulator.simulate import DemoScenes, simulate_demo

if TYPE_CHECKING:
    from swath.spark.start.session import SparkSession

_RECIPE = "landcover"
#: What only the training of the demo needs.
_TRAINING = ("mlflow", "lightgbm", "pyogrio", "model_signing")


def demo(output: Path, *, told: Told, master: str | None) -> RunSummary:
    """Run the demo into ``output``; its scenes go to ``output``/input."""
    _fetch_what_lacks(told)
    scenes = simulate_demo(output / "input", say=told.say)
    told.say("starting Spark")
    with session("demo", master) as spark:
        lock, challenger = _model(scenes, output=output, told=told, spark=spark)
        options = RunOptions(
            pipeline="ard", inputs=(str(scenes.scenes_folder),), output=str(output), master=master, run_id="demo", lock=lock,
            settings=(f"landcover.shadow={challenger}",) if challenger else (),
        )  # fmt: skip
        summary = execute(options, told=told, truth=lambda product, files: _truth(product, files, output=output), spark=spark)
        if challenger:
            from swath.cli.demo_promotion import show_promotion  # noqa: PLC0415  extras of the package

            show_promotion(summary, output=output, say=told.say)
        _composite(output, told=told, spark=spark)
        # Its date is beyond the composite's period, so that a second demo into the same folder makes the same composite.
        show_ortho(output, told=told, spark=spark)
        return summary


def _fetch_what_lacks(told: Told) -> None:
    """What a wheel cannot bring: Java must be there, the Delta jars are fetched, both before a minute of simulation.

    Raises:
        ConfigError: There is no Java that Spark runs on, or the jars cannot be fetched.
    """
    from swath.spark.start.jars import delta_class_path  # noqa: PLC0415  what the other commands of this file need not load
    from swath.spark.start.java import HOW_TO_GET, find_java  # noqa: PLC0415
    from swath.spark.start.prepare import fetch_jars  # noqa: PLC0415

    if find_java() is None:
        raise ConfigError(HOW_TO_GET)
    try:
        delta_class_path()
    except ConfigError:
        told.say("fetching the Delta jars, once (10 MB)")
        fetch_jars()


def _model(scenes: DemoScenes, *, output: Path, told: Told, spark: "SparkSession") -> tuple[Path | None, str]:
    """Train, register and carry a model to a second site; its lock and a challenger, or nothing without the package's extras."""
    missing = [name for name in _TRAINING if find_spec(name) is None]
    if missing:
        told.say(f"no land cover: {', '.join(missing)} not installed; pip install 'swath[train]' for it")
        return None, ""
    from swath.cli.demo_models import show_model  # noqa: PLC0415  extras of the package

    told.say("training a land-cover model on labelled polygons of the two whole scenes")
    challenger = _train(scenes, output=output, told=told, spark=spark)
    return show_model(f"{_RECIPE}@production", challenger, output=output, say=told.say), challenger


def _composite(output: Path, *, told: Told, spark: "SparkSession") -> None:
    """Both products in one, without the clouds of either: the best pixel of two days, on one grid of 30 m."""
    from swath.cli.composite import CompositeOptions  # noqa: PLC0415  a second of imports
    from swath.cli.composite import execute as execute_composite  # noqa: PLC0415

    options = CompositeOptions(
        pipeline="best-pixel", inputs=(str(output),), output=str(output), period="2024-08", run_id="demo-composite",
        settings=("grid.crs=EPSG:32633", "grid.resolution=30", "grid.origin=[393945, 6006015]", "grid.tile_px=1024"),
    )  # fmt: skip
    execute_composite(options, told=told, spark=spark)


def _train(scenes: DemoScenes, *, output: Path, told: Told, spark: "SparkSession") -> str:
    """Train the version in use, one that is refused and a challenger; the reference to the challenger."""
    from swath.cli.demo_promotion import FROZEN, show_candidates  # noqa: PLC0415
    from swath.inference.registry import Registry  # noqa: PLC0415
    from swath.shipped import model_recipe  # noqa: PLC0415
    from swath.spark.samples import draw_samples  # noqa: PLC0415
    from swath.training.polygons import read_polygons  # noqa: PLC0415
    from swath.training.recipe import TrainingRecipe  # noqa: PLC0415
    from swath.training.train import train  # noqa: PLC0415

    recipe = replace(TrainingRecipe.read(model_recipe(_RECIPE)), frozen=FROZEN)
    polygons = read_polygons(str(scenes.labels), label_field=recipe.label_field, id_field=recipe.id_field)
    hrefs = [str(s.delivery) for s in (scenes.landsat, scenes.sentinel)]
    drawn = draw_samples(spark, hrefs, polygons=polygons, request=recipe.features)
    registry = Registry.beside(output)
    flat = train(drawn, recipe=recipe, registry=registry, alias="production").judgement.flat()
    told.say(
        f"registered landcover@production: accuracy {flat['accuracy']:.3f}, calibration error {flat['calibration_error']:.3f}"
        " on polygons that it had not seen"
    )
    return show_candidates(drawn, recipe=recipe, registry=registry, say=told.say)


def _truth(product: Product, files: Mapping[str, str], *, output: Path) -> Truth | None:
    folder = output / "input" / "truth" / product.scene.scene_id
    if not folder.is_dir():
        return None
    found = compare({name: output / href for name, href in files.items()}, folder)
    return Truth(
        bands=found.bands,
        landcover_accuracy=found.landcover_accuracy,
        note="Against the surface that the simulator started from, where the sky was clear. The light went through the "
        "air of 6S, which swath does not use: the error is that of its atmospheric model, calibration, geometry and encoding.",
    )


@click.command("demo")
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True,
    help="Folder for scenes, models, products and reports.",
)  # fmt: skip
@click.option("--open", "show", is_flag=True, help="Open the report in a browser.")
@click.option("--master", help="Spark master.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, last.")
def demo_command(*, output: Path, show: bool, master: str | None, as_json: bool) -> None:
    """Simulate scenes, train and register a small model, make every product, write the report."""
    with telling() as told:
        summary = demo(output.absolute(), told=told, master=master)
    if show:
        webbrowser.open((output.absolute() / summary.report).as_uri())
    # One scene is broken on purpose: its quarantine is what the demo shows, not a failure.
    last = f"open {output}/{summary.report}, or look at the map: swath view {output}"
    finish(summary, told=told, as_json=as_json, quarantine_ok=True, last=last)
