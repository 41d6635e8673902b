"""Set-up installs what it may, refuses what is not what it should be, and never fails for want of speed."""

import logging
import os
import select
import sys
from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.spark.start import prepare
from swath.spark.start.archive import archive_path, reading_options
from swath.spark.start.jars import DELTA_JARS
from swath.spark.start.java import JAVA_PACKAGES


@pytest.fixture
def spark_and_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Spark with one jar and an empty cache."""
    (tmp_path / "spark" / "jars").mkdir(parents=True)
    (tmp_path / "spark" / "jars" / "spark-core.jar").write_bytes(b"PK")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    monkeypatch.setenv("SWATH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def _resolver(folder: Path, *, says: str, writes: bytes | None = None) -> None:
    """A spark-submit that says something and, like Ivy, leaves files in the folder of its --conf."""
    lines = ["#!/bin/sh", f"echo '{says}'"]
    if writes is not None:
        lines.append('ivy="${4#spark.jars.ivy=}"; mkdir -p "$ivy/jars"')
        lines += [f"printf '{writes.decode()}' > \"$ivy/jars/io.delta_{jar.name}\"" for jar in DELTA_JARS]
    script = folder / "spark" / "bin" / "spark-submit"
    script.parent.mkdir()
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    script.chmod(0o755)


def test_a_user_who_is_not_root_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(prepare, "find_java", lambda: None)
    with pytest.raises(ConfigError, match="sudo apt-get install openjdk-17-jre-headless"):
        prepare.install_java()


def test_the_first_java_that_the_system_offers_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncase "$*" in *openjdk-17*) exit 100;; esac\n', encoding="utf-8")
    apt.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda _: str(apt))
    prepare.install(*JAVA_PACKAGES, remedy="no Java")
    asked = [line.split()[-1] for line in (tmp_path / "asked").read_text(encoding="utf-8").splitlines()]
    assert asked == ["-qq", "openjdk-17-jre-headless", "openjdk-21-jre-headless"]
    with pytest.raises(ConfigError, match=r"^no Java$"):
        prepare.install("openjdk-17-jre-headless", remedy="no Java")


def test_a_jar_that_is_not_the_one_it_should_be_is_refused_and_not_kept(spark_and_cache: Path) -> None:
    _resolver(spark_and_cache, says="resolved", writes=b"another jar")
    with pytest.raises(ConfigError, match="is not the file it should be"):
        prepare.fetch_jars()
    assert list((spark_and_cache / "cache" / "jars").glob("*.jar")) == []


def test_a_repository_that_cannot_be_reached_is_said_with_the_way_out(spark_and_cache: Path) -> None:
    _resolver(spark_and_cache, says=":: unresolved dependency: io.delta#delta-spark_2.13;4.0.1: not found")
    with pytest.raises(ConfigError, match=r"unresolved dependency.*DEFAULT_ARTIFACT_REPOSITORY"):
        prepare.fetch_jars()


def test_without_a_class_archive_set_up_goes_on(
    spark_and_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with caplog.at_level(logging.WARNING):
        prepare.make_archive(spark_and_cache / "java")
    assert "sessions start slower" in caplog.text
    assert reading_options(spark_and_cache / "java") == ""


def test_a_rehearsal_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    left = tmp_path / "pid"
    script = (
        f"import subprocess, sys; p = subprocess.Popen(['sleep', '60']); open({str(left)!r}, 'w').write(str(p.pid)); p.wait()"
    )
    code, _ = prepare.rehearsed([sys.executable, "-c", script], timeout_s=5)
    assert code is None
    assert _ended(int(left.read_text(encoding="utf-8")))


def _ended(pid: int) -> bool:
    """Whether a process is gone, or ends within 20 s."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    # Readable once the process has ended.
    ended, _, _ = select.select([process], [], [], 20.0)
    os.close(process)
    return bool(ended)


def test_an_archive_belongs_to_one_set_of_jars(spark_and_cache: Path) -> None:
    java = spark_and_cache / "java"
    before = archive_path(java)
    assert archive_path(java) == before
    (spark_and_cache / "spark" / "jars" / "delta.jar").write_bytes(b"PK")
    assert archive_path(java) != before
