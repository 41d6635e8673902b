"""One scene through a worker's child, from metadata to the published item, without Spark."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from swath.engine.child.parent import Child, Refused

MADE: Final = "made"
Json = dict[str, Any]


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
        base: Json = {
            "pipeline": self.pipeline,
            "output": str(self.output),
            "strip_rows": self.strip_rows,
            "split": False,
            "models": self.models,
        }
        found = self._ask({**base, "op": "ingest", "href": href})
        for told in (found.get("refused"), found.get("unfit")):
            if told is not None:
                return told["class"], told["message"]
        place = {**base, "folder": self.folder, "scene": found["scene"], "scene_id": found["scene_id"]}
        strips, records = [], []
        for number in range(found["strips"] if self.strip_rows else 1):
            strips.append(self._ask({**place, "op": "strip", "strip": number}))
            if "refused" in strips[-1]:
                return strips[-1]["refused"]["class"], strips[-1]["refused"]["message"]
        for asset in [p["asset"] for p in strips[0]["parts"]]:
            parts = [p for s in strips for p in s["parts"] if p["asset"] == asset]
            done = self._ask({**place, "op": "asset", "asset": asset, "parts": parts, "attempt": uuid.uuid4().hex})
            if "refused" in done:
                return done["refused"]["class"], done["refused"]["message"]
            records.append(done["record"])
        previews = [s["preview"] for s in strips if s["preview"]]
        done = self._ask(
            {**place, "op": "publish", "records": records, "previews": previews, "dark": [s["dark"] for s in strips]}
        )
        if "refused" in done:
            return done["refused"]["class"], done["refused"]["message"]
        return MADE, str(done["item"])

    def _ask(self, request: Json) -> Json:
        answer = self.child.call(request)
        return {"refused": {"class": answer.error_class, "message": answer.message}} if isinstance(answer, Refused) else answer
