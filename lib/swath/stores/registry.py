"""The store behind a URI."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from swath.errors import ConfigError
from swath.stores.base import Store
from swath.stores.local import LocalStore, local_store


def bucket_of(uri: str) -> str:
    """The bucket of an ``s3://`` or ``s3a://`` URI; empty for anything else."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in {"s3", "s3a"} else ""


def open_store(uri: str, *, create: bool = True) -> Store:
    """A local folder (path or ``file://``) or ``s3://bucket/prefix``.

    Args:
        uri: Where.
        create: Make a local folder and see that it can be written; off on workers, where the driver did it.

    Raises:
        ConfigError: The scheme is unknown, or the folder cannot be written.
    """
    scheme = urlsplit(uri).scheme
    if scheme in {"s3", "s3a"}:
        from swath.stores.s3 import S3Store  # noqa: PLC0415  boto3 costs 0.4 s, which local runs need not pay

        return S3Store(uri)
    if scheme == "file":
        uri = unquote(urlsplit(uri).path)
    elif scheme and len(scheme) > 1:
        msg = f"{uri}: unknown kind of output; expected a folder, file:// or s3://"
        raise ConfigError(msg)
    return local_store(Path(uri)) if create else LocalStore(Path(uri).resolve())
