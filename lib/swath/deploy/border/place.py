"""A folder or a bucket's prefix, with the few verbs that forwarding and looking at sites need."""

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from swath.deploy.operate.aws_errors import in_words
from swath.deploy.operate.result import s3_client
from swath.deploy.site.site import Site
from swath.deploy.site.stores import SiteStore


class BorderPlace(Protocol):
    """Where small files are read and put."""

    def times(self, folder: str) -> dict[str, datetime]:
        """When each file right inside ``folder`` was written, by its name; aware."""
        ...

    def names(self, folder: str) -> Iterator[str]:
        """Paths of the files right inside ``folder``, in order."""
        ...

    def read(self, path: str) -> bytes | None:
        """All bytes, or None."""
        ...

    def put_new(self, path: str, data: bytes) -> bool:
        """Make a file that is not there; False when it is."""
        ...


class FolderPlace:
    """A folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def times(self, folder: str) -> dict[str, datetime]:
        """When each file right inside ``folder`` was written, by its name; aware."""
        paths = [self._root / name for name in self.names(folder)]
        return {path.name: datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) for path in paths}

    def names(self, folder: str) -> Iterator[str]:
        """Paths of the files right inside ``folder``, in order."""
        inside = self._root / folder
        yield from sorted(f"{folder}/{p.name}" for p in inside.iterdir() if p.is_file()) if inside.is_dir() else ()

    def read(self, path: str) -> bytes | None:
        """All bytes, or None."""
        file = self._root / path
        return file.read_bytes() if file.is_file() else None

    def put_new(self, path: str, data: bytes) -> bool:
        """Make a file that is not there, whole or not at all; False when it is."""
        file = self._root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        half.write_bytes(data)
        try:
            os.link(half, file)
        except FileExistsError:
            return False
        finally:
            half.unlink()
        return True


class BucketPlace:
    """A prefix of a bucket.

    Args:
        uri: ``s3://bucket/prefix``.
        store: Settings and identity that reach the store; None for Amazon's S3 with the caller's own settings.

    Raises:
        LaunchError: This machine's AWS files lack the store's profile.
    """

    def __init__(self, uri: str, *, store: SiteStore | None) -> None:
        bucket, _, prefix = uri.split("://", 1)[1].partition("/")
        self._bucket = store.access_point if store and store.access_point else bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        with in_words():
            self._client: Any = s3_client(store)

    def times(self, folder: str) -> dict[str, datetime]:
        """When each object right inside ``folder`` was written, by its name; aware."""
        return {entry["Key"].rsplit("/", 1)[-1]: entry["LastModified"] for entry in self._listed(folder)}

    def names(self, folder: str) -> Iterator[str]:
        """Paths of the objects right inside ``folder``, in order."""
        yield from (entry["Key"].removeprefix(self._prefix) for entry in self._listed(folder))

    def _listed(self, folder: str) -> Iterator[dict[str, Any]]:
        with in_words():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}{folder}/", Delimiter="/"
            )
            for page in pages:
                yield from page.get("Contents", [])

    def read(self, path: str) -> bytes | None:
        """All bytes, or None."""
        with in_words():
            try:
                return bytes(self._client.get_object(Bucket=self._bucket, Key=self._prefix + path)["Body"].read())
            except self._client.exceptions.NoSuchKey:
                return None

    def put_new(self, path: str, data: bytes) -> bool:
        """Make an object that is not there (``If-None-Match: *``); False when it is."""
        with in_words():
            try:
                self._client.put_object(Bucket=self._bucket, Key=self._prefix + path, Body=data, IfNoneMatch="*")
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in {"PreconditionFailed", "ConditionalRequestConflict"}:
                    return False
                raise
        return True


def open_place(uri: str, *, site: Site) -> BorderPlace:
    """The place behind an address, reached as the site's store that it is in: endpoint, identity, payer.

    Raises:
        ConfigError: The site has no store of that name.
        LaunchError: This machine's AWS files lack the store's profile.
    """
    uri = site.resolve(uri)
    if uri.startswith(("s3://", "s3a://")):
        found = site.store_of(uri.replace("s3a://", "s3://", 1))
        return BucketPlace(uri, store=found[1] if found else None)
    return FolderPlace(Path(uri.removeprefix("file://")))
