"""The items that the inputs of a composite name: those of an output of swath are its products."""

from collections.abc import Iterator, Sequence

from swath.readers.discover import discover
from swath.readers.passed_over import PassedOver
from swath.readers.stac.search import Say
from swath.stores.registry import bucket_of, folder_of, open_store

_PRODUCTS, _CATALOG = "products", "catalog.json"


def find_items(inputs: Sequence[str], *, scratch: str, passed_over: PassedOver, say: Say | None = None) -> Iterator[str]:
    """Hrefs of items, each once, in a stable order.

    Args:
        inputs: Items, item collections, lists, STAC searches, folders or prefixes; outputs of swath.
        scratch: Folder where the answers of searches are kept.
        passed_over: Counts files that are no item.
        say: Hears of the progress of a search.

    Raises:
        ConfigError: An input does not exist, or holds nothing.
    """
    named = [product_folder(given) for given in inputs]
    yield from dict.fromkeys(discover(named, scratch=scratch, say=say, passed_over=passed_over))


def product_folder(given: str) -> str:
    """The folder of products where an input is an output: its tables and reports hold no items."""
    if "://" in given and not bucket_of(given):
        return given
    if not bucket_of(given) and not folder_of(given).is_dir():
        return given
    store = open_store(given, create=False)
    if store.size(_CATALOG) is None or next(store.list(_PRODUCTS), None) is None:
        return given
    return f"{given.rstrip('/')}/{_PRODUCTS}"
