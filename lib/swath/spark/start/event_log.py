"""The folder of Spark's event log, which Spark wants to find there before it starts."""

from collections.abc import Mapping

from swath.stores.registry import bucket_of, open_store


def make_event_log_folder(settings: Mapping[str, str]) -> None:
    """Make the folder that a site names, for its first run: on S3 a prefix below which nothing is yet is none.

    Args:
        settings: Spark's settings as they will be.

    Raises:
        ConfigError: The folder cannot be made.
    """
    place = settings.get("spark.eventLog.dir", "")
    if settings.get("spark.eventLog.enabled") != "true" or not place:
        return
    store = open_store(place)
    if bucket_of(place):
        store.write("", b"")  # an empty object whose name ends with a slash is a folder
