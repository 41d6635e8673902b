"""``swath train``: also the contract of jobs/train.py."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath.cli.output import master_option, session
from swath.cli.progress import telling

if TYPE_CHECKING:
    from swath.runs.told import Told
    from swath.training.train import Trained

#: Trained, though some scenes gave nothing or the alias was not given.
EXIT_IN_PART = 3


@click.command("train")
@click.option("--input", "inputs", multiple=True, required=True, help="Scene, list, STAC record, or folder of these; repeatable.")
@click.option("--polygons", required=True, help="GeoJSON or GeoPackage with labelled polygons.")
@click.option("--recipe", "file", type=click.Path(path_type=Path), required=True, help="Training recipe (swath template model).")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Output whose models/ is the registry.")
@click.option("--registry", help="MLflow tracking URI; MLFLOW_TRACKING_URI or OUTPUT/models by default.")
@click.option("--name", default="", help="Registered name; the recipe's by default.")
@click.option("--alias", default="production", show_default=True, help="Alias that the new version asks the gate for.")
@master_option
def train_command(
    *, inputs: tuple[str, ...], polygons: str, file: Path, output: Path, registry: str | None, name: str, alias: str,
    master: str | None,
) -> None:  # fmt: skip
    """Train a forest or a U-Net on labelled polygons, and register it. Prints one JSON object on stdout.

    Exit: 0 trained, 2 wrong input, 3 trained though some scenes gave nothing or the alias was not given.
    """
    with telling() as told:
        trained = _trained(
            inputs, polygons=polygons, file=file, output=output, uri=registry, name=name, alias=alias, master=master, told=told
        )
        for href, reason in trained.refused.items():
            told.say(f"no samples of {href}: {reason}")
        if trained.not_promoted:
            told.say(f"{trained.model.name} {trained.model.version} is registered without {alias}: {trained.not_promoted}")
    click.echo(json.dumps(trained.plain()))
    raise SystemExit(EXIT_IN_PART if trained.refused or trained.not_promoted else 0)


def _trained(  # noqa: PLR0913  the options of a command
    inputs: tuple[str, ...], *, polygons: str, file: Path, output: Path, uri: str | None, name: str, alias: str,
    master: str | None, told: "Told",
) -> "Trained":  # fmt: skip
    from swath.inference.registry import Registry  # noqa: PLC0415  seconds of imports, as those below
    from swath.readers.discover import discover  # noqa: PLC0415
    from swath.spark.samples import draw_samples  # noqa: PLC0415
    from swath.training.lineage import touched_by_training, training_lineage  # noqa: PLC0415
    from swath.training.polygons import read_polygons  # noqa: PLC0415
    from swath.training.recipe import TrainingRecipe  # noqa: PLC0415
    from swath.training.train import check_trainable, train  # noqa: PLC0415

    recipe = TrainingRecipe.read(file)
    check_trainable(recipe)
    labelled = read_polygons(polygons, label_field=recipe.label_field, id_field=recipe.id_field)
    hrefs = list(dict.fromkeys(discover(inputs, scratch=str(output))))
    registry = Registry.beside(output, uri=uri)
    with training_lineage(recipe, output=output, say=told.say) as lineage:
        told.say("starting Spark")
        with session(f"train {recipe.name}", master) as spark:
            told.say(f"drawing samples of {len(hrefs)} inputs")
            drawn = draw_samples(spark, hrefs, polygons=labelled, request=recipe.features)
        drawn = drawn.with_tiles(hrefs, recipe=recipe)
        told.say(f"fitting {recipe.name}: {recipe.splits} splits for the metrics, then all polygons")
        trained = train(drawn, recipe=recipe, registry=registry, alias=alias, name=name)
        lineage.touched(touched_by_training(trained, polygons=polygons, registry=registry))
        return trained
