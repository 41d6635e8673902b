"""What opens the files of an item, known again in a process that did not read the item."""

from swath.readers.stac.item import read_item
from swath.scene import Delivered


def recall(scene: Delivered) -> None:
    """Read a scene's item anew: resolving its addresses remembers their queries.

    Raises:
        SceneError: The item is gone or no longer one.
    """
    item = read_item(scene.source_href)
    for asset in item.assets.values():
        if asset.get("href"):
            item.resolve(str(asset["href"]))
