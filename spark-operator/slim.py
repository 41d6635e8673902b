"""Take out of an image's Python packages what no run opens, and compile what every run loads.

Both Dockerfiles run it in the layer that installs the lock: what a later layer removes is still carried.

    python slim.py FOLDER                 the site-packages of the image: remove, strip (binutils), then compile
    python slim.py FOLDER --foreign-spark the base image brings a Spark of its own: pyspark's jars go as well
    python slim.py FOLDER --runs          an image of runs: what only training and the import of models need goes as well
    python slim.py FOLDER --table LOCK    remove nothing; print in Markdown what the image will hold (arithmetic)

Standard library only: it runs before anything of ours is installed.
"""

import csv
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from fnmatch import translate
from pathlib import Path, PurePosixPath
from struct import unpack_from
from typing import Final

#: Of AWS, what swath, MLflow and the ways to credentials speak to.
SERVICES: Final = (
    *("cloudwatch", "ecr", "eks", "emr-containers", "events", "iam", "logs", "s3", "s3control", "s3outposts", "sagemaker"),
    *("scheduler", "secretsmanager", "signin", "sns", "sso", "sso-oidc", "sts"),
)


#: Folders and files that no run opens, as patterns below site-packages.
UNUSED: Final = {
    "compiled modules, made anew of what is loaded": ("**/*.pyc",),
    "tests of packages": ("**/tests",),
    "headers and sources of compiled modules": ("**/*.h", "**/*.hpp", "**/*.pxd", "**/*.pyx", "**/*.c", "**/*.cpp", "**/*.a"),
    "a second Kubernetes client, for asyncio": ("kubernetes/aio",),
    "the pages of MLflow's server": ("mlflow/server/js",),
    "Arrow's Flight": ("pyarrow/libarrow_flight.*", "pyarrow/libarrow_python_flight.*", "pyarrow/_flight.*"),
    "Spark's state in RocksDB, Connect server and machine learning in Scala": (
        "pyspark/jars/rocksdbjni-*",
        "pyspark/jars/spark-connect_*",
        "pyspark/jars/spark-mllib_*",
        "pyspark/jars/breeze*",
        "pyspark/jars/spire*",
        "pyspark/jars/cats-kernel_*",
        "pyspark/jars/algebra_*",
    ),
    "Hive": (
        "pyspark/jars/hive-exec-*",
        "pyspark/jars/hive-metastore-*",
        "pyspark/jars/spark-hive*",
        "pyspark/jars/derby*",
        "pyspark/jars/datanucleus-*",
        *(f"pyspark/jars/hive-{part}-*" for part in ("beeline", "cli", "common", "jdbc", "serde", "service-rpc", "shims*")),
        *(f"pyspark/jars/{part}-*" for part in ("HikariCP", "ST4", "antlr-runtime", "commons-dbcp", "javax.jdo", "jdo-api")),
        *(f"pyspark/jars/{part}-*" for part in ("libfb303", "libthrift", "opencsv", "super-csv")),
    ),
    "Spark's shell, graphs and YARN, its standalone masters' ZooKeeper, linear algebra in Java": (
        *(f"pyspark/jars/spark-{part}_*" for part in ("graphx", "mllib-local", "repl", "yarn")),
        *(f"pyspark/jars/{part}-*" for part in ("JLargeArrays", "JTransforms", "arpack*", "blas", "jline", "lapack")),
        *(f"pyspark/jars/{part}-*" for part in ("curator", "scala-compiler", "zookeeper")),
    ),
    "libraries of other systems": ("pyspark/jars/netty-*-osx-*", "pyspark/jars/netty-*-windows-*"),
    "ONNX tools that no run calls": tuple(f"onnxruntime/{part}" for part in ("quantization", "tools", "transformers")),
    "ONNX Runtime for programs in C; Python has its own copy": ("onnxruntime/capi/libonnxruntime.so.*",),
}
#: Distributions of the lock that only training and the import of models need. A command that misses one names its extra.
TRAINING: Final = (
    *("contourpy", "cycler", "fonttools", "joblib", "kiwisolver", "lightgbm", "matplotlib", "ml-dtypes", "onnx", "pyogrio"),
    *("scikit-learn", "scipy", "threadpoolctl"),
)
JARS: Final = "pyspark/jars"
_AWS: Final = PurePosixPath("botocore/data")
#: What driver, worker and child load of others; read-only images would compile it anew in every process.
LOADED: Final = (  # fmt: skip
    "boto3",
    "botocore.auth",
    "botocore.session",
    "click",
    "cryptography.x509",
    "defusedxml.ElementTree",
    "delta",
    "imagecodecs",
    "jinja2",
    "jsonschema",
    "mlflow.tracking",
    "numba",
    "numpy",
    "onnxruntime",
    "pandas",
    "psycopg",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "pydantic",
    "pypgstac",
    "pyspark.daemon",
    "pyspark.sql",
    "pyspark.sql.pandas.types",
    "pyspark.worker",
    "pystac",
    "pystac_client",
    "rasterio",
    "rich.progress",
    "shapely",
    "yaml",
)
_PATTERNS: Final = {
    name: re.compile("|".join(f"{translate(pattern)[:-2]}(?:/.*)?" for pattern in patterns)) for name, patterns in UNUSED.items()
}
#: Begins ELF files of 64 bits, little-endian.
_ELF64: Final = b"\x7fELF\x02\x01"
_ELF_BYTES: Final = 64
_LOADED_SEGMENT: Final = 1
#: Rows of the table: packages below this many megabytes are one row.
_ROW_MB: Final = 15


