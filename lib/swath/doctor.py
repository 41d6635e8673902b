"""What this machine lacks to run swath, each with its remedy. Changes nothing; the command line prints the findings."""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from swath.doctor_services import HealthFinding, Level, store_findings
from swath.errors import ConfigError
from swath.readers.files.drivers import gdal_version, missing_drivers
from swath.spark.start.archive import archive_path
from swath.spark.start.jars import (
    DELTA_JARS,
    DELTA_VERSION,
    delta_class_path,
    how_to_set_up,
    intact,
    s3a_class_path,
    spark_home,
)
from swath.spark.start.java import HOW_TO_GET, SUPPORTED, find_java, java_homes, java_major
from swath.spark.start.prepare import HOW_TO_GET_OPENMP, openmp
from swath.spark.start.s3a_jars import HADOOP_AWS_VERSION, S3A_MEGABYTES

GIB = 1 << 30
_NEED_DISK, _WISH_DISK = 2 * GIB, 10 * GIB
#: One executor core: a strip, its blocks and a child process (docs/benchmarks.md).
_MEMORY_PER_CORE = 3 * GIB // 2
#: Delta of the key works with Spark of the value only.
_SPARK_OF_DELTA = {"4.0": "4.0"}
#: Oldest Python, and the newest that the tests were run with.
_PYTHON, _PYTHON_TESTED = (3, 11), (3, 13)
_PYTHON_RANGE = f"{_PYTHON[0]}.{_PYTHON[1]} to {_PYTHON_TESTED[0]}.{_PYTHON_TESTED[1]}"


def examine(output: Path | None = None) -> tuple[HealthFinding, ...]:
    """Look at everything that a run needs.

    Args:
        output: Folder that products would be written to; the working folder without one.
    """
    output = output or Path.cwd()
    return (*_machine(), check_disk(output), check_writable(output))


def _machine() -> tuple[HealthFinding, ...]:
    return (
        check_python(sys.version_info[:2]),
        check_java(),
        check_spark(),
        check_delta(),
        check_archive(),
        check_gdal(),
        check_openmp(),
        check_cores(cores=len(os.sched_getaffinity(0)), memory=memory_limit()),
    )


def examine_store(uri: str) -> tuple[HealthFinding, ...]:
    """Look at everything that a run into ``s3://bucket/prefix`` needs, and ask the store what it can do.

    Raises:
        ConfigError: The URI names no bucket.
    """
    found = store_findings(uri)
    return (*_machine(), check_s3a(), *found, check_disk(Path(tempfile.gettempdir())))


def healthy(findings: Sequence[HealthFinding]) -> bool:
    """True when nothing stops a run."""
    return all(f.level != "failure" for f in findings)


def check_python(running: Sequence[int]) -> HealthFinding:
    """Python is new enough, and one that the tests were run with."""
    found = f"{'.'.join(str(n) for n in running)}; swath runs on {_PYTHON_RANGE}"
    if tuple(running) < _PYTHON:
        return HealthFinding(check="Python", level="failure", found=found, remedy="Run make PYTHON=/path/to/python3.11 setup.")
    if tuple(running) > _PYTHON_TESTED:
        remedy = "Untested: take an older one if something fails (make PYTHON=/path/to/python3.13 setup)."
        return HealthFinding(check="Python", level="warning", found=found, remedy=remedy)
    return HealthFinding(check="Python", level="ok", found=found)


def check_java() -> HealthFinding:
    """There is a Java that Spark runs on."""
    home = find_java()
    if home:
        return HealthFinding(check="Java", level="ok", found=f"{java_major(home)} in {home}")
    others = [f"{java_major(h)} in {h}" for h in java_homes() if java_major(h)]
    wanted = " or ".join(str(n) for n in SUPPORTED)
    return HealthFinding(
        check="Java", level="failure", found=f"{', '.join(others) or 'none'}; Spark needs {wanted}", remedy=HOW_TO_GET
    )


def check_spark() -> HealthFinding:
    """Spark is there, and is one that our Delta works with."""
    try:
        home, found = spark_home(), version("pyspark")
    except (ConfigError, PackageNotFoundError) as error:
        return HealthFinding(check="Spark", level="failure", found=f"none ({error})", remedy=f"Run {how_to_set_up()}.")
    wanted = _SPARK_OF_DELTA[_minor(DELTA_VERSION)]
    if _minor(found) != wanted:
        said = f"{found}; Delta {DELTA_VERSION} works with {wanted}.x"
        return HealthFinding(check="Spark", level="failure", found=said, remedy=f"Install pyspark {wanted}.x.")
    return HealthFinding(check="Spark", level="ok", found=f"{found} in {home}")


