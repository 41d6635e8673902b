"""The account of a wave: a scene of several products is one scene, and an edge for each product."""

from pyspark.sql import Row

from swath.account import Count
from swath.engine.messages import Published
from swath.runs.commit import account_of
from swath.runs.plan import Aside
from swath.runs.work import Finished, ProductWork, Refusal, WaveResult


def _work(n: int, *, tile: str, refused: bool = False) -> ProductWork:
    row = Row(n=n, product_id=f"{n}_{tile}.toa", assets=2)
    if refused:
        return ProductWork(row=row, refusal=Refusal(stage="process", error_class="read", message="cannot be read"))
    published = Published(
        item="i", bbox=[], pictures={}, collection="c", left_out={}, facts={}, acquired="", platform="", reduced={}, shares={}
    )
    return ProductWork(row=row, made=Finished(published=published, linked=("red", "nir")))


def test_a_scene_of_several_products_counts_once_by_the_worst_of_their_fates() -> None:
    works = [_work(0, tile="a"), _work(0, tile="b", refused=True), _work(1, tile="a")]
    account = account_of(WaveResult(wave=0, products=works, stages=[]), aside=Aside(skipped=1, assets_skipped=2))
    assert account.scenes == Count(taken_in=3, made=1, skipped=1, quarantined=1)
    assert account.edges == Count(taken_in=4, made=2, skipped=1, quarantined=1)


def test_a_tile_that_the_plan_refused_counts_for_its_scene_in_the_wave_that_makes_the_others() -> None:
    result = WaveResult(wave=1, products=[_work(0, tile="a"), _work(1, tile="a")], stages=[], partly_refused=frozenset({1}))
    account = account_of(result, aside=Aside())
    assert account.scenes == Count(taken_in=2, made=1, quarantined=1)
    assert account.edges == Count(taken_in=2, made=2)
