import numpy as np

from swath.algo.disks import disk, grown_by_disk, mean_over_disk

#: What OpenCV 5.0 draws: cv2.circle(zeros, (r, r), r, color=1, thickness=-1).
OPENCV = {
    1: ["010", "111", "010"],
    2: ["00100", "01110", "11111", "01110", "00100"],
    4: ["000010000", "001111100", "011111110", "011111110", "111111111", "011111110", "011111110", "001111100", "000010000"],
}


def test_disks_are_those_that_opencv_draws() -> None:
    for radius, rows in OPENCV.items():
        assert ["".join("1" if p else "0" for p in row) for row in disk(radius)] == rows


def test_a_mean_and_a_dilation_are_over_the_disk() -> None:
    values = np.zeros((7, 7), dtype=np.float32)
    values[3, 3] = 1.0
    mean = mean_over_disk(values, radius=2)
    assert mean.shape == (3, 3)
    assert mean[1, 1] == np.float32(1.0 / disk(2).sum())
    assert grown_by_disk(values > 0, radius=1).tolist()[1:4] == [
        [False, False, True, False, False],
        [False, True, True, True, False],
        [False, False, True, False, False],
    ]
