"""``spark-submit`` on this machine."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from swath.deploy.render.command import Foreground
from swath.deploy.render.layout import APP
from swath.deploy.render.order import Order
from swath.deploy.spark_submit.command import spark_submit
from swath.errors import ConfigError
from swath.spark.start.jars import DELTA_PACKAGE, delta_class_path, spark_home


def local_submit(order: Order) -> Foreground:
    """The command that runs ``order`` here.

    Raises:
        ConfigError: There is no Spark, or the program is not there.
    """
    command = spark_submit(order, program=str(entry_point()))
    conf = {**command.conf, **_jars(command.conf)}
    if not conf.get("spark.jars.packages"):
        conf.pop("spark.jars.packages", None)
    program = spark_home() / "bin" / "spark-submit"
    pairs = tuple(word for key, value in conf.items() for word in ("--conf", f"{key}={value}"))
    variables = {**command.environment, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    words = (shutil.which(str(program)) or str(program), *pairs, command.program, *command.arguments)
    return Foreground(words=words, variables=variables)


def _jars(conf: Mapping[str, str]) -> dict[str, str]:
    """Delta from the jars that set-up fetched and checked, where they are; otherwise Spark fetches the package."""
    packages = conf.get("spark.jars.packages", "")
    if DELTA_PACKAGE not in packages:
        return {}
    try:
        jars = delta_class_path()
    except ConfigError:
        return {}
    others = {"spark.jars.packages": ",".join(p for p in packages.split(",") if p != DELTA_PACKAGE)}
    return others | ({"spark.jars": ",".join(str(jar) for jar in jars)} if jars else {})


def entry_point() -> Path:
    """``jobs/process.py`` of the checkout or of the image.

    Raises:
        ConfigError: The file is in neither.
    """
    places = (
        Path(__file__).resolve().parents[4] / "jobs" / "process.py",
        Path(APP) / "jobs" / "process.py",
        Path("jobs/process.py"),
    )
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ConfigError(f"jobs/process.py is in none of {', '.join(str(p) for p in places)}")
    return found
