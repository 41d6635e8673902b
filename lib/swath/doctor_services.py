"""What the doctor finds when it asks stores, databases and registries; each cause has its own line and remedy."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from swath.errors import ServiceError, StoreRefusedError

if TYPE_CHECKING:
    from swath.stores.probe import ProbeAnswer
    from swath.stores.s3 import S3Store

Level = Literal["ok", "warning", "failure"]
#: How long the doctor waits for a store that is away or too busy [s]: it is asked now, not for a night.
_PATIENCE_S = 5.0
_HTTP_S = 10.0
#: By ``StoreRefusedError.cause``, and for what is away.
REMEDIES: Mapping[str, str] = {
    "away": "See that the endpoint (AWS_ENDPOINT_URL_S3, SWATH_STORES) is right and can be reached from here; "
    "a busy store needs fewer requests, or more time: patience_s.",
    "access": "Grant the action to that identity, or use other credentials (AWS_PROFILE, profile in SWATH_STORES).",
    "clock": "Set this machine's clock (NTP).",
    "bucket": "Check the bucket's name, the endpoint and the account.",
    "region": "Set AWS_REGION, or region and endpoint of the bucket in SWATH_STORES.",
    "credentials": "Log in, or set AWS_PROFILE or keys; a public bucket says anonymous in SWATH_STORES.",
    "certificate": "Set AWS_CA_BUNDLE to the authorities of the store.",
    "": "Check bucket, endpoint (AWS_ENDPOINT_URL_S3, SWATH_STORES), region and credentials.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFinding:
    """One look at the machine, or at what it must reach.

    Args:
        check: Subject of the check.
        level: ``failure`` stops a run, ``warning`` makes it slow or risky.
        found: State that was found.
        remedy: Action to take; empty if all is well.
    """

    check: str
    level: Level
    found: str
    remedy: str = ""


def store_findings(uri: str, *, label: str = "Store", may_be_input: bool = False) -> tuple[HealthFinding, ...]:
    """Ask a store what it can do.

    Args:
        uri: ``s3://bucket/prefix``.
        label: Name in findings.
        may_be_input: A store that can be read alone is no failure.

    Raises:
        ConfigError: The URI names no bucket.
    """
    # boto3 takes a moment that folders need not pay.
    from swath.stores.probe import Ability, guard_of, probe  # noqa: PLC0415
    from swath.stores.s3 import S3Store  # noqa: PLC0415

    store = S3Store(uri)
    store.options = replace(store.options, patience_s=_PATIENCE_S)
    answers = probe(store)
    if may_be_input and answers[0].cause == "access":
        readable = _readable(store, label=label, refused=answers[0].told)
        if readable is not None:
            return (readable,)
    found = [HealthFinding(check=f"{label}: {a.ability}", level="ok", found=a.told) for a in answers if a.able]
    remedies: dict[Ability, tuple[Level, str]] = {
        Ability.WRITE: ("failure", REMEDIES[""]),
        Ability.LIST: ("failure", "Keep the ledger in PostgreSQL: a Delta ledger would lose commits here."),
        Ability.OVERWRITE: ("failure", "Keep the ledger in PostgreSQL: a Delta ledger would lose commits here."),
        Ability.PUT: ("warning", "Let one run at a time write here, or set SWATH_LOCK=postgresql."),
        Ability.RACE: ("warning", "Let one run at a time write here, or set SWATH_LOCK=postgresql."),
        Ability.COMPLETE: ("warning", "Let one run at a time write here, or set SWATH_LOCK=postgresql."),
        Ability.PARTS: ("warning", "Large files will be made by one task each, which takes longer."),
        Ability.CLOCK: ("warning", REMEDIES["clock"]),
    }
    found += [_lacking(a, *remedies[a.ability], label=label) for a in answers if not a.able]
    if answers[0].able:
        found.append(HealthFinding(check=f"{label}: guard", level="ok", found=guard_of(answers)))
    return tuple(found)


def _lacking(answer: "ProbeAnswer", level: Level, remedy: str, *, label: str) -> HealthFinding:
    """What is refused or away has its own remedy, whatever was asked."""
    if answer.cause:
        level, remedy = "failure", REMEDIES[answer.cause]
    return HealthFinding(check=f"{label}: {answer.ability}", level=level, found=answer.told, remedy=remedy)


def _readable(store: "S3Store", *, label: str, refused: str) -> HealthFinding | None:
    try:
        next(iter(store.entries("")), None)
    except (ServiceError, StoreRefusedError):
        return None
    remedy = "Nothing, where it holds inputs alone; an output needs that action granted."
    return HealthFinding(check=f"{label}: read", level="warning", found=f"can be listed, not written ({refused})", remedy=remedy)


def database_finding(dsn: str, *, label: str, variable: str, locks: bool) -> HealthFinding:
    """Ask a database once.

    Args:
        dsn: Connection string; empty where this machine has none.
        label: Name in the finding.
        variable: Variable that contains the address.
        locks: Runs are locked there.
    """
    if not dsn:
        remedy = f"Set {variable} here to have it checked."
        return HealthFinding(
            check=label, level="warning", found="not checked: its connection string is not on this machine", remedy=remedy
        )
    from swath.stores.database_probe import ask_database  # noqa: PLC0415  psycopg only where a database is configured

    able, found, remedy = ask_database(dsn, locks=locks)
    return HealthFinding(check=label, level="ok" if able else "failure", found=found, remedy=remedy)


def registry_finding(uri: str) -> HealthFinding:
    """Ask an MLflow server whether it is there."""
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=_HTTP_S) as answer:  # noqa: S310  a site's own address
            answer.read()
    except urllib.error.HTTPError as error:
        remedy = "Check the address, and the access rights there (MLFLOW_TRACKING_TOKEN)."
        return HealthFinding(check="Models", level="failure", found=f"{uri}: {error.code} {error.reason}", remedy=remedy)
    except OSError as error:
        remedy = "Check that the server runs and is reachable from here; REQUESTS_CA_BUNDLE names its authorities."
        return HealthFinding(check="Models", level="failure", found=f"{uri}: {getattr(error, 'reason', error)}", remedy=remedy)
    return HealthFinding(check="Models", level="ok", found=f"{uri} answers")
