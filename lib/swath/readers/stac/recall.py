"""What opens the files of an item, known again in a process that did not read the item."""

from swath.readers.stac.item import read_item
from swath.scene import Scene


def recall(scene: Scene) -> None:
    """Read a scene's item anew: resolving its addresses remembers their queries.

    Raises:
        SceneError: The item is gone or no longer one.
    """
    item = read_item(scene.source_href)
    for asset in item.assets.values():
        if asset.get("href"):
            item.resolve(str(asset["href"]))
