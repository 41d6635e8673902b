"""The jars of Delta and of S3A: names, locations, and digests to check them by."""

import hashlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from swath.errors import ConfigError
from swath.settings import Settings
from swath.spark.start.s3a_jars import S3A_JARS, Jar

DELTA_VERSION = "4.0.1"
DELTA_PACKAGE = f"io.delta:delta-spark_2.13:{DELTA_VERSION}"


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


def checkout() -> Path | None:
    """The source tree that this module is part of; None when swath was installed from a wheel."""
    root = Path(__file__).resolve().parents[4]
    return root if (root / "setup.py").is_file() else None


def how_to_set_up() -> str:
    """The command that fetches what Spark lacks, as the user of a checkout or of a wheel can run it."""
    return "make setup" if checkout() else f"{sys.executable} -m swath.spark.prepare"


def cache_folder() -> Path:
    """Where set-up keeps what it fetched or made: SWATH_CACHE, the checkout's .cache, or the user's cache folder."""
    if chosen := Settings.of().cache:
        return chosen
    if root := checkout():
        return root / ".cache"
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
        msg = "Spark is missing: pyspark is not installed and SPARK_HOME is not set. Run "
        msg += "make setup." if checkout() else f"{sys.executable} -m pip install pyspark."
        raise ConfigError(msg)
    return Path(package.origin).parent


def intact(jar: Jar, *, folder: Path) -> bool:
    """True when ``folder`` holds the jar with the right content."""
    path = folder / jar.name
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def s3a_folder() -> Path:
    """Where the S3A jars are kept: SWATH_S3A_JARS, or the cache."""
    return Settings.of().s3a_jars or cache_folder() / "s3a"


def s3a_class_path() -> tuple[Path, ...] | None:
    """The jars that let Spark open ``s3a://``; empty when Spark has its own, None when they are nowhere."""
    if _has_s3a(spark_home() / "jars"):
        return ()
    paths = tuple(s3a_folder() / jar.name for jar in S3A_JARS)
    return paths if all(p.is_file() for p in paths) else None


def _has_s3a(folder: Path) -> bool:
    """True for the jars of our images, and for a Spark that has hadoop-aws with the whole SDK: two SDKs would clash."""
    if all((folder / jar.name).is_file() for jar in S3A_JARS):
        return True
    return all(next(folder.glob(pattern), None) is not None for pattern in ("hadoop-aws-*.jar", "bundle-*.jar"))


def delta_class_path() -> tuple[Path, ...]:
    """The jars to add to Spark's own; empty if they are among them, as in our images and after set-up.

    Raises:
        ConfigError: The jars cannot be found.
    """
    if all((spark_home() / "jars" / jar.name).is_file() for jar in DELTA_JARS):
        return ()
    chosen = Settings.of().jars
    folders = [*([chosen] if chosen else []), cache_folder() / "jars"]
    for folder in folders:
        paths = tuple(folder / jar.name for jar in DELTA_JARS)
        if all(p.is_file() for p in paths):
            return paths
    names = " and ".join(jar.name for jar in DELTA_JARS)
    looked = ", ".join(str(f) for f in (spark_home() / "jars", *folders))
    msg = f"{names} are missing; looked in {looked}. Run {how_to_set_up()}, or name their folder in SWATH_JARS."
    raise ConfigError(msg)
