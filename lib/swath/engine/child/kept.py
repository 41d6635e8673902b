"""The child that a worker keeps. A worker imports this and little else: it stays small and starts fast."""

import sys
from dataclasses import dataclass
from typing import Any
from zipimport import zipimporter

from swath.engine.child.nursery import Nursery
from swath.engine.child.parent import Child, Limits
from swath.engine.refused import Refused

Json = dict[str, Any]


@dataclass(slots=True)
class _Kept:
    """One for as long as the worker lives and the limits stay."""

    limits: Limits | None = None
    child: Child | None = None
    nursery: Nursery | None = None
    module: str = "swath.engine.child.main"

    def get(self, limits: Limits) -> Child:
        if self.child is None or self.limits != limits:
            if self.child is not None:
                self.child.close()
            # Libraries of a GPU do not survive a fork: its child is a Python of its own.
            self.limits, self.child = limits, Child(limits, module=self.module, nursery=None if limits.gpus else self.nursery)
        return self.child


_KEPT = _Kept()


def use_nursery(nursery: Nursery | None) -> None:
    """Have children forked there, in this process and in those that it forks."""
    _KEPT.nursery = nursery


def answer_json(request: Json, limits: Limits) -> Json:
    """Have the worker's child do a request; a refusal is an answer too."""
    answer = _KEPT.get(limits).call(request)
    return answer.answer() if isinstance(answer, Refused) else answer


def forget_zips() -> None:
    """Forget importers of zips, which Python makes again when it needs one.

    Spark's worker tells all importers before each task to look again, and one of a zip then reads the zip's directory anew:
    with PySpark's own (``pyspark.zip``, an importer for each of its packages) that is a tenth of a second a task.
    """
    for path, importer in list(sys.path_importer_cache.items()):
        if isinstance(importer, zipimporter):
            del sys.path_importer_cache[path]
