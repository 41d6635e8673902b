"""A prefix in an S3 bucket, any endpoint. Credentials come from boto3's standard chain, never from a file of ours."""

import hashlib
import io
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from botocore.exceptions import ClientError

from swath.errors import ConfigError, StoreRefusedError
from swath.stores.authorities import bundle_of
from swath.stores.base import Entry
from swath.stores.options import OUTPOSTS, store_options
from swath.stores.own_folder import own_folder
from swath.stores.parts import ONE_PUT, UnfinishedUpload
from swath.stores.s3_client import CHUNK, code_of, get, missing, refused_condition, s3_client, stream, unknown_condition
from swath.stores.s3_ranges import Ranges
from swath.stores.upload import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["S3Store", "s3_client", "split_uri"]

_DELETE_AT_ONCE = 1000
_PART = 32 << 20
_PRESIGNED_S = 6 * 3600
_MEDIA = {".tif": "image/tiff; application=geotiff; profile=cloud-optimized", ".json": "application/json", ".png": "image/png"}
_ANY_MEDIA = "application/octet-stream"


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
        self.options = store_options(self.bucket)
        self.name = self.options.name(self.bucket)

    @property
    def client(self) -> "S3Client":
        """boto3's client for this bucket; another one after the authorities that it trusts were replaced."""
        return s3_client(self.options, authorities=bundle_of("AWS_CA_BUNDLE"))

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
            return get(self.client, bucket=self.name, key=self.key(path))[0]
        except ClientError as error:
            if missing(error):
                return None
            raise

    def write(self, path: str, data: bytes) -> None:
        """One PUT: S3 shows it whole or not at all."""
        self.client.put_object(Bucket=self.name, Key=self.key(path), Body=data, ContentType=_media(path))

    def put(self, local: Path, path: str) -> None:
        """Upload, in parts when it is large; then remove the local file."""
        with local.open("rb") as file:
            length = local.stat().st_size
            if length <= ONE_PUT:
                self.client.put_object(Bucket=self.name, Key=self.key(path), Body=file, ContentType=_media(path))
            else:
                self.client.upload_fileobj(file, self.name, self.key(path), ExtraArgs={"ContentType": _media(path)})
        local.unlink(missing_ok=True)

    def publish(self, local: Path, path: str) -> bool:
        """Upload a file that no other may replace; see ``Store.publish``."""
        length = local.stat().st_size
        with local.open("rb") as file:
            made = self._put_new(file, path) if length <= ONE_PUT else self._upload_new(file, path, length=length)
        if not made and self.digest(path) != (_sha256(local), length):
            raise FileExistsError(f"{self._uri}/{path}")
        local.unlink(missing_ok=True)
        return made

    def open(self, path: str) -> BinaryIO:
        """A seekable reader of ranges; one request when the object is small.

        Raises:
            FileNotFoundError: There is no such object.
        """
        try:
            head, size = get(self.client, bucket=self.name, key=self.key(path), span=f"bytes=0-{CHUNK - 1}")
        except ClientError as error:
            if missing(error):
                raise FileNotFoundError(f"{self._uri}/{path}") from error
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 416:  # an object without bytes has no ranges
                return io.BytesIO(b"")
            raise
        if size <= len(head):
            return io.BytesIO(head)
        return io.BufferedReader(Ranges(self.client, bucket=self.name, key=self.key(path), size=size, head=head), CHUNK)

    def fetch(self, path: str) -> BinaryIO:
        """All of an object in one request, kept in a file without a name."""
        file = tempfile.TemporaryFile(dir=self.scratch())  # noqa: SIM115  the caller closes it
        try:
            for data in stream(self.client, bucket=self.name, key=self.key(path)):
                file.write(data)
        except ClientError as error:
            file.close()
            if missing(error):
                raise FileNotFoundError(f"{self._uri}/{path}") from error
            raise
        file.seek(0)
        return file

    def digest(self, path: str) -> tuple[str, int]:
        """Hex sha256 and length, read in one pass."""
        digest, length = hashlib.sha256(), 0
        try:
            for data in stream(self.client, bucket=self.name, key=self.key(path)):
                digest.update(data)
                length += len(data)
        except ClientError as error:
            if missing(error):
                raise FileNotFoundError(f"{self._uri}/{path}") from error
            raise
        return digest.hexdigest(), length

    def size(self, path: str) -> int | None:
        """Bytes, or None when there is no such object."""
        try:
            return int(self.client.head_object(Bucket=self.name, Key=self.key(path))["ContentLength"])
        except ClientError as error:
            if missing(error):
                return None
            if code_of(error).isdigit():
                get(self.client, bucket=self.name, key=self.key(path), span="bytes=0-0")  # has a name for what is wrong
            raise

    def seen(self, path: str) -> bool:
        """Whether there is such an object, as far as we may see: who may not list a bucket is refused absent keys too."""
        try:
            return self.size(path) is not None
        except StoreRefusedError as error:
            if error.cause == "access":
                return False
            raise

    def list(self, prefix: str) -> Iterator[str]:
        """Paths of all objects below a prefix, in order."""
        return (entry.path for entry in self.entries(prefix))

    def entries(self, prefix: str) -> Iterator[Entry]:
        """As ``list``, with size and age."""
        below = self.key(prefix.rstrip("/") + "/" if prefix else "")
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=below):
            for entry in page.get("Contents", []):
                path = entry["Key"][len(self.prefix) + 1 if self.prefix else 0 :]
                yield Entry(path=path, bytes=entry["Size"], modified=entry["LastModified"])

    def delete(self, path: str) -> None:
        """Remove an object if it is there."""
        self.client.delete_object(Bucket=self.name, Key=self.key(path))

    def delete_tree(self, prefix: str) -> None:
        """Remove all objects below a prefix."""
        found = self.list(prefix)
        while batch := list(islice(found, _DELETE_AT_ONCE)):
            keys: Any = [{"Key": self.key(path)} for path in batch]
            self.client.delete_objects(Bucket=self.name, Delete={"Objects": keys, "Quiet": True})

    def upload(self, path: str, upload_id: str = "") -> Upload:
        """A multipart upload of an object: a new one, or one that another process opened."""
        key = self.key(path)
        if upload_id:
            return Upload(self.client, self.name, key=key, upload_id=upload_id)
        return Upload.open(self.client, self.name, key=key, media=_media(path))

    def unfinished(self) -> Iterator[UnfinishedUpload]:
        """Uploads that were neither completed nor aborted."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.name, Prefix=self.key(""))
        for entry in (e for page in pages for e in page.get("Uploads", [])):
            path = entry["Key"].removeprefix(self.key(""))
            yield UnfinishedUpload(path=path, upload_id=entry["UploadId"], began=entry["Initiated"])

    def scratch(self) -> Path:
        """A folder of this machine, for this user alone."""
        return own_folder("swath")

    def gdal_path(self, path: str) -> str:
        """GDAL reads S3 itself; S3 on Outposts, whose signatures it cannot make, through a presigned address."""
        if self.options.kind == OUTPOSTS:
            return f"/vsicurl?use_head=no&list_dir=no&url={quote(self.presigned(path), safe='')}"
        return f"/vsis3/{self.bucket}/{self.key(path)}"

    def presigned(self, path: str) -> str:
        """A presigned URL: anyone who has it can read from it for some hours."""
        return self.client.generate_presigned_url(
            "get_object", Params={"Bucket": self.name, "Key": self.key(path)}, ExpiresIn=_PRESIGNED_S
        )

    def spark_path(self, path: str) -> str:
        """Open-source Spark knows the scheme s3a."""
        return f"s3a://{self.bucket}/{self.key(path)}"

    def put_if_absent(self, path: str, data: BinaryIO | bytes) -> bool:
        """One PUT that never replaces: False when the key is taken.

        Where the store does not know the condition, it replaces.
        """
        asked: Any = {"Bucket": self.name, "Key": self.key(path), "ContentType": _media(path)}
        try:
            self.client.put_object(**asked, Body=data, IfNoneMatch="*")
        except ClientError as error:
            if refused_condition(error):
                return False
            if not unknown_condition(error):
                raise
            if not isinstance(data, bytes):
                data.seek(0)
            self.client.put_object(**asked, Body=data)
        return True

    def _put_new(self, file: BinaryIO, path: str) -> bool:
        return self.put_if_absent(path, file)

    def _upload_new(self, file: BinaryIO, path: str, *, length: int) -> bool:
        upload = self.upload(path)
        try:
            return upload.complete(
                [upload.put(n, file, length=stop - start) for n, (start, stop) in enumerate(spans(length), start=1)]
            )
        except BaseException:
            upload.abort()
            raise


def spans(length: int, *, size: int = _PART) -> Iterator[tuple[int, int]]:
    """Cut a file into parts of about ``size`` bytes, none smaller, unless the whole file is."""
    number = max(length // size, 1)
    for n in range(number):
        yield n * size, (n + 1) * size if n + 1 < number else length


def _media(path: str) -> str:
    return _MEDIA.get(Path(path).suffix, _ANY_MEDIA)


def _sha256(local: Path) -> str:
    with local.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
