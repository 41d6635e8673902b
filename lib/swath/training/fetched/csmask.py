"""``csmask``: clouds and cloud shadows by the network of the German Aerospace Center's package ukis-csmask."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from swath.inference.manifest import Manifest
from swath.inference.network import Network, Normalise
from swath.product import Category
from swath.training.fetched.folder import write_model
from swath.training.fetched.wheel import PublishedWheel, files_of

RELEASE: Final = PublishedWheel(
    project="ukis-csmask",
    version="1.0.0",
    sha256="898d6efe59b3908ec92aabad3f61a56394ff81d997a2ebe5675732503a18d1f1",
    extra="csmask",
)
CLASSES: Final = (
    Category(value=0, name="clear", title="Clear", rgb=(196, 208, 196)),
    Category(value=1, name="cloud", title="Cloud", rgb=(250, 250, 250)),
    Category(value=2, name="shadow", title="Cloud shadow", rgb=(70, 70, 90)),
)
#: Our names of its bands; its near infrared is the narrow one of Landsat and Sentinel-2.
_BANDS: Final = {"blue": "blue", "green": "green", "red": "red", "nir": "nir08", "swir16": "swir16", "swir22": "swir22"}
#: How the package cuts an image (its ``tile_array`` with an overlap of 0.2): patches of 256 px every 204 px, from -51 on,
#: mirrored at the edges, blended by a Tukey window over 0.4 of a patch.
_STEP_PX, _FIRST_PX, _TAPER = 204, -51, 0.4
#: Pixel sizes near the 30 m of its training data; at 900 m it finds no cloud in a scene with 27 %.
_PIXEL_M: Final = (20.0, 40.0)
_CITATION: Final = (
    "Wieland, M.; Fichtner, F.; Martinis, S. (2022): UKIS-CSMASK: A Python package for multi-sensor cloud and cloud shadow "
    "segmentation. Int. Arch. Photogramm. Remote Sens. Spatial Inf. Sci. XLIII-B3-2022, 217-222, "
    "https://doi.org/10.5194/isprs-archives-XLIII-B3-2022-217-2022"
)
Variant = Literal["6b-l1c", "4b-l1c", "6b-l2a", "4b-l2a"]


@dataclass(frozen=True, slots=True)
class _Files:
    network: str
    facts: str


_DIGESTS: Final = {
    "6b-l1c": _Files(
        "aa79e9a0f02ff8e0243d93771d1daf6a8d1166b7ac06c3771560b83367c6c573",
        "b575f242f91699f8e2836161ebb362fba7043423cf2741d45ef58a02976b6b7f",
    ),
    "4b-l1c": _Files(
        "81611f290adc315b86bb7e7c69b0f2496b3abe0390c2a5c8e9e9da9622e8a0c8",
        "5577e4e5f2bec02fa4478ed6788f91dc71c8345404a7c552779183fd844e2fcd",
    ),
    "6b-l2a": _Files(
        "d11c530978637ca420eedc40791c62bf78997dd39e1201777e2527e4bd94904e",
        "89b0df80fd67c33eb99843512f3703f3bb0415cc7f58157ce49c00d3ef88aae3",
    ),
    "4b-l2a": _Files(
        "3884d75ca497ec59d8335973477bd31eb038857007bbb36fb2aba1ad375ee043",
        "ac4108ce3b80ee70393df313faada01a7bcbe1be603965a44120e929c975f024",
    ),
}


def fetch_csmask(into: Path, *, variant: Variant = "6b-l1c", wheel: Path | None = None) -> Manifest:
    """Write the model's folder.

    Args:
        into: Folder of the model.
        variant: Six or four bands, of TOA (``l1c``) or surface (``l2a``) reflectance.
        wheel: The package's wheel as a file; otherwise the installed package, or a download.

    Raises:
        ConfigError: The package's files cannot be had, or are not those that were published.
    """
    stem = f"ukis_csmask/model_{variant.replace('-', '_')}"
    pinned = _DIGESTS[variant]
    files = files_of(RELEASE, {f"{stem}.onnx": pinned.network, f"{stem}.json": pinned.facts}, wheel=wheel)
    manifest = _manifest(json.loads(files[f"{stem}.json"]), variant=variant, sha256=pinned.network)
    write_model(
        manifest, files[f"{stem}.onnx"], into=into,
        purpose="Clouds and cloud shadows of Landsat 5, 7, 8, 9 and Sentinel-2 (U-Net on EfficientNet-B4), at about 30 m.",
        limits="Made for pixels of 20 to 40 m: finer scenes are judged at 30 m, coarser ones are refused. It knows no snow.",
    )  # fmt: skip
    return manifest


def _manifest(facts: dict[str, Any], *, variant: str, sha256: str) -> Manifest:
    mean, std = facts["data"]["dataset_statistics"]["img"]
    return Manifest(
        name="csmask",
        kind="onnx",
        weights=f"model_{variant.replace('-', '_')}.onnx",
        bands=tuple(_BANDS[n] for n in facts["data"]["dataset_statistics"]["band_names"]),
        of="toa" if variant.endswith("l1c") else "sr",
        classes=CLASSES,
        licence="Apache-2.0",
        resolution_m=30.0,
        pixel_m=_PIXEL_M,
        network=Network(
            reach="patch",
            patch_px=facts["data"]["target_size"][0],
            align_px=_STEP_PX,
            anchor_px=_FIRST_PX,
            taper=_TAPER,
            edge="symmetric",
            activation="softmax",
            normalise=Normalise(mean=tuple(mean), std=tuple(std)),
        ),
        training={
            "attribution": "Copyright 2020 German Aerospace Center (DLR), German Remote Sensing Data Center.",
            "citation": _CITATION,
            "package": f"{RELEASE.project} {RELEASE.version}",
            "wheel_sha256": RELEASE.sha256,
            "weights_sha256": sha256,
            "data": "SPARCS, CloudSEN12+ and samples of the authors, as the package says",
        },
    )
