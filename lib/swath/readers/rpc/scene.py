"""A delivery of a raw image to a Scene; a multispectral image takes its pan band from the folder beside it."""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from swath.errors import MetadataError, SceneError
from swath.readers.files.digest import combined_digest
from swath.readers.files.listing import direct_files, folders_in
from swath.readers.files.raw_pairs import is_pan, partner_of
from swath.readers.rpc.dimap import read_dimap
from swath.readers.rpc.maxar import read_maxar
from swath.scene import Scene

PAN: Final = "pan"
#: Images of one pass are taken together.
_TOGETHER_S: Final = 60.0


def read_scene(href: str) -> Scene:
    """Read a folder with a raw image, its model and its metadata; with the pan image in the folder beside it, if there is one.

    Args:
        href: Href of the folder.

    Raises:
        MetadataError: The metadata is incomplete, or the model cannot be used.
        ReadError: A raster is missing or broken.
        GeometryError: Tiles do not fit together.
    """
    folder = href.rstrip("/")
    around, _, name = folder.rpartition("/")
    try:
        scene = _read(href)
        other = None if is_pan(name) else partner_of(name, among=folders_in(around))
        return scene if other is None else _with_pan(scene, f"{around}/{other}")
    except SceneError as error:
        raise error.of(PurePosixPath(folder).name) from None


def _read(href: str) -> Scene:
    folder = href.rstrip("/")
    files = {name: f"{folder}/{name}" for name in direct_files(folder)}
    reader = read_dimap if any(n.upper().startswith("DIM_") for n in files) else read_maxar
    return reader(files).scene(href)


def _with_pan(scene: Scene, href: str) -> Scene:
    pan = _read(href)
    apart = abs((pan.acquired - scene.acquired).total_seconds())
    if pan.platform != scene.platform or apart > _TOGETHER_S or PAN not in pan.assets:
        raise MetadataError(
            "the pan image beside the multispectral one is of another scene",
            expected=f"a pan band of {scene.platform} at {scene.acquired.isoformat()}",
            got=f"{', '.join(pan.assets)} of {pan.platform} at {pan.acquired.isoformat()} in {href}",
            remedy="Keep the images of one delivery in a folder of their own.",
        )
    digest = combined_digest([("multispectral", scene.digest), (PAN, pan.digest)])
    return replace(scene, assets={**scene.assets, PAN: pan.assets[PAN]}, digest=digest)
