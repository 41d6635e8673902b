"""The Delta jars: which, where they may lie, and whether they are the ones they should be."""

import hashlib
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from swath.errors import ConfigError

DELTA_VERSION = "4.0.1"
DELTA_PACKAGE = f"io.delta:delta-spark_2.13:{DELTA_VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """A file that must be exactly this one."""

    name: str
    sha256: str


#: Delta's third jar, antlr4-runtime 4.13.1, comes with Spark.
DELTA_JARS = (
    Jar(
        name=f"delta-spark_2.13-{DELTA_VERSION}.jar",
        sha256="a1e76860b19fe1e6b205a4ea7a9099a2f9575d39bb71d49b3e679b299d0efb91",
    ),
    Jar(
        name=f"delta-storage-{DELTA_VERSION}.jar",
        sha256="ecc42c5aaa51c423312d9e4e48aa4a12b34740bf2c37de0e8f279277ec3d12e4",
    ),
)


def cache_folder() -> Path:
    """Where set-up keeps what it fetched or made: SWATH_CACHE, the checkout's .cache, or the user's cache folder."""
    if os.environ.get("SWATH_CACHE"):
        return Path(os.environ["SWATH_CACHE"])
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "setup.py").is_file():
        return checkout / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swath"


def spark_home() -> Path:
    """The Spark that would start: SPARK_HOME, otherwise the one inside the pyspark package.

    Raises:
        ConfigError: There is neither.
    """
    if os.environ.get("SPARK_HOME"):
        return Path(os.environ["SPARK_HOME"])
    package = find_spec("pyspark")
    if package is None or package.origin is None:
        msg = "Spark is missing: pyspark is not installed and SPARK_HOME is not set. Run make setup."
        raise ConfigError(msg)
    return Path(package.origin).parent


def intact(jar: Jar, *, folder: Path) -> bool:
    """True when ``folder`` holds the jar with the right content."""
    path = folder / jar.name
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256


def delta_class_path() -> tuple[Path, ...]:
    """The jars to add to Spark's own; empty when they lie among them, as in our images and after ``make setup``.

    Raises:
        ConfigError: They are nowhere.
    """
    if all((spark_home() / "jars" / jar.name).is_file() for jar in DELTA_JARS):
        return ()
    folders = [Path(os.environ["SWATH_JARS"])] if os.environ.get("SWATH_JARS") else []
    folders.append(cache_folder() / "jars")
    for folder in folders:
        paths = tuple(folder / jar.name for jar in DELTA_JARS)
        if all(p.is_file() for p in paths):
            return paths
    names = " and ".join(jar.name for jar in DELTA_JARS)
    looked = ", ".join(str(f) for f in (spark_home() / "jars", *folders))
    msg = f"{names} are missing; looked in {looked}. Run make setup, or name their folder in SWATH_JARS."
    raise ConfigError(msg)
