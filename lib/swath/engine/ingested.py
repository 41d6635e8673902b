"""The question what a scene is, its answer, and that as columns. Light: workers import it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from swath.engine.message import Message, Reader
from swath.engine.refused import Refused
from swath.redaction import redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFound(Message):
    """A scene as its metadata tells it, and what a pipeline would make of it.

    Args:
        scene: ``Scene.to_json()``.
        scene_id: Id of the scene.
        scene_digest: Version of the delivery.
        processed: Processing time of the delivery; empty where it tells none.
        files: Digests of its files, as ``DigestMemory`` keeps them.
        product_id: Id of the product; None where no pipeline was asked about, or it cannot make one.
        product_key: Key of the product.
        assets: Number of assets.
        strips: Number of strips when the product is split.
        pixels: Number of pixels of all assets.
        raw_bytes: Size of all assets before compression [bytes].
        needed_mb: Peak memory of a child that makes a strip of it [MiB].
        unfit: Why the pipeline cannot make a product of it.
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"unfit": lambda told: Refused.from_plain(told) if told else None}
    scene: str
    scene_id: str
    scene_digest: str
    processed: str
    files: str
    product_id: str | None = None
    product_key: str | None = None
    assets: int | None = None
    strips: int | None = None
    pixels: int | None = None
    raw_bytes: int | None = None
    needed_mb: float | None = None
    unfit: Refused | None = None
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest(Message):
    """Read a scene's metadata; with a pipeline, tell also what it would make of the scene.

    Args:
        href: Place of the scene.
        scene_id: Name of the scene in messages; empty lets them use the last part of ``href``.
        files: Digests that are known of its files (JSON).
        pipeline: JSON of the pipeline.
        strip_rows: Strip height that the run wants.
        names: ``NameLimits.plain()`` of the output.
        terms: ``Terms.to_plain()`` of the run.
    """

    op: ClassVar[str] = "ingest"
    href: str
    scene_id: str = ""
    files: str | None = None
    pipeline: str | None = None
    strip_rows: int | None = None
    names: Mapping[str, Any] = field(default_factory=dict)
    terms: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> SceneFound:
        """The answer as it came."""
        return SceneFound.from_plain(plain)


def columns_of(answer: SceneFound | Refused, names: Sequence[str]) -> dict[str, Any]:
    """Columns of a scene: what was found of it, or why it cannot be used.

    Args:
        answer: Answer to ``Ingest``.
        names: Names of the columns; columns that the answer lacks become None.
    """
    if isinstance(answer, Refused):
        refused: Refused | None = answer
        stage = answer.stage or "ingest"
        columns: dict[str, Any] = dict.fromkeys(names)
    else:
        refused, stage = answer.unfit, "plan"
        columns = {name: getattr(answer, name, None) for name in names}
    if refused is not None:
        columns |= {"error_class": refused.error_class, "message": redacted(refused.message), "stage": stage}
        if refused.scene_id and "scene_id" in names:
            columns["scene_id"] = refused.scene_id
    return columns
