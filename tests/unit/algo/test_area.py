"""Areas against the worked example of the paper that the estimator is from."""

import numpy as np
import pytest

from swath.algo.area import class_shares_of

#: Olofsson et al. 2014, table 8: rows are the map (deforestation, forest gain, stable forest, stable non-forest).
BY_MAP = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]], dtype=np.float64)
MAPPED = np.array([200_000, 150_000, 3_200_000, 6_450_000])
HECTARES = 900_000


def test_areas_and_intervals_are_those_of_the_paper() -> None:
    found = class_shares_of(BY_MAP.T, mapped=MAPPED, checks=BY_MAP.sum(axis=1).astype(np.int64))
    # As published, section 4.2 and 4.3: 21,158 +- 6,158 ha, 11,686 +- 3,756 ha, 285,770 +- 15,510 ha, 581,386 +- 16,282 ha.
    assert found.estimated * HECTARES == pytest.approx([21_158, 11_686, 285_770, 581_386], abs=1.0)
    assert found.half_width * HECTARES == pytest.approx([6_158, 3_756, 15_510, 16_282], rel=1e-3)
    assert found.estimated.sum() == pytest.approx(1.0)


def test_a_map_without_errors_is_its_own_estimate() -> None:
    found = class_shares_of(np.diag([10.0, 20.0]), mapped=np.array([3, 7]), checks=np.array([10, 20]))
    assert found.estimated.tolist() == pytest.approx([0.3, 0.7])
    assert found.half_width.tolist() == [0.0, 0.0]


def test_a_mapped_class_without_checks_leaves_no_interval() -> None:
    found = class_shares_of(np.array([[5.0, 0.0], [1.0, 0.0]]), mapped=np.array([6, 4]), checks=np.array([6, 0]))
    assert found.estimated.tolist() == pytest.approx([0.5, 0.5])
    assert np.isnan(found.half_width).all()


def test_a_map_without_pixels_has_no_areas() -> None:
    with pytest.raises(ValueError, match="expected a map with pixels"):
        class_shares_of(np.eye(2), mapped=np.array([0, 0]), checks=np.array([1, 1]))
