"""Who keeps the account at a site, the served catalogue, and the models."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from swath.deploy.site.strict import Strict
from swath.settings import DATABASE_S

SecretRef = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?:[A-Za-z0-9._-]+)?$")]


class LedgerKind(StrEnum):
    """Where the account lives."""

    DELTA = "delta"
    POSTGRESQL = "postgresql"


class Lock(StrEnum):
    """What keeps a second committing driver away."""

    NONE = "none"
    FILE = "file"  # a lock file of the operating system; one machine
    POSTGRESQL = "postgresql"  # an advisory lock on a direct connection


class SiteLedger(Strict):
    """The account.

    Args:
        kind: Delta tables under the output, or PostgreSQL.
        lock: Delta on an object store has no lock of its own in Spark 4.0; two drivers lose data silently.
        dsn: ``SECRET:KEY`` of the Kubernetes secret with the connection string; for ``spark-submit`` the variable
            SWATH_POSTGRESQL_DSN of the caller's environment is used.
        wait_s: Longest time that a database may be away before a run ends with code 6 [s].
        pooled: The connection goes through a pooler in transaction mode, which breaks advisory locks.
        password_from: ``rds-iam``, or a command in the image that prints the password: asked anew for each connection.
        migrate_dsn: ``SECRET:KEY`` of the role that makes and changes the schema; runs never see it.
    """

    kind: LedgerKind = LedgerKind.DELTA
    lock: Lock = Lock.NONE
    dsn: SecretRef = ""
    wait_s: Annotated[int, Field(ge=1)] = round(DATABASE_S)
    pooled: bool = False
    password_from: Annotated[str, Field(pattern=r"^(\S.*)?$")] = ""
    migrate_dsn: SecretRef = ""


class SiteCatalogue(Strict):
    """The catalogue that people search. The static one is always written.

    Args:
        kind: Files alone, or PostgreSQL with pgSTAC beside them.
        dsn: ``SECRET:KEY`` of the Kubernetes secret with the connection string.
        base: Base URI of the output for readers of the served catalogue; the output's own URI if empty.
        migrate_dsn: As that of the ledger.
    """

    kind: Literal["static", "pgstac"] = "static"
    dsn: SecretRef = ""
    migrate_dsn: SecretRef = ""
    base: Annotated[str, Field(pattern=r"^((https?|s3)://\S+)?$")] = ""

    @model_validator(mode="after")
    def _served_needs_a_database(self) -> Self:
        """PgSTAC is a database."""
        if self.kind == "pgstac" and not self.dsn:
            msg = "catalogue pgstac needs dsn: SECRET:KEY"
            raise ValueError(msg)
        return self


class SiteRegistry(Strict):
    """Where model versions are looked up, by the driver only.

    Args:
        uri: ``https://...`` of an MLflow server, a folder, or ``store://NAME/path`` with exported models.
        licences: Licences of models that may run here; all when empty.
        demands: Parts that every model must carry: ``reference`` rows, a ``signature``.
        keys: Public keys whose signatures are trusted: files in the image or in a mounted volume.
        revoked: Folder of the list of revoked models, there too.
    """

    uri: Annotated[str, Field(pattern=r"^(https?://\S+|store://\S+|/\S+|)$")] = ""
    licences: tuple[Annotated[str, Field(pattern=r"^[^,\s][^,]*$")], ...] = ()
    demands: tuple[Literal["reference", "signature"], ...] = ()
    keys: tuple[Annotated[str, Field(pattern=r"^/[^,\s]+$")], ...] = ()
    revoked: Annotated[str, Field(pattern=r"^(/\S+|)$")] = ""

    @model_validator(mode="after")
    def _signatures_need_keys(self) -> Self:
        """A signature proves something by a key alone."""
        if "signature" in self.demands and not self.keys:
            msg = "models.demands: signature needs models.keys, the public keys that are trusted"
            raise ValueError(msg)
        return self
