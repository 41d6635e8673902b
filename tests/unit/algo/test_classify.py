import numpy as np

from swath.algo.classify import threshold_classes


def test_a_value_on_a_threshold_belongs_to_the_class_above() -> None:
    values = np.array([-0.5, 0.0, 0.19, 0.2, 0.9, np.nan])
    assert threshold_classes(values, thresholds=(0.0, 0.2)).tolist() == [0, 1, 1, 2, 2, 0]


def test_what_is_invalid_gets_a_class_of_its_own_and_runs_of_values_leave_no_seam() -> None:
    values = np.random.default_rng(2).uniform(-1.0, 1.0, (70, 90))
    values[3, 4] = np.nan
    thresholds = (-0.5, 0.0, 0.1)
    expected = np.digitize(values, thresholds)
    expected[3, 4] = 255
    assert np.array_equal(threshold_classes(values, thresholds=thresholds, invalid=255), expected)
