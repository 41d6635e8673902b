"""``python -m benchmarks.forest``: our forest kernels against LightGBM, one thread each, in one interleaved run."""

from time import process_time

import lightgbm
import numpy as np
from numpy.typing import NDArray

from swath.inference.forest import Forest
from swath.inference.forest_pack import MAX_LEAVES
from swath.inference.forest_predictor import ForestPredictor
from swath.inference.lightgbm_text import parse_lightgbm

#: (features, classes, rounds, leaves).
SHAPES = ((6, 4, 50, 15), (10, 8, 50, 15), (10, 8, 100, 31), (10, 2, 100, 31), (10, 4, 50, 63))
PIXELS = 100_000
ROUNDS = 3


def main() -> None:
    """Print CPU microseconds a pixel and ratios."""
    print("| features, classes, rounds, leaves | LightGBM us/px | walk | scan | largest difference |")
    print("|---|---|---|---|---|")
    for shape in SHAPES:
        print(_row(*shape))


def _row(features: int, classes: int, rounds: int, leaves: int) -> str:  # noqa: PLR0917 (a row of SHAPES)
    taught, truth = _pixels(8000, features=features, classes=classes, seed=0)
    asked, _ = _pixels(PIXELS, features=features, classes=classes, seed=1)
    objective = {"objective": "multiclass", "num_class": classes} if classes > 2 else {"objective": "binary"}
    settings = {**objective, "num_leaves": leaves, "num_threads": 1, "deterministic": True, "verbose": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(taught, truth), rounds)
    forest = parse_lightgbm(booster.model_to_string())
    small = leaves <= MAX_LEAVES
    ours = {"walk": _predictor(forest, scan=False)} | ({"scan": _predictor(forest, scan=True)} if small else {})
    turned = np.ascontiguousarray(asked.T)
    seconds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        since = process_time()
        answer = np.asarray(booster.predict(asked, num_threads=1))
        seconds.setdefault("LightGBM", []).append(process_time() - since)
        for name, predictor in ours.items():
            since = process_time()
            mine = predictor.predict(turned)
            seconds.setdefault(name, []).append(process_time() - since)
    expected = np.stack([1.0 - answer, answer]) if answer.ndim == 1 else answer.T
    best = {name: min(times) / PIXELS * 1e6 for name, times in seconds.items()}
    told = [f"{best[n]:.2f} ({best['LightGBM'] / best[n]:.1f} x)" if n in best else "-" for n in ("walk", "scan")]
    shape = f"{features}, {classes}, {rounds}, {leaves}"
    return f"| {shape} | {best['LightGBM']:.2f} | {told[0]} | {told[1]} | {np.abs(mine - expected).max():.0e} |"


def _predictor(forest: Forest, *, scan: bool) -> ForestPredictor:
    predictor = ForestPredictor(forest) if scan else ForestPredictor(forest, scanned_leaves=0)
    predictor.predict(np.zeros((forest.features, 8), dtype=np.float32))  # compiles outside of the clock
    return predictor


def _pixels(count: int, *, features: int, classes: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, count)
    centres = np.random.default_rng(9).uniform(0.0, 0.5, (classes, features))
    return (centres[truth] + random.normal(0.0, 0.08, (count, features))).astype(np.float32), truth


if __name__ == "__main__":
    main()
