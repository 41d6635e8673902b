"""Which reader reads a scene: ours, or a plug-in's."""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, cast

from swath.errors import ArchiveError, MetadataError, SceneError, SwathError
from swath.readers.archived_scenes import kind_of_folder
from swath.readers.files.archived import split_place
from swath.readers.files.href import ARCHIVE_SUFFIXES, JSON_SUFFIXES, split_item
from swath.readers.files.listing import direct_files, is_folder, is_there
from swath.readers.gate.gate import admitted
from swath.readers.marks import Kind
from swath.readers.printable import refuse_unprintable
from swath.readers.recognise import kind_of_file
from swath.readers.stac_record import check_named
from swath.scene import Scene

ENTRY_POINTS = "swath.readers"
#: The stage at which a delivery is refused that cannot be recognised or opened.
DISCOVER = "discover"


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


def read_scene(href: str) -> Scene:
    """Read a scene, whatever it is, and let it through the gate.

    Args:
        href: Address from ``discover``: a folder, MTL file, archive, STAC item, or ``collection.json#item-id``.

    Raises:
        SceneError: The input is not a scene that any reader knows, its reader refuses it, or the gate does.
    """
    return admitted(_read(href))


def _read(href: str) -> Scene:
    for plugin in plugins().values():
        if plugin.recognises(href):
            return plugin.read_scene(href)
    try:
        kind = _recognised(href)
    except SceneError as error:
        raise error.at(DISCOVER) from None
    # GDAL costs half a second of imports: who only looks for scenes does without.
    reader = cast("SceneReader", import_module(f"swath.readers.{kind}.scene"))
    try:
        return reader.read_scene(href)
    except ArchiveError as error:
        raise error.at(DISCOVER) from None


def _recognised(href: str) -> Kind:
    refuse_unprintable(href)
    kind = kind_of(href)
    if kind is None:
        raise MetadataError(
            "this is not a scene",
            expected="a Landsat folder, MTL file or archive, a Sentinel-2 SAFE folder or archive, a folder of a raw image,"
            " or a STAC item",
            got=href,
            remedy="Check the path; plug in a reader for other sensors (entry point group swath.readers).",
        )
    return kind


def kind_of(href: str) -> Kind | None:
    """Our reader for a scene, from names or first bytes; None when it is not ours.

    Raises:
        SceneError: The file looks like a delivery and cannot be read.
    """
    file, fragment = split_item(href)
    if fragment:
        check_named(file, fragment=fragment)
        return "stac"
    if href.startswith("s3://"):
        if split_place(href)[1] or href.lower().endswith((*ARCHIVE_SUFFIXES, *JSON_SUFFIXES)):
            return kind_of_file(href)
        return kind_of_folder(direct_files(href)) or kind_of_file(href)
    if "://" in href.removeprefix("file://"):
        return "stac" if href.lower().endswith(JSON_SUFFIXES) else None
    path = href.removeprefix("file://")
    if is_folder(path):
        return kind_of_folder(direct_files(path))
    return kind_of_file(path) if is_there(path) or split_place(path)[1] else None


@cache
def plugins() -> dict[str, PluginReader]:
    """Readers that other distributions bring, by name.

    Raises:
        SwathError: A reader cannot be loaded.
    """
    found: dict[str, PluginReader] = {}
    for point in entry_points(group=ENTRY_POINTS):
        try:
            found[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            msg = f"the reader plug-in {point.name} ({point.value}) cannot be loaded: {error}; reinstall or remove it"
            raise SwathError(msg) from error
    return found
