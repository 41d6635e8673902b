"""Spark's daemon of Python workers, with what each worker needs imported before it forks: they share those pages and that time.

``spark.python.daemon.module`` names it where workers can import swath as they start; Spark's own daemon does everywhere else.
"""

import gc

from pyspark.daemon import manager

import swath.ledger.arrow_rows  # noqa: F401  what a stage needs besides
from swath.engine.child.kept import forget_zips, use_nursery
from swath.engine.child.nursery_main import open_nursery


def main() -> None:
    """Serve until Spark closes standard input."""
    # Workers collect garbage after each task: what is here now is none, and looking at it would copy every page.
    gc.collect()
    gc.freeze()
    forget_zips()
    use_nursery(open_nursery())
    manager()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