def matches(path: PurePosixPath) -> str | None:
    """What a file below site-packages is that no run opens, or None."""
    if path.is_relative_to(_AWS) and len(path.parts) > len(_AWS.parts) + 1 and path.parts[len(_AWS.parts)] not in SERVICES:
        return "AWS services that nothing here asks"
    return next((name for name, pattern in _PATTERNS.items() if pattern.fullmatch(path.as_posix())), None)


def slim(packages: Path, *, foreign_spark: bool, runs_only: bool = False) -> int:
    """Remove what no run opens; how many bytes that was."""
    removed = _without_training(packages) if runs_only else 0
    for path in [path for path in packages.rglob("*") if path.is_file() or path.is_symlink()]:
        inside = PurePosixPath(path.relative_to(packages).as_posix())
        if matches(inside) or (foreign_spark and inside.is_relative_to(JARS)):
            removed += path.lstat().st_size
            path.unlink()
    return removed


def strip(packages: Path) -> int:
    """Take the symbols that only debuggers read out of compiled modules and libraries; how many bytes that was.

    Without binutils nothing is taken, and 0 is returned.
    """
    program, taken = shutil.which("strip"), 0
    for path in packages.rglob("*.so*") if program else ():
        if path.is_symlink() or not path.is_file() or not _segments(path):
            continue
        less = path.with_name(f".{path.name}.stripped")
        done = subprocess.run([str(program), "--strip-unneeded", "-o", str(less), str(path)], capture_output=True, check=False)
        # What patchelf has moved about, as in most wheels' folders of libraries, strip may put where no loader takes it.
        if done.returncode == 0 and _loads(less):
            taken += path.stat().st_size - less.stat().st_size
            less.replace(path)
        less.unlink(missing_ok=True)
    return taken


def _segments(path: Path) -> list[tuple[int, int, int]]:
    """Offset, address and alignment of each segment that is loaded, of a 64-bit ELF file; none of any other file."""
    with path.open("rb") as file:
        head = file.read(_ELF_BYTES)
        if not head.startswith(_ELF64) or len(head) < _ELF_BYTES:
            return []
        (start,), (size, number) = unpack_from("<Q", head, 32), unpack_from("<HH", head, 54)
        file.seek(start)
        table = file.read(size * number)
    rows = [unpack_from("<IIQQQQQQ", table, size * n) for n in range(number)]
    return [(offset, address, alignment) for kind, _, offset, address, _, _, _, alignment in rows if kind == _LOADED_SEGMENT]


