"""Which reader reads a scene: ours, or a plug-in's."""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from swath.errors import MetadataError, SwathError
from swath.readers.gate import admitted
from swath.readers.listing import direct_files
from swath.readers.recognise import JSON_SUFFIXES, Kind, kind_of_file, kind_of_folder
from swath.scene import Scene

ENTRY_POINTS = "swath.readers"


class SceneReader(Protocol):
    """What a module of ours or an object behind a ``swath.readers`` entry point offers."""

    def read_scene(self, href: str) -> Scene:
        """Read what a delivery says of itself; raise ``SceneError`` when it cannot be used."""
        ...


class PluginReader(SceneReader, Protocol):
    """A reader from outside also says what is its own."""

    def recognises(self, href: str) -> bool:
        """Whether the file or folder is a scene of this reader; cheap, from names."""
        ...


def read_scene(href: str, *, scratch: str | None = None) -> Scene:
    """Read a scene, whatever it is, and let it through the gate.

    Args:
        href: As ``discover`` yields it: a folder, MTL file, archive, STAC item, or ``collection.json#item-id``.
        scratch: Where a compressed tar is unpacked to, once; everybody who reads the scene must see it. Without it, such
            a scene is read where it lies, which inflates the archive again and again.

    Raises:
        SceneError: It is no scene that any reader knows, its reader refuses it, or the gate does.
    """
    return admitted(_read(href, scratch=scratch))


def _read(href: str, *, scratch: str | None) -> Scene:
    for plugin in plugins().values():
        if plugin.recognises(href):
            return plugin.read_scene(href)
    kind = kind_of(href)
    if kind is None:
        raise MetadataError(
            "this is not a scene",
            expected="a Landsat folder, MTL file or tar, a Sentinel-2 SAFE folder or zip, or a STAC item",
            got=href,
            remedy="Check the path; plug in a reader for other sensors (entry point group swath.readers).",
        )
    # GDAL costs half a second of imports: who only looks for scenes does without.
    reader = import_module(f"swath.readers.{kind}")
    if kind == "landsat":
        return cast("Scene", reader.read_scene(href, scratch=scratch))
    return cast("SceneReader", reader).read_scene(href)


def kind_of(href: str) -> Kind | None:
    """Our reader for a scene, from names alone; None when it is not ours."""
    file = href.partition("#")[0]
    if file != href and file.lower().endswith(JSON_SUFFIXES):
        return "stac"
    if file.startswith("s3://"):
        return kind_of_file(file) or kind_of_folder(direct_files(file))
    if "://" in file:
        return "stac" if file.lower().endswith(JSON_SUFFIXES) else None
    path = Path(file)
    if path.is_dir():
        return kind_of_folder(direct_files(file))
    return kind_of_file(file) if path.is_file() else None


@cache
def plugins() -> dict[str, PluginReader]:
    """Readers that other distributions bring, by name.

    Raises:
        SwathError: One cannot be loaded.
    """
    found: dict[str, PluginReader] = {}
    for point in entry_points(group=ENTRY_POINTS):
        try:
            found[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            msg = f"the reader plug-in {point.name} ({point.value}) cannot be loaded: {error}; reinstall or remove it"
            raise SwathError(msg) from error
    return found
