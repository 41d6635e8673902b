import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from swath.deploy.render.layout import APP, ENTRY_POINT, PYTHON, UID
from swath.spark.start.jars import DELTA_JARS, spark_home
from swath.spark.start.java import find_java
from swath.spark.start.s3a_jars import S3A_JARS, S3A_MODULES
from swath.spark.start.settings import DAEMON

ROOT = Path(__file__).resolve().parents[2]
IMAGES = {name: (ROOT / name / "Dockerfile").read_text(encoding="utf-8") for name in ("emr-on-eks", "spark-operator")}


def _shared_parts(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"# -- equal in both images.*?\n(.*?)# -{20,}", text, flags=re.DOTALL))


def test_both_images_install_the_same_lock_and_the_same_wheel() -> None:
    ((lock, wheel),) = {_shared_parts(text) for text in IMAGES.values()}
    assert "--require-hashes -r /build/requirements.lock" in lock
    assert "--no-index --no-deps /build/swath-*.whl" in wheel
    assert "--hash=sha256:" in (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", IMAGES)
def test_paths_of_the_renderings_are_those_of_the_image(name: str) -> None:
    text = IMAGES[name]
    assert f"COPY jobs {APP}/jobs" in text
    assert f"local://{APP}/jobs/process.py" == ENTRY_POINT
    assert f"-m venv {Path(PYTHON).parents[1]}" in text


@pytest.mark.parametrize("name", IMAGES)
def test_no_image_ends_as_root_or_holds_a_secret(name: str) -> None:
    users = re.findall(r"^USER (\S+)", IMAGES[name], flags=re.MULTILINE)
    assert users[-1] == {"emr-on-eks": "hadoop:hadoop", "spark-operator": f"{UID}:{UID}"}[name]
    assert not re.search(r"(?i)(secret|password|token)\s*=", IMAGES[name])
    assert ":latest" not in IMAGES[name]


def test_emr_code_lies_outside_of_what_emr_mounts_over() -> None:
    copied = re.findall(r"^COPY .* (/\S+)$", IMAGES["emr-on-eks"], flags=re.MULTILINE)
    assert not [path for path in copied if path.startswith(("/tmp", "/mnt", "/home/hadoop", "/var/log"))]


def test_the_jars_of_the_image_are_the_jars_of_set_up() -> None:
    listed = dict(
        line.split()[::-1] for line in (ROOT / "spark-operator" / "jars.sha256").read_text(encoding="utf-8").splitlines()
    )
    assert listed == {jar.name: jar.sha256 for jar in (*DELTA_JARS, *S3A_JARS)}
    pom = (ROOT / "spark-operator" / "pom.xml").read_text(encoding="utf-8")
    named = re.findall(r"<groupId>(.*?)</groupId>\s*<artifactId>(.*?)</artifactId>\s*<version>(.*?)</version>\s*<excl", pom)
    assert {f"{name}-{version}.jar" for _, name, version in named} == set(listed)
    assert {module.coordinates for module in S3A_MODULES} <= {":".join(words) for words in named}
    assert all(len(digest) == len(hashlib.sha256().hexdigest()) for digest in listed.values())


@pytest.fixture
def image(tmp_path: Path) -> dict[str, str]:
    """An environment in which tini, java and spark-submit print their words, one a line."""
    for name in ("bin/tini", "java/bin/java", "spark/bin/spark-submit"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        body = 'shift 2; exec "$@"' if name == "bin/tini" else 'printf "%s\\n" "$0" "$@"'
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)
    return {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "JAVA_HOME": f"{tmp_path}/java", "SPARK_HOME": f"{tmp_path}/spark"}


def _run(image: dict[str, str], *words: str, **variables: str) -> list[str]:
    command = ["/bin/sh", str(ROOT / "spark-operator" / "entrypoint.sh"), *words]
    return subprocess.run(command, env={**image, **variables}, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_entry_point_starts_drivers_as_spark_asks(image: dict[str, str]) -> None:
    words = _run(
        image,
        "driver",
        "--class",
        "org.apache.spark.deploy.PythonRunner",
        ENTRY_POINT,
        "a b",
        SPARK_DRIVER_BIND_ADDRESS="10.0.0.9",
    )
    assert words[0].endswith("/spark-submit")
    assert "spark.driver.bindAddress=10.0.0.9" in words
    assert words[-4:] == ["--class", "org.apache.spark.deploy.PythonRunner", ENTRY_POINT, "a b"]


def test_the_entry_point_starts_executors_as_spark_asks(image: dict[str, str]) -> None:
    variables = {
        "SPARK_EXECUTOR_MEMORY": "1024m",
        "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@driver:7078",
        "SPARK_EXECUTOR_ID": "1",
        "SPARK_EXECUTOR_CORES": "2",
        "SPARK_APPLICATION_ID": "spark-1",
        "SPARK_EXECUTOR_POD_IP": "10.0.0.10",
        "SPARK_RESOURCE_PROFILE_ID": "0",
        "SPARK_EXECUTOR_POD_NAME": "run-exec-1",
        "SPARK_JAVA_OPT_0": "-Dx=a b",
        "SPARK_JAVA_OPT_1": "-XX:+UseSerialGC",
    }
    words = _run(image, "executor", **variables)
    assert words[1:5] == ["-Dx=a b", "-XX:+UseSerialGC", "-Xms1024m", "-Xmx1024m"]
    assert words[words.index("--podName") + 1] == "run-exec-1"
    assert "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend" in words


@pytest.fixture
def laid_out(tmp_path: Path, java: None) -> dict[str, str]:
    """The Spark of the lock, laid out under one folder as the Dockerfile lays it out under /opt/spark."""
    package, spark = spark_home(), tmp_path / "opt" / "spark"
    spark.mkdir(parents=True)
    for part in ("bin", "sbin", "python", "jars"):
        (spark / part).symlink_to(package / part)
    tini = tmp_path / "bin" / "tini"
    tini.parent.mkdir()
    tini.write_text('#!/bin/sh\nshift 2\nexec "$@"\n', encoding="utf-8")
    tini.chmod(0o755)
    return {
        "PATH": f"{tini.parent}:{os.environ['PATH']}",
        "SPARK_HOME": str(spark),
        "JAVA_HOME": str(find_java()),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "HOME": str(tmp_path),
    }


@pytest.mark.slow
@pytest.mark.spark
def test_the_layout_of_the_image_starts_a_real_driver_with_python_workers(laid_out: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "count.py"
    program.write_text(
        "import sys\n"
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "total = spark.sparkContext.parallelize(range(10), 2).map(lambda n: n + 1).sum()\n"
        "parent = lambda _: open(f'/proc/{__import__(\"os\").getppid()}/cmdline').read().split('\\0')\n"
        "(words,) = spark.sparkContext.parallelize(range(1), 1).map(parent).collect()\n"
        "open(sys.argv[1], 'w').write(f'{spark.version} {total} {words[words.index(\"-m\") + 1]}')\n",
        encoding="utf-8",
    )
    answer = tmp_path / "answer"
    variables = {"SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1", "SPARK_LOCAL_IP": "127.0.0.1"}
    conf = ("--conf", "spark.ui.enabled=false", "--conf", f"spark.python.daemon.module={DAEMON}")
    _run(laid_out, "driver", "--master", "local[2]", *conf, str(program), str(answer), **variables)
    assert answer.read_text(encoding="utf-8") == f"4.0.5 55 {DAEMON}"


@pytest.mark.slow
@pytest.mark.spark
def test_the_layout_of_the_image_holds_the_executor_of_kubernetes(laid_out: dict[str, str]) -> None:
    java, jars = f"{laid_out['JAVA_HOME']}/bin/java", f"{laid_out['SPARK_HOME']}/jars/*"
    backend = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
    done = subprocess.run([java, "-cp", jars, backend, "--unknown"], capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    options = re.findall(
        r"(--[a-zA-Z-]+) ", (ROOT / "spark-operator" / "entrypoint.sh").read_text(encoding="utf-8").split("Backend", 1)[1]
    )
    assert options == ["--driver-url", "--executor-id", "--cores", "--app-id", "--hostname", "--resourceProfileId", "--podName"]
    assert not [option for option in options if option not in told]
