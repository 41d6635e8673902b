"""The question what a scene is, its answer, and that as columns. Light: workers import it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from swath.engine.message import Message, Reader, names_of
from swath.engine.refused import Refused
from swath.redaction import redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect(Message):
    """What a pipeline would make of a scene, or of its part in one tile.

    Args:
        product_id: Id of the product; None where no pipeline was asked about, or it cannot make one of the scene.
        product_key: Key of the product; None where there is none, as the others.
        assets: Number of assets.
        strips: Number of strips when the product is split.
        pixels: Number of pixels of all assets.
        raw_bytes: Size of all assets before compression [bytes].
        needed_mb: Peak memory of a child that makes a strip of it [MiB].
        unfit: Why the pipeline cannot make the product.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"unfit": lambda told: Refused.from_plain(told) if told else None}
    product_id: str | None = None
    product_key: str | None = None
    assets: int | None = None
    strips: int | None = None
    pixels: int | None = None
    raw_bytes: int | None = None
    needed_mb: float | None = None
    unfit: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFound(Prospect):
    """What a pipeline would make of a scene in one tile of its tiling.

    Args:
        tile: Name of the tile.
    """

    tile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFound(Prospect):
    """A scene as its metadata tells it, and what a pipeline would make of it.

    Args:
        scene: ``Scene.to_json()``.
        scene_id: Id of the scene.
        scene_digest: Version of the delivery.
        processed: Processing time of the delivery; empty where it tells none.
        moments: ``moments_of`` the scene.
        files: Digests of its files, as ``DigestMemory`` keeps them.
        tiles: Products of its tiles, where the pipeline cuts on a tiling; those of the scene are None then.
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    readers: ClassVar[Mapping[str, Reader]] = {
        **Prospect.readers,
        "tiles": lambda told: tuple(TileFound.from_plain(t) for t in told),
    }
    scene: str
    scene_id: str
    scene_digest: str
    processed: str
    files: str
    moments: str = ""
    tiles: tuple[TileFound, ...] = ()
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
        columns: dict[str, Any] = {**dict.fromkeys(names), **_why(answer, stage=answer.stage or "ingest")}
        if answer.scene_id and "scene_id" in names:
            columns["scene_id"] = answer.scene_id
        return columns
    return {**{name: getattr(answer, name, None) for name in names}, **_why(answer.unfit, stage="plan")}


def _why(refused: Refused | None, *, stage: str) -> dict[str, Any]:
    if refused is None:
        return {}
    return {"error_class": refused.error_class, "message": redacted(refused.message), "stage": stage}


def rows_of(answer: SceneFound | Refused, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a scene: one, or one for each tile that it touches; see ``columns_of``."""
    columns = columns_of(answer, names)
    tiles = answer.tiles if isinstance(answer, SceneFound) else ()
    own = [name for name in names_of(TileFound) if name in names]
    rows = [{**columns, **{name: getattr(t, name) for name in own}, **_why(t.unfit, stage="plan")} for t in tiles]
    return rows or [columns]
