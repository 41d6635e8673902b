"""What an item of a raw image has beside its bands: the file of its model."""

from swath.algo.rpc import Rpc
from swath.errors import MetadataError
from swath.readers.rpc.model import read_rpc
from swath.readers.stac.item import Item, list_of

_ROLE = "rpc"


def rpc_beside(item: Item) -> Rpc | None:
    """The model in the asset with the role ``rpc``; None where no asset has it.

    Raises:
        MetadataError: Several have it, or the model cannot be used.
    """
    named = [a for a in item.assets.values() if _ROLE in list_of(a.get("roles"))]
    if len(named) > 1:
        raise MetadataError(
            "the item names several models of its image",
            expected=f"one asset with the role {_ROLE}",
            got=", ".join(str(a.get("href")) for a in named[:3]),
            remedy="Write an item for each image.",
        )
    return read_rpc(item.resolve(str(named[0].get("href", "")))) if named else None
