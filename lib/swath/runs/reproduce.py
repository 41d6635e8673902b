"""Make a product again from what was recorded of it, and compare."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from pyspark.sql import Row, SparkSession

from swath import __version__
from swath.engine.product_plan import plan_product
from swath.engine.scene_tiles import on_tile
from swath.errors import ConfigError, SceneError
from swath.ledger.provenance import Provenance
from swath.product import AssetRecord
from swath.readers.gate.terms import Terms, under
from swath.readers.registry import read_scene
from swath.runs.flight import StageProgress
from swath.runs.request import Limits, RunRequest
from swath.runs.wave import WaveRunner
from swath.runs.work import ProductWork
from swath.stores.base import Store

Verdict = Literal["same", "differs", "other key", "missing", "new"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetVerdict:
    """One asset, then and now.

    Args:
        name: STAC asset key.
        verdict: ``same`` bytes; ``differs`` with the same key; ``other key`` (other code or model); ``missing`` now; ``new`` now.
        then: Hex sha256 that the ledger recorded.
        now: Hex sha256 of the file made now.
    """

    name: str
    verdict: Verdict
    then: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A product, then and now.

    Args:
        product_id: The product.
        code_then: Version of swath that made it.
        assets: Assets by name.
    """

    product_id: str
    code_then: str
    assets: tuple[AssetVerdict, ...]

    @property
    def same(self) -> bool:
        """Every file has the bytes that it had."""
        return all(a.verdict == "same" for a in self.assets)

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        assets = [{"name": a.name, "verdict": a.verdict, "then": a.then, "now": a.now} for a in self.assets]
        return {
            "product_id": self.product_id,
            "same": self.same,
            "code": __version__,
            "code_then": self.code_then,
            "assets": assets,
        }


def reproduce(
    spark: SparkSession, found: Provenance, *, into: Store, limits: Limits, progress: StageProgress | None = None
) -> Reproduction:
    """Make the product into a fresh store and compare it with the ledger's row.

    Args:
        spark: The session.
        found: Provenance that was recorded.
        into: Folder of the new files.
        limits: Limits of each call to a worker's child.
        progress: Receives every stage.

    Raises:
        ConfigError: The scene is not what it was, or cannot be made any more.
    """
    product = found.product
    _see_the_scene(found)
    request = RunRequest(
        run_id=f"reproduce-{product['product_id']}", pipeline=found.spec["pipeline"], models=found.spec["models"],
        inputs=(found.href,), output=into.root, strip_rows=found.spec["strip_rows"], limits=limits,
    )  # fmt: skip
    scene = on_tile(found.scene, _tile(product))
    plan = plan_product(scene, request.pipeline_json)
    row = Row(
        n=0, scene=scene, scene_id=product["scene_id"], scene_digest=product["scene_digest"], href=found.href,
        product_id=plan.product_id, product_key=plan.product_key, assets=len(plan.keys),
        pixels=plan.pixels, strips=plan.cut(rows=request.strip_rows, split=True).strips,
    )  # fmt: skip
    (work,) = WaveRunner(spark, into, request=request, progress=progress).run(0, [ProductWork.of(row)]).products
    if work.refusal is not None:
        msg = f"{product['product_id']} cannot be made again: {work.refusal.message}"
        raise ConfigError(msg)
    then = {r["name"]: AssetRecord.from_plain(r) for r in json.loads(product["records"])}
    made = work.finished()
    now = {r.name: r for r in made.records} if made is not None else {}
    verdicts = tuple(_verdict(name, then.get(name), now.get(name)) for name in dict.fromkeys([*then, *now]))
    return Reproduction(product_id=product["product_id"], code_then=product["code"], assets=verdicts)


def _tile(product: Row) -> str:
    """The tile of a product, from its id; empty where it has none."""
    subject = str(product["product_id"]).removesuffix(f".{product['pipeline']}")
    return subject.removeprefix(product["scene_id"]).removeprefix("_")


def _see_the_scene(found: Provenance) -> None:
    """Digests are taken anew: a product of other bytes would prove nothing."""
    try:
        # The word for a level still counts; digests are what this is about and are taken of the files.
        with under(Terms(level=Terms.from_plain(found.spec.get("terms")).level)):
            digest = read_scene(found.href).digest
    except SceneError as error:
        msg = f"the scene of {found.product['product_id']} cannot be read any more: {error}"
        raise ConfigError(msg) from error
    if digest != found.product["scene_digest"]:
        msg = (
            f"{found.href} is not the scene that {found.product['product_id']} was made of: expected digest "
            f"{found.product['scene_digest'][:12]}, got {digest[:12]}; fetch the version that was used then"
        )
        raise ConfigError(msg)


def _verdict(name: str, then: AssetRecord | None, now: AssetRecord | None) -> AssetVerdict:
    if then is None or now is None:
        only: Verdict = "new" if then is None else "missing"
        return AssetVerdict(name=name, verdict=only, then=then.digest if then else "", now=now.digest if now else "")
    same: Verdict = "same" if then.digest == now.digest else "differs"
    return AssetVerdict(name=name, verdict="other key" if then.key != now.key else same, then=then.digest, now=now.digest)