def _loads(path: Path) -> bool:
    """Whether glibc takes the file: the rule of its ``_dl_map_object_from_fd``."""
    rows = _segments(path)
    return bool(rows) and all(alignment and not (address - offset) % alignment for offset, address, alignment in rows)


def _without_training(packages: Path) -> int:
    """Remove whole distributions, their metadata too: nothing says then that they are installed."""
    removed = 0
    for name in TRAINING:
        tops: set[str] = set()
        for inside, _ in list(sizes(packages, name=name)):
            path = packages / inside
            if ".." not in inside.parts and path.is_file():
                removed += path.stat().st_size
                path.unlink()
                tops.add(inside.parts[0])
        # An empty folder would still be a package, of which numba asks the version.
        for top in (packages / t for t in tops):
            if top.is_dir() and not [path for path in top.rglob("*") if path.is_file() and path.suffix != ".pyc"]:
                shutil.rmtree(top)
        for left in packages.glob("*.dist-info"):
            if _one_spelling(left.name.partition("-")[0]) == name:
                shutil.rmtree(left)
    return removed


def load(packages: Path) -> None:
    """Import what every run loads, once, so that Python keeps it compiled; a package that misses something fails here."""
    python = packages.parents[2] / "bin" / "python"
    keeping = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([str(python), "-c", "".join(f"import {name}\n" for name in LOADED)], env=keeping, check=True)


def locked(lock: Path) -> list[str]:
    """The names of the packages of a lock file."""
    return re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)


def sizes(packages: Path, *, name: str) -> Iterator[tuple[PurePosixPath, int]]:
    """The files of an installed package and their bytes, as its wheel recorded them; none of one that is not installed here."""
    for record in packages.glob("*.dist-info/RECORD"):
        if _one_spelling(record.parent.name.partition("-")[0]) == _one_spelling(name):
            with record.open(encoding="utf-8", newline="") as lines:
                for row in csv.reader(lines):
                    if len(row) == 3 and row[2] and not row[0].endswith(".pyc"):
                        yield PurePosixPath(row[0]), int(row[2])


def _one_spelling(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def table(packages: Path, *, lock: Path, runs_only: bool = False) -> list[tuple[str, float, float]]:
    """What the lock brings into an image, largest first: (part, MB installed, MB left)."""
    brought: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for name in locked(lock):
        for path, size in sizes(packages, name=name):
            part = "Spark's jars" if path.is_relative_to(JARS) else name
            brought[part] += size
            left[part] += 0 if matches(path) or (runs_only and _one_spelling(name) in TRAINING) else size
    small = [part for part in brought if brought[part] < _ROW_MB * 1e6]
    rows = [(part, brought[part] / 1e6, left[part] / 1e6) for part in brought if part not in small]
    rows.sort(key=lambda row: -row[2])
    rest = (f"{len(small)} smaller packages", sum(brought[part] for part in small) / 1e6, sum(left[part] for part in small) / 1e6)
    total = ("**sum**", sum(brought.values()) / 1e6, sum(left.values()) / 1e6)
    return [*rows, rest, total]


def main(words: list[str]) -> None:
    """Command line: see the module's docstring."""
    packages = Path(words[0])
    if "--table" in words:
        sys.stdout.write("| part of the lock | MB in its wheels | MB in the image |\n|---|---:|---:|\n")
        for part, brought, left in table(packages, lock=Path(words[words.index("--table") + 1]), runs_only="--runs" in words):
            sys.stdout.write(f"| {part} | {brought:.0f} | {left:.0f} |\n")
        return
    removed = slim(packages, foreign_spark="--foreign-spark" in words, runs_only="--runs" in words)
    taken = strip(packages)
    # After it: a library that does not bear it fails the build here.
    load(packages)
    told = f"{taken / 1e6:.0f} MB of symbols" if taken else "no symbols (strip of binutils is not here)"
    sys.stdout.write(f"{removed / 1e6:.0f} MB and {told} removed\n")


if __name__ == "__main__":
    main(sys.argv[1:])
