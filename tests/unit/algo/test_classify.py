import numpy as np

from swath.algo.classify import threshold_classes


def test_a_value_on_a_threshold_belongs_to_the_class_above() -> None:
    values = np.array([-0.5, 0.0, 0.19, 0.2, 0.9, np.nan])
    assert threshold_classes(values, thresholds=(0.0, 0.2)).tolist() == [0, 1, 1, 2, 2, 0]