def check_delta() -> HealthFinding:
    """The Delta jars are there, and are the ones they should be."""
    try:
        jars = delta_class_path()
    except ConfigError as error:
        return HealthFinding(check="Delta", level="failure", found=str(error), remedy=f"Run {how_to_set_up()}.")
    folder = jars[0].parent if jars else spark_home() / "jars"
    broken = [jar.name for jar in DELTA_JARS if not intact(jar, folder=folder)]
    if broken:
        remedy = f"Delete them and run {how_to_set_up()}."
        return HealthFinding(
            check="Delta", level="failure", found=f"changed or cut short: {', '.join(broken)} in {folder}", remedy=remedy
        )
    return HealthFinding(check="Delta", level="ok", found=f"{DELTA_VERSION} in {folder}")


def check_s3a() -> HealthFinding:
    """Spark can open an output on S3."""
    try:
        jars = s3a_class_path()
    except ConfigError as error:
        return HealthFinding(check="S3A", level="failure", found=str(error), remedy=f"Run {how_to_set_up()}.")
    if jars is None:
        remedy = "The first run fetches them; without a link, run python -m swath.spark.prepare --s3a where there is one."
        return HealthFinding(check="S3A", level="warning", found=f"no jars ({S3A_MEGABYTES} MB)", remedy=remedy)
    return HealthFinding(
        check="S3A", level="ok", found=f"{HADOOP_AWS_VERSION} in {jars[0].parent if jars else spark_home() / 'jars'}"
    )


def check_archive() -> HealthFinding:
    """The class archive of exactly this Java and Spark is there; without it a session starts slower."""
    home = find_java()
    try:
        path = archive_path(home) if home else None
    except ConfigError:
        path = None
    if path and path.is_file():
        return HealthFinding(check="Class archive", level="ok", found=f"{path.stat().st_size >> 20} MB in {path}")
    remedy = "Run python -m swath.spark.prepare once: sessions then cost half."
    return HealthFinding(check="Class archive", level="warning", found="none for this Java and Spark", remedy=remedy)


def check_gdal() -> HealthFinding:
    """GDAL has the drivers that we read and write with."""
    lacking = missing_drivers()
    if lacking:
        found = f"{gdal_version()} without {', '.join(lacking)}"
        return HealthFinding(
            check="GDAL", level="failure", found=found, remedy="Install rasterio from its wheel, not from source."
        )
    return HealthFinding(check="GDAL", level="ok", found=gdal_version())


def check_openmp() -> HealthFinding:
    """LightGBM's runtime is there."""
    if openmp():
        return HealthFinding(check="OpenMP", level="ok", found="libgomp")
    return HealthFinding(check="OpenMP", level="warning", found="none; training needs it", remedy=HOW_TO_GET_OPENMP)


def check_cores(*, cores: int, memory: int) -> HealthFinding:
    """Every core has the memory that a strip needs."""
    found = f"{cores} cores, {memory / GIB:.1f} GiB of memory"
    fit = memory // _MEMORY_PER_CORE
    if fit < 1:
        return HealthFinding(
            check="Cores", level="failure", found=found, remedy=f"A run needs {_MEMORY_PER_CORE / GIB:.1f} GiB of memory."
        )
    if fit < cores:
        return HealthFinding(check="Cores", level="warning", found=found, remedy=f"Use fewer cores: --master 'local[{fit},4]'.")
    return HealthFinding(check="Cores", level="ok", found=found)


def check_disk(output: Path) -> HealthFinding:
    """There is room for products."""
    place = _standing(output)
    free = shutil.disk_usage(place).free
    found = f"{free / GIB:.1f} GiB free at {place}"
    if free < _WISH_DISK:
        level: Level = "failure" if free < _NEED_DISK else "warning"
        return HealthFinding(
            check="Disk", level=level, found=found, remedy="A full scene takes about 2 GiB: free some, or use another --output."
        )
    return HealthFinding(check="Disk", level="ok", found=found)


def check_writable(output: Path) -> HealthFinding:
    """Products can be written where they shall go."""
    place = _standing(output)
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".swath-doctor-"):
            pass
    except OSError as error:
        remedy = f"Choose another --output, or correct the permissions of {place}."
        return HealthFinding(check="Output", level="failure", found=f"{place} cannot be written: {error.strerror}", remedy=remedy)
    return HealthFinding(check="Output", level="ok", found=f"{place} can be written")


def memory_limit(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Bytes of memory that this process may use: the machine's, or its container's when that is less."""
    lines = meminfo.read_text(encoding="ascii").splitlines()
    machine = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal"))
    limit = cgroup.read_text(encoding="ascii").strip() if cgroup.is_file() else "max"
    return machine if limit == "max" else min(machine, int(limit))


def _standing(path: Path) -> Path:
    """The nearest folder above ``path`` that exists."""
    path = path.absolute()
    return next(p for p in (path, *path.parents) if p.is_dir())


def _minor(number: str) -> str:
    return ".".join(number.split(".")[:2])
