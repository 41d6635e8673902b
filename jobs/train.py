"""spark-submit jobs/train.py: train a land-cover model from labelled polygons and register it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from swath.errors import ConfigError
from swath.inference.registry import Registry
from swath.readers.discover import discover
from swath.spark.samples import draw_samples
from swath.spark.start.session import build_session, stop_session
from swath.training.polygons import read_polygons
from swath.training.recipe import TrainingRecipe
from swath.training.train import train


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, wire, exit code: 0 trained, 2 wrong input, 3 trained though some scenes gave nothing or the alias was not given."""
    given = _arguments().parse_args(argv)
    try:
        recipe = TrainingRecipe.read(given.recipe)
        polygons = read_polygons(given.polygons, label_field=recipe.label_field, id_field=recipe.id_field)
        hrefs = list(dict.fromkeys(discover(given.input, scratch=str(given.output))))
        spark = build_session(app=f"swath train {recipe.name}", master=given.master)
        try:
            drawn = draw_samples(spark, hrefs, polygons=polygons, request=recipe.features)
        finally:
            stop_session(spark)
        registry = Registry.beside(given.output, uri=given.registry)
        trained = train(drawn, recipe=recipe, registry=registry, alias=given.alias, name=given.name)
    except ConfigError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(json.dumps(trained.plain()) + "\n")
    if trained.not_promoted:
        sys.stderr.write(
            f"{trained.model.name} {trained.model.version} is registered without {given.alias}: {trained.not_promoted}\n"
        )
    return 3 if trained.refused or trained.not_promoted else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train.py", description=__doc__)
    parser.add_argument("--input", action="append", required=True, help="scene, folder or list of scenes; repeatable")
    parser.add_argument("--polygons", required=True, help="GeoJSON or GeoPackage with labelled polygons")
    parser.add_argument("--recipe", type=Path, required=True, help="training recipe, e.g. models/landcover/recipe.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder for the registry when it is no server")
    parser.add_argument("--registry", help="MLflow tracking URI; MLFLOW_TRACKING_URI or OUTPUT/models by default")
    parser.add_argument("--name", default="", help="registered name; the recipe's by default")
    parser.add_argument("--alias", default="production", help="alias that the new version asks for")
    parser.add_argument("--master", help="Spark master")
    return parser


if __name__ == "__main__":
    sys.exit(main())
