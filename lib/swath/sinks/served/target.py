"""Where the served catalogue is."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueTarget:
    """The catalogue that people search.

    Args:
        dsn: Connection string of a PostgreSQL with pgSTAC; may hold a password, so nothing shows it.
        base: URI that the output's root has for readers of the catalogue; empty means the output's own.
    """

    dsn: str = field(repr=False)
    base: str = ""
