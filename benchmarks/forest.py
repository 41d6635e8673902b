"""``python -m benchmarks.forest``: our forest kernels against LightGBM, one thread each, in one interleaved run.

With ``large`` as argument only the forest of the size of s2cloudless's (170 trees of 770 leaves): its own where that package
is importable, beside its own detector, one that is fitted to noise otherwise. The package is in no lock of ours: install it
into a folder of its own, and name that in ``PYTHONPATH``.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import process_time

import lightgbm
import numpy as np
from numpy.typing import NDArray

from benchmarks.full_walk import FullWalk
from swath.inference.forest import Forest
from swath.inference.forest_pack import MAX_LEAVES
from swath.inference.forest_predictor import LEARN_PX, ForestPredictor
from swath.inference.lightgbm_text import parse_lightgbm

#: (features, classes, rounds, leaves).
SHAPES = ((6, 4, 50, 15), (10, 8, 50, 15), (10, 8, 100, 31), (10, 2, 100, 31), (10, 4, 50, 63))
PIXELS = 100_000
#: Probability from which s2cloudless calls a pixel cloud.
_CLOUDY = 0.4
ROUNDS = 3


def main() -> None:
    """Print CPU microseconds a pixel and ratios."""
    if "large" not in sys.argv[1:]:
        _small()
    _large()


def _small() -> None:
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


def _large() -> None:
    name, booster = _like_s2cloudless()
    forest = parse_lightgbm(booster.model_to_string())
    print(f"\n{name}: {forest.trees} trees, {forest.value.size // forest.trees} nodes a tree; us a pixel\n")
    detector = _detector()
    print("| input | detector | LightGBM | walk of the full depth | crown by leaves | crown by paths ", end="")
    print("| of the full walk | of the detector | mask pixels that differ | largest difference |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for kind, asked in (("smooth", _smooth(forest.features)), ("random", _random(forest.features))):
        ways = detector(asked) | _ways(booster, forest, asked)
        answers = {way: call() for way, call in ways.items()}  # compiles and chooses crowns outside of the clock
        if not (np.array_equal(answers["full"], answers["leaves"]) and np.array_equal(answers["full"], answers["paths"])):
            raise SystemExit(f"{kind}: the crown changed an answer")
        us = _interleaved(ways)
        cells = ["-" if "detector" not in us else f"{us['detector']:.2f}"]
        cells += [f"{us[way]:.2f}" for way in ("LightGBM", "full", "leaves", "paths")]
        cells.append(f"{us['leaves'] / us['full']:.2f}, {us['paths'] / us['full']:.2f}")
        theirs = answers.get("detector")
        if theirs is None:
            cells += ["-", "-"]
        else:
            cells.append(f"{us['detector'] / us['leaves']:.1f} x, {us['detector'] / us['paths']:.1f} x")
            cells.append(str(int(((answers["paths"][1] > _CLOUDY) != (theirs > _CLOUDY)).sum())))
        cells.append(f"{np.abs(answers['full'][1] - answers['LightGBM']).max():.0e}")
        print(f"| {kind} | {' | '.join(cells)} |")


def _detector() -> Callable[[NDArray[np.float32]], dict[str, Callable[[], NDArray[np.float32]]]]:
    """The package's own detector, without its averages; nothing where it is not importable."""
    if find_spec("s2cloudless") is None:
        return lambda _: {}
    from s2cloudless import S2PixelCloudDetector  # noqa: PLC0415  not everywhere

    made = S2PixelCloudDetector(threshold=_CLOUDY)

    def way(asked: NDArray[np.float32]) -> dict[str, Callable[[], NDArray[np.float32]]]:
        image = np.ascontiguousarray(asked.T).reshape(1, 1, PIXELS, -1)
        return {"detector": lambda: np.ravel(made.get_cloud_probability_maps(image, num_threads=1))}

    return way


def _ways(booster: lightgbm.Booster, forest: Forest, asked: NDArray[np.float32]) -> dict[str, Callable[[], NDArray[np.float32]]]:
    rows, full, by_leaves, by_paths = (
        np.ascontiguousarray(asked.T),
        FullWalk(forest),
        ForestPredictor(forest),
        ForestPredictor(forest),
    )
    # Pieces below LEARN_PX never choose their crowns anew.
    parts = [np.ascontiguousarray(asked[:, a : a + LEARN_PX - 1]) for a in range(0, PIXELS, LEARN_PX - 1)]
    return {
        "LightGBM": lambda: np.asarray(booster.predict(rows, num_threads=1)),
        "full": lambda: full.predict(asked),
        "leaves": lambda: np.concatenate([by_leaves.predict(p) for p in parts], axis=1),
        "paths": lambda: by_paths.predict(asked),
    }


def _interleaved(ways: dict[str, Callable[[], NDArray[np.float32]]]) -> dict[str, float]:
    """Least CPU microseconds a pixel of each, taken in turns."""
    best = dict.fromkeys(ways, np.inf)
    for _ in range(ROUNDS):
        for way, call in ways.items():
            since = process_time()
            call()
            best[way] = min(best[way], (process_time() - since) / PIXELS * 1e6)
    return best


def _like_s2cloudless() -> tuple[str, lightgbm.Booster]:
    package = find_spec("s2cloudless")
    if package is not None and package.origin is not None:
        (text,) = (Path(package.origin).parent / "models").glob("*lightGBM*.txt")
        return "s2cloudless's forest", lightgbm.Booster(model_file=str(text))
    random = np.random.default_rng(3)
    taught = random.lognormal(-1.5, 0.7, (60_000, 10)).astype(np.float32)
    truth = random.random(60_000) < 1.0 / (1.0 + np.exp(-6.0 * (taught[:, 0] - taught[:, 5])))
    settings = {"objective": "binary", "num_leaves": 770, "min_data_in_leaf": 5, "num_threads": 1, "verbose": -1, "seed": 0}
    return "A forest fitted to noise", lightgbm.train(settings, lightgbm.Dataset(taught, truth), 170)


def _random(features: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).random((features, PIXELS), dtype=np.float32)


def _smooth(features: int) -> NDArray[np.float32]:
    """Bands of sums of a few waves, as reflectance: neighbours are alike, and so are bands."""
    random = np.random.default_rng(2)
    y, x = np.divmod(np.arange(PIXELS), 512)
    waves = [np.sin(random.uniform(0.01, 0.06) * x + random.uniform(0.01, 0.06) * y + k) for k in range(12)]
    shares = random.normal(0.0, 0.3, (features, 12)) + random.normal(0.0, 1.0, 12)
    return np.clip(0.25 + 0.06 * shares @ np.array(waves), 0.0, 1.5).astype(np.float32)


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
