"""What the images leave out: nothing that a run loads; and the table of sizes in the guide, which is arithmetic."""

import ctypes
import importlib.util
import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from swath.simulator.simulate import simulate
from swath.spark.start.java import java_homes, java_major

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(pytest.__file__).resolve().parents[1]
#: After the imports: every module's file, and every library that the process has mapped.
_OPENED = """
import sys
for name in {names!r}:
    __import__(name)
print(*(str(getattr(m, "__file__", "")) for m in list(sys.modules.values())), sep="\\n")
print(*(line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if "/" in line), sep="\\n")
"""


@pytest.fixture(scope="module")
def slim() -> Any:
    """The program that both Dockerfiles run."""
    spec = importlib.util.spec_from_file_location("slim", ROOT / "spark-operator" / "slim.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_a_process_of_a_run_opens_is_never_left_out(slim: Any) -> None:
    names = [*slim.LOADED, "lightgbm", "pyogrio", "sklearn.ensemble", "scipy.sparse", "matplotlib.figure", "kubernetes"]
    names += ["swath.cli.main", "swath.engine.child.warm_up", "swath.training.train", "swath.deploy.spark_operator.kube_api"]
    code = _OPENED.format(names=names)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    opened = {Path(line) for line in done.stdout.splitlines() if line.startswith(str(PACKAGES))}
    assert {"numpy", "pyarrow", "rasterio", "llvmlite"} <= {path.relative_to(PACKAGES).parts[0] for path in opened}
    inside = [PurePosixPath(path.relative_to(PACKAGES)) for path in opened]
    assert not [path for path in inside if slim.matches(path)]


def test_what_no_run_opens_is_removed_and_the_rest_stays(slim: Any, tmp_path: Path) -> None:
    gone = (
        "pandas/tests/frame/test_x.py",
        "numpy/_core/include/numpy/a.h",
        "fontTools/misc/bezier.c",
        "pip/__pycache__/a.cpython-311.pyc",
        "kubernetes/aio/client/a.py",
        "mlflow/server/js/build/index.html",
        "pyarrow/libarrow_flight.so.2500",
        "pyspark/jars/rocksdbjni-9.8.4.jar",
        "pyspark/jars/derby-10.16.1.1.jar",
        "pyspark/jars/derbyshared-10.16.1.1.jar",
        "pyspark/jars/hive-shims-0.23-2.3.10.jar",
        "pyspark/jars/scala-compiler-2.13.16.jar",
        "pyspark/jars/netty-transport-native-kqueue-4.1.118.Final-osx-x86_64.jar",
        "onnxruntime/tools/a.py",
        "onnxruntime/capi/libonnxruntime.so.1.32.0",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
    )
    kept = (
        "numpy/testing/overrides.py",
        "kubernetes/client/api.py",
        "pyarrow/libarrow_substrait.so.2500",
        "pyspark/jars/spark-core_2.13-4.0.5.jar",
        "pyspark/jars/hive-storage-api-2.8.1.jar",
        "pyspark/jars/scala-reflect-2.13.16.jar",
        "pyspark/jars/netty-transport-native-epoll-4.1.118.Final-linux-x86_64.jar",
        "botocore/data/s3/2006-03-01/service-2.json.gz",
        "botocore/data/partitions.json",
        "a/contests.py",
    )
    for name in (*gone, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"seven b")
    assert slim.slim(tmp_path, foreign_spark=False) == 7 * len(gone)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(kept)
    slim.slim(tmp_path, foreign_spark=True)
    assert not list((tmp_path / "pyspark" / "jars").iterdir())


def test_symbols_are_taken_out_of_what_the_loader_still_takes_and_of_nothing_else(slim: Any, tmp_path: Path) -> None:
    built = next((PACKAGES / "yaml").glob("_yaml*.so"))
    moved = max((PACKAGES / "numpy.libs").glob("lib*openblas*.so*"), key=lambda path: path.stat().st_size)
    for path in (built, moved):
        shutil.copy2(path, tmp_path)
    (tmp_path / "text.so").write_bytes(b"no library")
    (tmp_path / "short.so").write_bytes(b"\x7fELF\x02\x01")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    taken = slim.strip(tmp_path)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.keys() == before.keys()
    assert taken == sum(map(len, before.values())) - sum(map(len, after.values()))
    assert taken > 1e6 or shutil.which("strip") is None
    assert after["text.so"] == b"no library"
    for name in (built.name, moved.name):
        ctypes.CDLL(str(tmp_path / name), mode=ctypes.RTLD_LOCAL)


def test_java_is_made_of_modules_that_exist_and_of_those_that_spark_needs() -> None:
    lines = (ROOT / "spark-operator" / "modules.txt").read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if not line.startswith("#")]
    assert named == sorted(set(named))
    for home in (home for home in java_homes() if java_major(home) == 17 and (home / "jmods").is_dir()):
        assert {f"{name}.jmod" for name in named} <= {path.name for path in (home / "jmods").iterdir()}
    # Spark adds the module of vectors by --add-modules, and its JVM does not start without it.
    assert {
        "java.base",
        "java.security.jgss",
        "java.management",
        "java.naming",
        "jdk.incubator.vector",
        "jdk.unsupported",
    } <= set(named)
    text = (ROOT / "spark-operator" / "Dockerfile").read_text(encoding="utf-8")
    assert "jlink --add-modules \"$(grep -v '^#' /build/modules.txt | paste -sd,)\"" in text
    assert "jre-headless" not in text


