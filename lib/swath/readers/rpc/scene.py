"""A delivery of a raw image to a Scene."""

from pathlib import PurePosixPath

from swath.errors import SceneError
from swath.readers.files.listing import direct_files
from swath.readers.rpc.dimap import read_dimap
from swath.readers.rpc.maxar import read_maxar
from swath.scene import Scene


def read_scene(href: str) -> Scene:
    """Read a folder with a raw image, its model and its metadata.

    Args:
        href: Href of the folder.

    Raises:
        MetadataError: The metadata is incomplete, or the model cannot be used.
        ReadError: A raster is missing or broken.
        GeometryError: Tiles do not fit together.
    """
    folder = href.rstrip("/")
    files = {name: f"{folder}/{name}" for name in direct_files(folder)}
    reader = read_dimap if any(n.upper().startswith("DIM_") for n in files) else read_maxar
    try:
        return reader(files).scene(href)
    except SceneError as error:
        raise error.of(PurePosixPath(folder).name) from None
