"""A delivery of a raw image to a Scene; a multispectral image takes its pan band from the folder beside it."""

from dataclasses import replace
from typing import Final

from swath.errors import MetadataError, SceneError
from swath.readers.files.digest import combined_digest
from swath.readers.rpc.dimap import read_dimap
from swath.readers.rpc.maxar import read_maxar
from swath.readers.rpc.place import ImagePlace
from swath.scene import Scene

PAN: Final = "pan"
#: Images of one pass are taken together.
_TOGETHER_S: Final = 60.0


def read_scene(href: str) -> Scene:
    """Read a raw image with its model and its metadata; with the pan image in the folder beside it, if there is one.

    Args:
        href: Href of the folder, of an archive that holds it, or ``archive#folder``.

    Raises:
        MetadataError: The metadata is incomplete, or the model cannot be used.
        ReadError: A raster is missing or broken.
        GeometryError: Tiles do not fit together.
        ArchiveError: The archive cannot be unpacked.
    """
    place = ImagePlace.of(href)
    try:
        scene = _read(place, source=href)
        pan = place.pan()
        return scene if pan is None else _with_pan(scene, pan)
    except SceneError as error:
        raise error.of(place.name) from None


def _read(place: ImagePlace, *, source: str) -> Scene:
    files = place.files()
    reader = read_dimap if any(n.upper().startswith("DIM_") for n in files) else read_maxar
    return reader(files).scene(source)


def _with_pan(scene: Scene, place: ImagePlace) -> Scene:
    pan = _read(place, source=place.folder)
    apart = abs((pan.acquired - scene.acquired).total_seconds())
    if pan.platform != scene.platform or apart > _TOGETHER_S or PAN not in pan.assets:
        raise MetadataError(
            "the pan image beside the multispectral one is of another scene",
            expected=f"a pan band of {scene.platform} at {scene.acquired.isoformat()}",
            got=f"{', '.join(pan.assets)} of {pan.platform} at {pan.acquired.isoformat()} in {place.folder}",
            remedy="Keep the images of one delivery in a folder of their own.",
        )
    digest = combined_digest([("multispectral", scene.digest), (PAN, pan.digest)])
    return replace(scene, assets={**scene.assets, PAN: pan.assets[PAN]}, digest=digest)
