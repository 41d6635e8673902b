"""What the environment says to swath."""

import re
from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.settings import DATABASE_S, LOCK, PREFIX, Settings, meanings, misspelt

ROOT = Path(__file__).resolve().parents[2]
#: Names in the code that begin like a variable and are none: tags of files, and what swath's own processes say to each other.
NOT_SETTINGS = {"SWATH_COMPLETE", "SWATH_ASSET_KEY", "SWATH_LAYER", "SWATH_CORNERS", "SWATH_RUN_ID"}


def test_every_variable_that_the_code_names_is_a_setting() -> None:
    named = {
        word for path in (ROOT / "lib").rglob("*.py") for word in re.findall(r"SWATH_[A-Z0-9_]*[A-Z0-9]", path.read_text("utf-8"))
    }
    assert named - NOT_SETTINGS == meanings().keys()


def test_the_page_of_settings_lists_each_with_its_meaning() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(SWATH_\w+)` \| .*? \| (.+) \|$", page, flags=re.MULTILINE))
    assert rows == meanings()


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert Settings.of({"SWATH_LEDGER": "", "SWATH_DATABASE_WAIT_S": ""}) == Settings()
    assert Settings.of({}).database_wait_s == DATABASE_S


def test_values_have_their_kind() -> None:
    found = Settings.of(
        {"SWATH_HOSTS": "Earth.Example, *.stac.example,", "SWATH_LOCK_WAIT_S": "0.5", "SWATH_JARS": "/jars", "SWATH_TRACE": "0"}
    )
    assert (found.hosts, found.lock_wait_s, found.jars) == (("earth.example", "*.stac.example"), 0.5, Path("/jars"))
    assert found.trace


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("SWATH_LEDGER", "sqlite", "delta or postgresql"),
        ("SWATH_LOCK", "zookeeper", "none, file or postgresql"),
        ("SWATH_DATABASE_WAIT_S", "soon", "seconds, 0 or more"),
        ("SWATH_STORE_PATIENCE_S", "-1", "seconds, 0 or more"),
        ("SWATH_STORE_PATIENCE_S", "inf", "seconds, 0 or more"),
        ("SWATH_LOCK_WAIT_S", "nan", "seconds, 0 or more"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{name} is {text!r}; expected {expected}")):
        Settings.of({name: text})


def test_a_secret_that_is_missing_is_asked_for_by_name() -> None:
    with pytest.raises(ConfigError, match="SWATH_LOCK is postgresql, but SWATH_POSTGRESQL_DSN is not set"):
        Settings.of({LOCK: "postgresql"}).dsn_for(LOCK)


def test_a_misspelt_variable_is_noticed_and_services_of_kubernetes_are_not() -> None:
    around = {
        "SWATH_LEDGR": "postgresql",
        "SWATH_ARD_DRIVER_SVC_SERVICE_HOST": "10.0.0.1",
        "SWATH_ARD_DRIVER_SVC_PORT_7078_TCP": "tcp://10.0.0.1:7078",
        "SWATH_RUN_ID": "r",
        "HOME": "/",
    }
    assert misspelt(around) == ("SWATH_LEDGR is not a setting of swath; did you mean 'SWATH_LEDGER'?",)
    assert all(name.startswith(PREFIX) for name in meanings())
