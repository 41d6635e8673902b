"""Names of layers, taken apart and put together again."""

import pytest

from swath.layer_name import LayerId


@pytest.mark.parametrize(
    ("name", "kind", "band"), [("sr:red", "sr", "red"), ("qa", "qa", ""), ("landcover_probability", "landcover_probability", "")]
)
def test_a_name_is_kind_and_band(name: str, kind: str, band: str) -> None:
    layer = LayerId.of(name)
    assert (layer.kind, layer.band, layer.gridded, str(layer)) == (kind, band, False, name)
    moved = LayerId.of(layer.on_grid)
    assert (moved.kind, moved.band, moved.gridded, moved.delivered) == (kind, band, True, name)
    assert LayerId.of(str(moved)) == moved
    assert moved != layer


def test_a_kind_or_a_name_means_a_layer() -> None:
    red = LayerId.of("sr:red")
    assert [w for w in ("sr:red", "sr", "red", "toa", "sr:nir") if red.fits(w)] == ["sr:red", "sr"]
    assert LayerId.of(red.on_grid).fits("sr:red")