def test_an_image_of_runs_lacks_whole_distributions(slim: Any, tmp_path: Path) -> None:
    files = ("scipy/linalg/a.py", "scipy.libs/b.so", "scipy-1.17.1.dist-info/METADATA", "scipyx/c.py")
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"seven b")
    record = (
        "".join(f"{name},sha256=x,7\n" for name in files[:3]) + "../../../bin/tool,sha256=x,7\nscipy-1.17.1.dist-info/RECORD,,\n"
    )
    (tmp_path / "scipy-1.17.1.dist-info" / "RECORD").write_text(record)
    assert slim.slim(tmp_path, foreign_spark=False, runs_only=True) == 21
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == ["scipyx/c.py"]
    assert [path.name for path in tmp_path.iterdir()] == ["scipyx"]


def test_the_images_do_not_keep_what_pip_compiles_or_caches() -> None:
    for name in ("emr-on-eks", "spark-operator"):
        text = (ROOT / name / "Dockerfile").read_text(encoding="utf-8")
        installed = re.search(r"^RUN python3.11 -m venv(?:.*\\\n)+.*$", text, flags=re.MULTILINE)
        assert installed
        assert "--no-cache-dir --no-compile --require-hashes" in installed[0]
        assert "slim.py /opt/swath/venv/lib/python3.11/site-packages ${SLIM}" in installed[0], "in the layer that installs"
        assert ("ARG SLIM=--foreign-spark\n" in text) == (name == "emr-on-eks")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the table is of the wheels for x86_64")
def test_the_table_of_sizes_is_what_the_lock_gives(slim: Any) -> None:
    guide = (ROOT / "docs" / "deploy-kubernetes.md").read_text(encoding="utf-8")
    written = {row[0]: row[1:] for row in re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \|$", guide, flags=re.MULTILINE)}
    for part, brought, left in slim.table(PACKAGES, lock=ROOT / "requirements.lock"):
        assert part in written, "python spark-operator/slim.py FOLDER --table requirements.lock"
        assert [int(number) for number in written[part]] == pytest.approx([brought, left], abs=1 + 0.02 * brought)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_run_works_without_what_the_images_leave_out(slim: Any, tmp_path: Path) -> None:
    own = tmp_path / "venv"
    packages = own / PACKAGES.relative_to(PACKAGES.parents[2])
    (own / "bin").mkdir(parents=True)
    shutil.copy2(PACKAGES.parents[2] / "pyvenv.cfg", own)
    (own / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    shutil.copytree(PACKAGES, packages, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "playwright"))
    assert slim.slim(packages, foreign_spark=False, runs_only=True) > 600e6
    slim.load(packages)
    assert not [name for name in slim.TRAINING if list(slim.sizes(packages, name=name))]
    scene = simulate(kind="landsat9", folder=tmp_path / "scene", size=96, truth=False).delivery
    words = ["run", "toa", "--input", str(scene), "--output", str(tmp_path / "out"), "--json"]
    done = subprocess.run([str(own / "bin" / "python"), "-m", "swath.cli", *words], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["made"] == 1
