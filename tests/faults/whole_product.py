"""One scene through a worker's child, from metadata to the published item, without Spark."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from swath.engine.child.parent import Child
from swath.engine.ingested import Ingest
from swath.engine.message import Request, answer_to
from swath.engine.messages import MakeAsset, MakeStrip, Publish, StripMade
from swath.engine.refused import Refused
from swath.engine.subject import Cutting, Subject

MADE: Final = "made"
Json = dict[str, Any]
A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes products as the tasks of a run do.

    Args:
        child: Does the work.
        pipeline: As it travels (``RunRequest.pipeline_json``).
        output: Root of the output, a folder or an ``s3://`` prefix; it exists.
        folder: For the strips' parts, relative to the output.
        strip_rows: As ``--tile-size``.
        models: Path and digest of each that the pipeline names.
    """

    child: Child
    pipeline: str
    output: Path | str
    folder: str = field(default_factory=lambda: f".scratch/{uuid.uuid4().hex}")
    strip_rows: int | None = None
    models: Json = field(default_factory=dict)

    def make(self, href: str) -> tuple[str, str]:
        """Make a scene's product.

        Returns:
            ``made`` and the item's path, or the class and the message of the refusal.

        Raises:
            InfrastructureError: Neither.
        """
        found = self._ask(Ingest(href=href, pipeline=self.pipeline, strip_rows=self.strip_rows))
        if isinstance(found, Refused) or found.unfit is not None:
            return _refused(found if isinstance(found, Refused) else found.unfit)
        product = Subject(scene=found.scene, scene_id=found.scene_id, pipeline=self.pipeline, output=str(self.output))
        cut = Cutting(split=False, strip_rows=self.strip_rows, folder=self.folder, models=self.models)
        strips: list[StripMade] = []
        for number in range((found.strips or 0) if self.strip_rows else 1):
            strip = self._ask(MakeStrip(product=product, cut=cut, strip=number))
            if isinstance(strip, Refused):
                return _refused(strip)
            strips.append(strip)
        records = []
        for asset in [p.asset for p in strips[0].parts]:
            parts = tuple(p for s in strips for p in s.parts if p.asset == asset)
            made = self._ask(MakeAsset(product=product, cut=cut, asset=asset, parts=parts, attempt=uuid.uuid4().hex))
            if isinstance(made, Refused):
                return _refused(made)
            records.append(made.record)
        previews, dark = tuple(s.preview for s in strips if s.preview), tuple(s.dark for s in strips)
        done = self._ask(Publish(product=product, records=tuple(records), previews=previews, dark=dark))
        return _refused(done) if isinstance(done, Refused) else (MADE, done.item)

    def _ask(self, request: Request[A]) -> A | Refused:
        answer = self.child.call(request.to_plain())
        return answer if isinstance(answer, Refused) else answer_to(request, answer)


def _refused(why: Refused | None) -> tuple[str, str]:
    assert why is not None
    return why.error_class, why.message
