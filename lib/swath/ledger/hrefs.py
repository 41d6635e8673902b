"""Which of some addresses the ledger has a row of."""

from collections.abc import Iterable

from swath.ledger.schemas import QUARANTINE, SCENES
from swath.ledger.tables import Tables


def hrefs_with_rows(tables: Tables, hrefs: Iterable[str]) -> frozenset[str]:
    """Those that a scene, or an entry of the quarantine, was found by.

    Args:
        tables: The ledger.
        hrefs: Addresses of files; what is inside of an archive (``archive.zip#place``) counts for the archive.

    Raises:
        NeedsSparkError: The tables were opened without a session, and only Spark can read them.
    """
    found: set[str] = set()
    for name, schema in (("scenes", SCENES), ("quarantine", QUARANTINE)):
        rows = tables.arrow(name, schema, columns=["href"])
        table = tables.read(name, schema, columns=["href"]).toArrow() if rows is None else rows
        found |= {str(href).partition("#")[0] for href in table.column("href").to_pylist() if href}
    return frozenset(hrefs) & found
