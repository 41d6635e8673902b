"""``swath models adopt``: versions that MLflow's own flavours logged become models of swath."""

from pathlib import Path

import click

from swath.cli.models_options import OUTPUT, tell
from swath.inference.registry import Registry


@click.command("adopt")
@click.argument("reference", metavar="models:/NAME/VERSION")
@click.option(
    "--manifest", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="File (YAML or JSON) with name, bands, of, classes, licence and what else a manifest says beside the weights.",
)  # fmt: skip
@click.option(
    "--rows", type=click.Path(path_type=Path, dir_okay=False),
    help="Real features (CSV, a column a band) for reference rows, instead of the input example.",
)  # fmt: skip
@click.option("--name", default="", help="Registered name; the manifest's by default.")
@OUTPUT
def adopt_command(*, reference: str, manifest: Path, rows: Path | None, name: str, output: Path) -> None:
    """Register a version that mlflow.onnx, mlflow.lightgbm or mlflow.xgboost logged as a model of swath.

    Its signature must agree with the manifest; its input example becomes reference rows, answered by the library that
    trained. Flavours that need code to load are refused.
    """
    from swath.training.adopting.from_mlflow import adopt  # noqa: PLC0415  pandas and numba: only where models are adopted

    tell(adopt(Registry.beside(output), reference, manifest=manifest, rows=rows, name=name, say=click.echo))
