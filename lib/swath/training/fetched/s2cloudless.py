"""``s2cloudless``: clouds of Sentinel-2 Level 1C by the forest of Sinergise's package of that name."""

from pathlib import Path
from typing import Final

import numpy as np

from swath.errors import ConfigError
from swath.inference.forest_predictor import ForestPredictor
from swath.inference.lightgbm_text import parse_lightgbm
from swath.inference.manifest import Manifest
from swath.inference.network import Decision
from swath.product import Category
from swath.training.fetched.folder import write_model
from swath.training.fetched.wheel import PublishedWheel, files_of

RELEASE: Final = PublishedWheel(
    project="s2cloudless",
    version="1.7.3",
    sha256="bd8ea8f21df724e77ed48592bfce1c49f4093aebe3561f88c9a276cd14c934bf",
    extra="s2cloudless",
)
FOREST: Final = "s2cloudless/models/pixel_s2_cloud_detector_lightGBM_v0.1.txt"
_FOREST_SHA256: Final = "0f92b6822cc0ad42982f55bab9b1688329e119451ad9a9e0a56384b9f37bc61d"
#: B01, B02, B04, B05, B08, B8A, B09, B10, B11, B12.
BANDS: Final = ("coastal", "blue", "red", "rededge071", "nir", "nir08", "nir09", "cirrus", "swir16", "swir22")
CLASSES: Final = (
    Category(value=0, name="clear", title="Clear", rgb=(196, 208, 196)),
    Category(value=1, name="cloud", title="Cloud", rgb=(250, 250, 250)),
)
RESOLUTIONS_M: Final = (10.0, 20.0, 60.0)
#: Rows whose answers are compared with LightGBM's own.
_PROOF_ROWS: Final = 20_000


def fetch_s2cloudless(
    into: Path, *, resolution_m: float = 60.0, decision: Decision | None = None, wheel: Path | None = None
) -> Manifest:
    """Convert the package's forest and write the model's folder.

    Args:
        into: Folder of the model.
        resolution_m: Pixel size that it works at: 10, 20 or 60 m.
        decision: Threshold and radii; by default the package's (0.4, 1 px, 1 px).
        wheel: The package's wheel as a file; otherwise the installed package, or a download.

    Raises:
        ConfigError: The package's files cannot be had, are not those that were published, or another forest came of them.
    """
    if resolution_m not in RESOLUTIONS_M:
        msg = f"s2cloudless works at 10, 20 or 60 m (the sensor's own grids), got {resolution_m:g}"
        raise ConfigError(msg)
    text = files_of(RELEASE, {FOREST: _FOREST_SHA256}, wheel=wheel)[FOREST].decode("utf-8")
    forest = parse_lightgbm(text)
    _prove(text, ForestPredictor(forest))
    manifest = Manifest(
        name="s2cloudless",
        kind="forest",
        weights="forest.npz",
        bands=BANDS,
        of="toa",
        classes=CLASSES,
        licence="CC-BY-SA-4.0",
        resolution_m=resolution_m,
        decision=decision or Decision(threshold=0.4, average_px=1, dilation_px=1),
        training={
            "attribution": "Sinergise EO research team, Sentinel Hub's cloud detector for Sentinel-2 imagery.",
            "changes": "the LightGBM text was converted to arrays; answers are equal",
            "source": "https://github.com/sentinel-hub/sentinel2-cloud-detector",
            "package": f"{RELEASE.project} {RELEASE.version}",
            "wheel_sha256": RELEASE.sha256,
            "weights_sha256": _FOREST_SHA256,
            "proof": f"{_PROOF_ROWS} rows answered as LightGBM does, to the last float32 bit",
        },
    )
    write_model(
        manifest, forest.to_bytes(), into=into,
        purpose="Clouds of Sentinel-2 Level 1C: a forest of single pixels, averaged, cut and grown.",
        limits="Ten bands of Level 1C, the cirrus band among them. It knows neither shadow nor snow. Who passes the converted "
        "model on does so under the same licence and names its makers.",
    )  # fmt: skip
    return manifest


def _prove(text: str, predictor: ForestPredictor) -> None:
    """Compare with LightGBM.

    Raises:
        ConfigError: An answer differs.
    """
    from lightgbm import Booster  # noqa: PLC0415 (costs a second: only where it is used)

    rows = np.random.default_rng(0).uniform(0.0, 1.2, (_PROOF_ROWS, len(BANDS))).astype(np.float32)
    theirs = np.asarray(Booster(model_str=text).predict(rows, num_threads=1), dtype=np.float64).astype(np.float32)
    wrong = int((predictor.predict(np.ascontiguousarray(rows.T))[1] != theirs).sum())
    if wrong:
        msg = f"the converted s2cloudless differs from LightGBM at {wrong} of {_PROOF_ROWS} rows; use another version of it"
        raise ConfigError(msg)
