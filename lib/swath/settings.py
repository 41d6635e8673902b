"""What the environment says to swath: every ``SWATH_*`` variable, its type, its default and its meaning.

Sites render these variables into pods; people set them on a laptop. Code reads them here only, so that a wrong value is one
message that names its variable, and a misspelt name is noticed.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Self, get_type_hints

from swath.errors import ConfigError
from swath.suggestion import did_you_mean

PREFIX: Final = "SWATH_"
LEDGER: Final = "SWATH_LEDGER"
LOCK: Final = "SWATH_LOCK"
DSN: Final = "SWATH_POSTGRESQL_DSN"
PGSTAC_DSN: Final = "SWATH_PGSTAC_DSN"
STORES: Final = "SWATH_STORES"
STORE_PATIENCE: Final = "SWATH_STORE_PATIENCE_S"
DATABASE_WAIT: Final = "SWATH_DATABASE_WAIT_S"
CREDENTIAL_FROM: Final = "SWATH_DATABASE_PASSWORD_FROM"
HOSTS: Final = "SWATH_HOSTS"
SEARCH_PAGES: Final = "SWATH_SEARCH_PAGES"
SEARCH_GIB: Final = "SWATH_SEARCH_GIB"
#: Pages of a search's answer, and GiB of all its pages; a page of 1,000 items has some 20 MB.
PAGES: Final = 20_000
PAGES_GIB: Final = 16.0
#: Set by a rendered job, with the site's link; its pods have all settings of the site already.
LINK: Final = "SWATH_LINK"
#: The same of the site's values, so that a run says which it had.
SITE_DIGEST: Final = "SWATH_SITE_DIGEST"
SUBMITTED_BY: Final = "SWATH_SUBMITTED_BY"
#: Seconds that a store, and a database, may be away unless said otherwise. A managed database fails over within two minutes.
STORE_S: Final = 300.0
DATABASE_S: Final = 180.0
#: Seconds to wait for another driver: its commit takes seconds, and one that died is noticed after 25.
LOCK_S: Final = 120.0


def _one_of(*known: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in known:
            msg = f"expected {', '.join(known[:-1])} or {known[-1]}"
            raise ValueError(msg)
        return text

    return parse


def _seconds(text: str) -> float:
    msg = "expected seconds, 0 or more"
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError(msg) from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(msg)
    return seconds


def _above_zero(text: str) -> float:
    msg = "expected a number above 0"
    try:
        number = float(text)
    except ValueError:
        raise ValueError(msg) from None
    if not 0 < number < float("inf"):
        raise ValueError(msg)
    return number


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        msg = "expected a whole number, 1 or more"
        raise ValueError(msg)
    return int(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(w.strip() for w in text.split(",") if w.strip())


def _lower_words(text: str) -> tuple[str, ...]:
    return _words(text.lower())


@dataclass(frozen=True, slots=True)
class _Variable:
    """Where a setting comes from: the name of its variable, its meaning, and the function that reads its text."""

    name: str
    meaning: str
    parse: Callable[[str], object] = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The variables that are set, the others at their defaults. An empty variable counts as not set."""

    site: Annotated[str, _Variable("SWATH_SITE", "name or file of the site, as `--site`")] = "laptop"
    conf: Annotated[Path | None, _Variable("SWATH_CONF", "folder with `pipelines/`, `sites/` and `jobs/`", Path)] = None
    ledger: Annotated[str, _Variable(LEDGER, "`delta` or `postgresql`", _one_of("delta", "postgresql"))] = "delta"
    lock: Annotated[
        str, _Variable(LOCK, "lock of runs and commits: `none`, `file` or `postgresql`", _one_of("none", "file", "postgresql"))
    ] = "none"
    lock_wait_s: Annotated[float, _Variable("SWATH_LOCK_WAIT_S", "seconds to wait for a commit's lock", _seconds)] = LOCK_S
    postgresql_dsn: Annotated[str, _Variable(DSN, "connection string of ledger and lock; a secret")] = ""
    database_wait_s: Annotated[float, _Variable(DATABASE_WAIT, "seconds that a database may be away", _seconds)] = DATABASE_S
    database_password: Annotated[
        str,
        _Variable(CREDENTIAL_FROM, "`rds-iam`, or a command that prints the password of a database for one connection"),
    ] = ""
    stores: Annotated[str, _Variable(STORES, "endpoint, identity and limits of buckets: JSON by bucket, or a file of it")] = ""
    store_patience_s: Annotated[float, _Variable(STORE_PATIENCE, "seconds that a store may be away", _seconds)] = STORE_S
    catalog: Annotated[str, _Variable("SWATH_CATALOG", "connection string of the served catalogue, as `--catalog`; a secret")] = (
        ""
    )
    pgstac_dsn: Annotated[str, _Variable(PGSTAC_DSN, "the same, as sites set it; a secret")] = ""
    catalog_base: Annotated[
        str, _Variable("SWATH_CATALOG_BASE", "address of the output for readers of the served catalogue, as `--catalog-base`")
    ] = ""
    models: Annotated[str, _Variable("SWATH_MODELS", "store of exported models, in place of a registry")] = ""
    model_licences: Annotated[
        tuple[str, ...],
        _Variable("SWATH_MODEL_LICENCES", "licences of models that may run, separated by commas; all if empty", _words),
    ] = ()
    model_demands: Annotated[
        tuple[str, ...],
        _Variable("SWATH_MODEL_DEMANDS", "`reference`, `signature`: what every model must carry, by commas", _words),
    ] = ()
    model_keys: Annotated[
        str, _Variable("SWATH_MODEL_KEYS", "public keys that may sign models: PEM files, or YAML lists with dates")
    ] = ""
    model_revoked: Annotated[str, _Variable("SWATH_MODEL_REVOKED", "folder with the list of revoked models")] = ""
    sign_key: Annotated[str, _Variable("SWATH_MODEL_SIGN_KEY", "private key that signs models, as `--sign-key`: a PEM file")] = ""
    sign_key_password: Annotated[str, _Variable("SWATH_MODEL_SIGN_KEY_PASSWORD", "password of that key; a secret")] = ""
    models_lock: Annotated[str, _Variable("SWATH_MODELS_LOCK", "file of pinned models, as `--lock`")] = ""
    hosts: Annotated[
        tuple[str, ...], _Variable(HOSTS, "hosts that searches and https files may contact, separated by commas", _lower_words)
    ] = ()
    search_pages: Annotated[int, _Variable(SEARCH_PAGES, "most pages of a search's answer", _count)] = PAGES
    search_gib: Annotated[float, _Variable(SEARCH_GIB, "most GiB of a search's answer", _above_zero)] = PAGES_GIB
    price_file: Annotated[str, _Variable("SWATH_PRICE_FILE", "file of prices for the report's cost")] = ""
    commit: Annotated[str, _Variable("SWATH_COMMIT", "commit of the code, which lineage names")] = ""
    metrics: Annotated[str, _Variable("SWATH_METRICS", "services that receive the state of a run: JSON, set by sites")] = ""
    stac_schemas: Annotated[Path | None, _Variable("SWATH_STAC_SCHEMAS", "folder of STAC schemas for `swath validate`", Path)] = (
        None
    )
    child_memory_mib: Annotated[
        str, _Variable("SWATH_CHILD_MEMORY_MIB", "memory limit of a worker's child [MiB], as `--worker-memory-mb`")
    ] = ""
    cache: Annotated[Path | None, _Variable("SWATH_CACHE", "folder for what set-up fetches and compiles", Path)] = None
    jars: Annotated[Path | None, _Variable("SWATH_JARS", "folder of Delta's jars", Path)] = None
    s3a_jars: Annotated[Path | None, _Variable("SWATH_S3A_JARS", "folder of S3A's jars", Path)] = None
    trace: Annotated[bool, _Variable("SWATH_TRACE", "if set, print the traceback of an unexpected error", bool)] = False
    gpus: Annotated[
        str, _Variable("SWATH_GPUS", "addresses of the GPUs that networks use; set by workers for their children")
    ] = ""
    link: Annotated[str, _Variable(LINK, "link of the site; set by rendered jobs")] = ""
    site_digest: Annotated[str, _Variable(SITE_DIGEST, "SHA-256 of the site's values; set by rendered jobs")] = ""
    submitted_by: Annotated[str, _Variable(SUBMITTED_BY, "submitter of the run; set by `swath submit`")] = ""

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The settings of an environment.

        Raises:
            ConfigError: A value is not of its kind; the message names the variable.
        """
        return cls(**{field: _value(v, environ[v.name]) for field, v in _variables().items() if environ.get(v.name)})

    def dsn_for(self, variable: str) -> str:
        """The connection string of ledger and lock, which the value ``postgresql`` of ``variable`` needs.

        Raises:
            ConfigError: There is none.
        """
        if not self.postgresql_dsn:
            msg = f"{variable} is postgresql, but {DSN} is not set; expected postgresql://USER@HOST:PORT/NAME"
            raise ConfigError(msg)
        return self.postgresql_dsn


@cache
def _variables() -> Mapping[str, _Variable]:
    hints = get_type_hints(Settings, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def _value(variable: _Variable, text: str) -> Any:
    try:
        return variable.parse(text)
    except ValueError as error:
        msg = f"{variable.name} is {text!r}; {error}"
        raise ConfigError(msg) from error


def meanings() -> dict[str, str]:
    """What each variable means, by its name."""
    return {v.name: v.meaning for v in _variables().values()}


#: Variables that swath sets for its own processes.
_OWN: Final = frozenset({"SWATH_RUN_ID"})
#: Kubernetes describes every service of a namespace to its pods so; a driver's service may begin with ``swath-``.
_OF_A_SERVICE: Final = re.compile(r"_SERVICE_(HOST|PORT)|_PORT(_|$)")


def misspelt(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """A line about each variable that begins like swath's and is none of them."""
    known = meanings()
    return tuple(
        f"{name} is not a setting of swath{did_you_mean(name, known)}"
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known and name not in _OWN and not _OF_A_SERVICE.search(name)
    )
