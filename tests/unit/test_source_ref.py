"""What names a product: a scene, a scene and a tile, or a tile and a period."""

import pytest

from swath.errors import ConfigError
from swath.source_ref import Identity


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"scene_id": "LC09_193022"}, "LC09_193022.toa"),
        ({"scene_id": "LC09_193022", "tile": "33UVT"}, "LC09_193022_33UVT.toa"),
        ({"tile": "33UVT", "period": "2024-08"}, "33UVT_2024-08.toa"),
    ],
)
def test_a_product_is_named_by_what_it_is_made_of(parts: dict[str, str], name: str) -> None:
    assert Identity(pipeline="toa", **parts).product_id == name


@pytest.mark.parametrize("parts", [{}, {"tile": "33UVT"}, {"period": "2024"}, {"scene_id": "a", "period": "2024", "tile": "t"}])
def test_what_names_no_product_is_refused(parts: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="named by a scene, by a scene and a tile, or by a tile and a period"):
        Identity(pipeline="toa", **parts)
