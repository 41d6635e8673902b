"""A prefix in an S3 bucket, any endpoint. Credentials come from boto3's standard chain, never from a file of ours."""

import io
import os
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from swath.errors import ConfigError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@lru_cache(maxsize=4)
def s3_client(endpoint: str | None = None) -> "S3Client":
    """One client a process and endpoint; ``AWS_ENDPOINT_URL_S3`` names a store other than AWS.

    Stores other than AWS get path-style addressing, which all of them understand.
    """
    endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    config = Config(
        retries={"mode": "standard", "max_attempts": 6},
        s3={"addressing_style": "path" if endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client("s3", endpoint_url=endpoint, config=config)


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``.

    Raises:
        ConfigError: There is no bucket.
    """
    bucket, _, key = uri.split("://", 1)[1].partition("/")
    if not bucket:
        msg = f"{uri}: expected s3://bucket/prefix"
        raise ConfigError(msg)
    return bucket, key.strip("/")


class S3Store:
    """Objects below ``s3://bucket/prefix``."""

    def __init__(self, uri: str) -> None:
        self.bucket, self.prefix = split_uri(uri)
        self._uri = f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def root(self) -> str:
        """The URI."""
        return self._uri

    def key(self, path: str) -> str:
        """The object key of a relative path."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def read(self, path: str) -> bytes | None:
        """All bytes, or None when there is no such object."""
        try:
            return s3_client().get_object(Bucket=self.bucket, Key=self.key(path))["Body"].read()
        except ClientError as error:
            if _missing(error):
                return None
            raise

    def write(self, path: str, data: bytes) -> None:
        """One PUT: S3 shows it whole or not at all."""
        s3_client().put_object(Bucket=self.bucket, Key=self.key(path), Body=data)

    def put(self, local: Path, path: str) -> None:
        """Upload (multipart above boto3's threshold; visible when complete), then remove the local file."""
        s3_client().upload_file(str(local), self.bucket, self.key(path))
        local.unlink(missing_ok=True)

    def open(self, path: str) -> BinaryIO:
        """A seekable reader of ranges.

        Raises:
            FileNotFoundError: There is no such object.
        """
        size = self.size(path)
        if size is None:
            raise FileNotFoundError(f"{self._uri}/{path}")
        return io.BufferedReader(_Ranges(self.bucket, self.key(path), size), 1 << 20)

    def size(self, path: str) -> int | None:
        """Bytes, or None when there is no such object."""
        try:
            return int(s3_client().head_object(Bucket=self.bucket, Key=self.key(path))["ContentLength"])
        except ClientError as error:
            if _missing(error):
                return None
            raise

    def list(self, prefix: str) -> Iterator[str]:
        """Paths of all objects below a prefix, in order."""
        below = self.key(prefix.rstrip("/") + "/" if prefix else "")
        for page in s3_client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=below):
            for entry in page.get("Contents", []):
                yield entry["Key"][len(self.prefix) + 1 if self.prefix else 0 :]

    def delete(self, path: str) -> None:
        """Remove an object if it is there."""
        s3_client().delete_object(Bucket=self.bucket, Key=self.key(path))

    def delete_tree(self, prefix: str) -> None:
        """Remove all objects below a prefix."""
        for path in list(self.list(prefix)):
            self.delete(path)

    def scratch(self) -> Path:
        """A folder of this machine."""
        folder = Path(tempfile.gettempdir()) / f"swath-{os.getuid()}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def gdal_path(self, path: str) -> str:
        """GDAL reads S3 itself."""
        return f"/vsis3/{self.bucket}/{self.key(path)}"

    def spark_path(self, path: str) -> str:
        """Open-source Spark knows the scheme s3a."""
        return f"s3a://{self.bucket}/{self.key(path)}"


class _Ranges(io.RawIOBase):
    """Reads ranges of one object."""

    def __init__(self, bucket: str, key: str, size: int) -> None:
        self._bucket, self._key, self._size, self._at = bucket, key, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._size)
        if self._at >= stop:
            return 0
        span = f"bytes={self._at}-{stop - 1}"
        data = s3_client().get_object(Bucket=self._bucket, Key=self._key, Range=span)["Body"].read()
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _missing(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey", "NotFound"}
