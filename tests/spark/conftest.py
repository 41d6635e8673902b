"""One JVM for all tests that need Spark."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from swath.errors import ConfigError
from swath.spark.jars import delta_class_path
from swath.spark.java import HOW_TO_GET, find_java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def java() -> None:
    """A skip, with the reason, on a machine where no JVM can start."""
    if find_java() is None:
        pytest.skip(HOW_TO_GET)
    try:
        delta_class_path()
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def spark(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """The session that all Spark tests share: two cores, four attempts, as small as it gets."""
    from swath.spark.session import build_session, stop_session  # noqa: PLC0415 (importing pyspark takes a second)

    folder = tmp_path_factory.mktemp("spark")
    conf = {"spark.local.dir": str(folder), "spark.sql.warehouse.dir": str(folder / "warehouse")}
    session = build_session(app="swath-tests", master="local[2,4]", conf=conf)
    yield session
    stop_session(session)
