"""The doctor finds what is wrong and says how to mend it."""

import sys
from pathlib import Path

import pytest

from swath import doctor
from swath.doctor_services import HealthFinding
from swath.readers.files.drivers import missing_drivers
from swath.spark.start import jars
from swath.spark.start.jars import DELTA_JARS


def _java(home: Path, *, release: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch()
    (home / "release").write_text(release, encoding="utf-8")
    return home


def test_every_finding_that_is_not_ok_says_how_to_mend_it(tmp_path: Path) -> None:
    findings = doctor.examine(tmp_path / "not" / "yet")
    assert {f.check for f in findings} >= {"Java", "Spark", "Delta", "GDAL", "Cores", "Disk", "Output"}
    assert all(f.found for f in findings)
    assert all(f.remedy for f in findings if f.level != "ok")


def test_a_failure_is_not_healthy_but_a_warning_is() -> None:
    warning = HealthFinding(check="x", level="warning", found="y", remedy="z")
    failure = HealthFinding(check="x", level="failure", found="y", remedy="z")
    assert doctor.healthy([warning])
    assert not doctor.healthy([warning, failure])


def test_an_old_python_is_a_failure() -> None:
    assert doctor.check_python((3, 10)).level == "failure"
    assert doctor.check_python((3, 11)).level == "ok"


def test_the_range_of_pythons_is_told_and_a_newer_one_is_a_warning() -> None:
    assert [doctor.check_python((3, minor)).level for minor in (11, 12, 13, 14)] == ["ok", "ok", "ok", "warning"]
    assert doctor.check_python((3, 12)).found == "3.12; swath runs on 3.11 to 3.13"


def test_a_java_that_spark_does_not_run_on_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = _java(tmp_path / "eleven", release='JAVA_VERSION="11.0.2"\n')
    monkeypatch.setattr(doctor, "find_java", lambda: None)
    monkeypatch.setattr(doctor, "java_homes", lambda: (old,))
    finding = doctor.check_java()
    assert finding.level == "failure"
    assert f"11 in {old}" in finding.found
    assert "openjdk-17" in finding.remedy


def test_a_spark_of_another_minor_than_delta_wants_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda _: "4.1.0")
    finding = doctor.check_spark()
    assert (finding.level, finding.found) == ("failure", "4.1.0; Delta 4.0.1 works with 4.0.x")


def test_a_delta_jar_cut_short_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jars").mkdir()
    for jar in DELTA_JARS:
        (tmp_path / "jars" / jar.name).write_bytes(b"PK")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    finding = doctor.check_delta()
    assert finding.level == "failure"
    assert DELTA_JARS[0].name in finding.found


def test_missing_delta_jars_name_where_they_were_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    monkeypatch.setenv("SWATH_CACHE", str(tmp_path / "cache"))
    finding = doctor.check_delta()
    assert (finding.level, finding.remedy) == ("failure", "Run make setup.")
    assert str(tmp_path / "cache" / "jars") in finding.found
    # Who has a wheel has no Makefile.
    monkeypatch.setattr(jars, "checkout", lambda: None)
    assert doctor.check_delta().remedy == f"Run {sys.executable} -m swath.spark.prepare."


def test_a_missing_driver_is_named() -> None:
    assert missing_drivers(("GTiff", "NoSuchDriver")) == ("NoSuchDriver",)
    assert missing_drivers() == ()


def test_a_missing_openmp_only_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "openmp", lambda: False)
    finding = doctor.check_openmp()
    assert (finding.level, finding.remedy) == ("warning", "OpenMP is missing: sudo apt-get install libgomp1")


def test_cores_without_memory_get_a_smaller_master() -> None:
    finding = doctor.check_cores(cores=8, memory=4 * doctor.GIB)
    assert (finding.level, "local[2,4]" in finding.remedy) == ("warning", True)
    assert doctor.check_cores(cores=2, memory=4 * doctor.GIB).level == "ok"
    assert doctor.check_cores(cores=1, memory=doctor.GIB).level == "failure"


def test_a_container_limit_counts_when_it_is_less_than_the_machine(tmp_path: Path) -> None:
    meminfo, cgroup = tmp_path / "meminfo", tmp_path / "memory.max"
    meminfo.write_text("MemTotal:       4194304 kB\n", encoding="ascii")
    cgroup.write_text("1073741824\n", encoding="ascii")
    assert doctor.memory_limit(meminfo, cgroup) == doctor.GIB
    cgroup.write_text("max\n", encoding="ascii")
    assert doctor.memory_limit(meminfo, cgroup) == 4 * doctor.GIB


def test_an_output_that_cannot_be_written_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    assert doctor.check_writable(tmp_path / "out").level == "ok"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("swath.doctor.tempfile.NamedTemporaryFile", refuse)
    finding = doctor.check_writable(tmp_path / "out")
    assert (finding.level, finding.found) == ("failure", f"{tmp_path} cannot be written: Permission denied")
