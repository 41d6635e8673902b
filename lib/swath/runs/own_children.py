"""Children of this process that read few scenes: forked before anything starts a thread, with what they need loaded."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from swath.compiled import absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath.runs.hands import OwnHands


@contextmanager
def own_children(*, cores: int) -> "Iterator[OwnHands]":
    """Hands that end with the block.

    Args:
        cores: Largest number of children.
    """
    with absent("boto3"):
        from swath.engine.child import tasks  # noqa: F401, PLC0415  before the nursery is forked, so that it is shared
    from swath.engine.child.nursery_main import open_nursery  # noqa: PLC0415

    nursery = open_nursery(kernels=False)
    try:
        from swath.runs.hands import OwnHands  # noqa: PLC0415  half a second of imports, which no child needs

        yield OwnHands(cores=cores, nursery=nursery)
    finally:
        if nursery is not None:
            nursery.close()
