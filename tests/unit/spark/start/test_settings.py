"""Settings and jars: what is told to Spark, without starting it."""

from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.spark.start import jars, java
from swath.spark.start.jars import DELTA_JARS, delta_class_path
from swath.spark.start.settings import properties, settings_for, with_class_path, with_java_options

ROOT = Path(__file__).resolve().parents[4]


def test_spark_submit_is_given_what_the_session_builder_sets() -> None:
    text = (ROOT / "conf" / "spark-defaults.conf").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("#")]
    assert "".join(lines) == properties(settings_for("spark://anywhere"))


def test_an_executor_of_a_local_cluster_fits_its_worker() -> None:
    assert settings_for("local-cluster[2,1,1024]")["spark.executor.memory"] == "1024m"
    assert "spark.executor.memory" not in settings_for("local[2,4]")


def test_jars_are_shipped_to_executors_that_do_not_see_our_files() -> None:
    paths = (Path("/jars/a.jar"), Path("/jars/b.jar"))
    assert with_class_path({}, paths, master="spark://host:7077") == {"spark.jars": "/jars/a.jar,/jars/b.jar"}
    local = with_class_path({}, paths, master="local[2]")
    assert local["spark.driver.extraClassPath"] == local["spark.executor.extraClassPath"] == "/jars/a.jar:/jars/b.jar"
    assert with_class_path({}, (), master="local[2]") == {}


def test_java_options_are_added_to_those_that_are_there() -> None:
    joined = with_java_options({"spark.driver.extraJavaOptions": "-Xa"}, driver="-Xb")
    assert joined == {"spark.driver.extraJavaOptions": "-Xa -Xb", "spark.executor.extraJavaOptions": ""}


def test_jars_beside_spark_need_no_class_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jars").mkdir()
    for jar in DELTA_JARS:
        (tmp_path / "jars" / jar.name).touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    assert delta_class_path() == ()


def test_jars_of_a_named_folder_are_put_on_the_class_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for jar in DELTA_JARS:
        (tmp_path / jar.name).touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    monkeypatch.setenv("SWATH_JARS", str(tmp_path))
    assert delta_class_path() == tuple(tmp_path / jar.name for jar in DELTA_JARS)


def test_jars_that_are_nowhere_are_a_configuration_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    monkeypatch.setenv("SWATH_CACHE", str(tmp_path))
    with pytest.raises(ConfigError, match=r"delta-spark_2.13-4.0.1.jar and .* are missing; .* Run make setup"):
        delta_class_path()


def test_a_changed_jar_is_not_intact(tmp_path: Path) -> None:
    (tmp_path / DELTA_JARS[0].name).write_bytes(b"something else")
    assert not jars.intact(DELTA_JARS[0], folder=tmp_path)


@pytest.mark.parametrize(
    ("release", "major"), [('JAVA_VERSION="17.0.15"', 17), ('JAVA_VERSION="1.8.0_392"', 8), ("nothing", None)]
)
def test_the_major_version_of_a_java_comes_from_its_release_file(tmp_path: Path, release: str, major: int | None) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    (tmp_path / "release").write_text(f"X=1\n{release}\n", encoding="utf-8")
    assert java.java_major(tmp_path) == major


def _javas(folder: Path, **releases: int) -> None:
    for name, major in releases.items():
        (folder / name / "bin").mkdir(parents=True)
        (folder / name / "bin" / "java").touch()
        (folder / name / "release").write_text(f'JAVA_VERSION="{major}.0.1"\n', encoding="utf-8")


def test_the_java_that_swath_is_tested_with_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _javas(tmp_path, a=25, b=21, c=17)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    assert java.find_java(tmp_path) == tmp_path / "c"


def test_a_java_home_that_spark_runs_on_is_kept_and_another_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _javas(tmp_path, a=25, b=21, c=17)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "b"))
    assert java.find_java(tmp_path) == tmp_path / "b"
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "a"))
    assert java.find_java(tmp_path) == tmp_path / "c"


def test_no_java_is_found_where_none_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _javas(tmp_path, a=25)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    assert java.find_java(tmp_path) is None
