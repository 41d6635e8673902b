"""Why an asset changes, in words."""

from swath.runs.planned_changes import Reason, _why

MODEL = Reason("landcover.digest (a -> b)", step="landcover")
GONE = Reason("step landcover_shadow is gone", step="landcover_shadow", gone=True)
DELIVERY = Reason("the delivery (a -> b)")
ENGINE = "swath's engine, the grid, or how a band is delivered"


def test_an_asset_names_the_steps_that_feed_it() -> None:
    assert _why([MODEL, GONE], steps=frozenset({"toa", "smac", "landcover"})) == MODEL.told


def test_another_delivery_is_a_reason_of_every_asset() -> None:
    assert _why([DELIVERY, MODEL], steps=frozenset({"toa"})) == DELIVERY.told


def test_a_step_that_is_gone_may_have_fed_what_nothing_else_explains() -> None:
    assert _why([MODEL, GONE], steps=frozenset({"toa"})) == f"{GONE.told}; or {ENGINE}"
    assert _why([MODEL], steps=frozenset({"toa"})) == ENGINE
