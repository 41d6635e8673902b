"""The command that an engine would run, read back from what it is given; and the same command for this machine."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from swath.deploy.engine import engine_of
from swath.deploy.render.command import EngineCommand
from swath.deploy.render.order import Order
from swath.deploy.site.site import Site
from swath.errors import ConfigError

__all__ = ["EngineCommand", "engine_command", "here", "words_and_variables"]

_EXECUTOR_ENV = "spark.executorEnv."

# What only a cluster has: pods, jars of its image, accounts, stores behind a network.
_CLUSTER_SETTINGS = re.compile(
    r"spark\.(default\.parallelism|kubernetes\.|hadoop\.fs\.|pyspark\.|decommission|storage\.decommission|dynamicAllocation|jars|eventLog|executor\.(instances|maxNumFailures)|master)"
)
_CLUSTER_VARIABLES = re.compile(
    r"(AWS_|CPL_AWS|SWATH_(STORES|STORE_PATIENCE|DATABASE_WAIT|LINK|SITE_DIGEST|LOCK|LEDGER|METRICS|PRICE|MODELS|CATALOG)|HOME|TMPDIR|NUMBA_CACHE|MPLCONFIG|HTTPS?_PROXY|NO_PROXY|SSL_CERT|PGSSL|"
    r"CURL_CA|GDAL_CURL_CA|PROJ_CURL_CA|REQUESTS_CA|MLFLOW_TRACKING)",
    flags=re.IGNORECASE,
)
#: Folders represent stores: they carry Delta, and have a lock of their own.
_FOLDERS_LEDGER = {"SWATH_LEDGER": "delta", "SWATH_LOCK": "file"}


def engine_command(order: Order) -> EngineCommand:
    """Render ``order`` for its engine, and read the command back from the rendering alone."""
    return engine_of(order.site).read_back(order)


def here(command: EngineCommand, *, site: Site, folders: Mapping[str, Path], program: Path) -> EngineCommand:
    """The same command on this machine.

    Args:
        command: Command that the engine would run.
        site: Whose stores the arguments name.
        folders: Local folder that represents each store, by store name.
        program: ``jobs/process.py`` here.

    Raises:
        ConfigError: An argument is in a store without a folder.
    """
    kept = {key: value for key, value in command.conf.items() if not _CLUSTER_SETTINGS.match(key)}
    return replace(
        command,
        program=str(program),
        arguments=tuple(_moved(word, site=site, folders=folders) for word in command.arguments),
        conf=kept | {"spark.master": "local[2,4]"},
        driver={key: value for key, value in command.driver.items() if not _CLUSTER_VARIABLES.match(key)} | _FOLDERS_LEDGER,
        executor={key: value for key, value in command.executor.items() if not _CLUSTER_VARIABLES.match(key)},
    )


def _moved(word: str, *, site: Site, folders: Mapping[str, Path]) -> str:
    """An address in a store as a path below the local folder that replaces it."""
    found = site.store_of(word)
    if found is None:
        return word
    name, store = found
    if name not in folders:
        raise ConfigError(f"{word} is in store {name!r}, and no local folder replaces it here (--store {name}=FOLDER)")
    below = word.removeprefix(store.uri.rstrip("/")).strip("/")
    return str(folders[name] / below) if below else str(folders[name])


def words_and_variables(command: EngineCommand, *, submit: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The words for this machine, and its whole environment."""
    conf = {**command.conf, **{f"{_EXECUTOR_ENV}{key}": value for key, value in command.executor.items()}}
    pairs = tuple(word for key, value in sorted(conf.items()) for word in ("--conf", f"{key}={value}"))
    return (submit, *pairs, command.program, *command.arguments), {**os.environ, **command.driver}
