"""The store behind a URI."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from swath.errors import ConfigError
from swath.stores.base import Store
from swath.stores.local import LocalStore, local_store
from swath.stores.options import store_options


def bucket_of(uri: str) -> str:
    """The bucket of an ``s3://`` or ``s3a://`` URI; empty for anything else."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in {"s3", "s3a"} else ""


def folder_of(uri: str) -> Path:
    """The folder that a path or a ``file://`` URI names."""
    return Path(unquote(urlsplit(uri).path) if urlsplit(uri).scheme == "file" else uri)


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
    if scheme != "file" and len(scheme) > 1:
        msg = f"{uri}: unknown kind of output; expected a folder, file:// or s3://"
        raise ConfigError(msg)
    return local_store(folder_of(uri)) if create else LocalStore(folder_of(uri).resolve())


def is_below(uri: str, root: str) -> bool:
    """Whether an object's URI, as ``StoreRefusedError`` has it, is below an output."""
    bucket = bucket_of(root)
    if not bucket:
        return False
    named = f"s3://{store_options(bucket).name(bucket)}/{urlsplit(root).path.strip('/')}".rstrip("/")
    return uri.rstrip("/") == named or uri.startswith(f"{named}/")
