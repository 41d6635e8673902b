"""Multipart uploads that several processes write together: opened by one, parts from many, completed by one."""

import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from botocore.exceptions import ClientError

from swath.stores.parts import StaleUploadError, UploadedPart, UploadEndedError
from swath.stores.s3_client import code_of, missing, refused_condition, unknown_condition

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20


class Upload:
    """One multipart upload.

    Args:
        client: S3 client for the bucket.
        bucket: Name in requests.
        key: Key of the object that is being uploaded.
        upload_id: Id that the store gave the upload.
    """

    def __init__(self, client: "S3Client", bucket: str, *, key: str, upload_id: str) -> None:
        self._client = client
        self._where: Any = {"Bucket": bucket, "Key": key}
        self.upload_id = upload_id
        self._this: Any = {**self._where, "UploadId": upload_id}

    @classmethod
    def open(cls, client: "S3Client", bucket: str, *, key: str, media: str) -> Self:
        """Begin."""
        told = client.create_multipart_upload(Bucket=bucket, Key=key, ContentType=media)
        return cls(client, bucket, key=key, upload_id=told["UploadId"])

    def put(self, number: int, body: BinaryIO, *, length: int) -> UploadedPart:
        """Send the next ``length`` bytes of ``body`` as one part; a repeated part replaces the earlier one.

        Raises:
            UploadEndedError: The upload was completed or aborted.
            ValueError: ``body`` ends early.
        """
        start = body.tell()
        digest = hashlib.md5(usedforsecurity=False)
        left = length
        while left:
            data = body.read(min(_CHUNK, left))
            if not data:
                msg = f"a part ends {left} bytes early"
                raise ValueError(msg)
            digest.update(data)
            left -= len(data)
        checked = base64.b64encode(digest.digest()).decode()
        window: Any = PartWindow(body, start=start, length=length)
        asked = {"PartNumber": number, "Body": window, "ContentLength": length, "ContentMD5": checked}
        try:
            told = self._client.upload_part(**self._this, **asked)
        except ClientError as error:
            if _gone(error):
                msg = f"part {number}: the upload of {self._where['Key']} has ended"
                raise UploadEndedError(msg) from error
            raise
        body.seek(start + length)
        return UploadedPart(number=number, etag=told["ETag"], bytes=length, md5=digest.hexdigest())

    def listed(self) -> dict[int, tuple[str, int]]:
        """ETag and length of every part that the store holds, by number."""
        pages = self._client.get_paginator("list_parts").paginate(**self._this)
        return {p["PartNumber"]: (p["ETag"], p["Size"]) for page in pages for p in page.get("Parts", [])}

    def complete(self, parts: Sequence[UploadedPart]) -> bool:
        """Make the object of these parts, after a last look at what the store holds of them.

        Returns:
            False if an object of that key already existed; it is left unchanged.

        Raises:
            StaleUploadError: The store holds other parts, or the upload has ended without an object.
        """
        ordered = sorted(parts, key=lambda p: p.number)
        try:
            held = self.listed()
        except ClientError as error:
            if _gone(error):
                return self._ended()
            raise
        wanted = [{"PartNumber": p.number, "ETag": _etag(p, held.get(p.number))} for p in ordered]
        return self._complete({"Parts": wanted})

    def abort(self) -> None:
        """Forget all parts; nothing happens when the upload has ended."""
        try:
            self._client.abort_multipart_upload(**self._this)
        except ClientError as error:
            if not _gone(error):
                raise

    def _complete(self, wanted: Any, *, conditional: bool = True) -> bool:
        extra: Any = {"IfNoneMatch": "*"} if conditional else {}
        try:
            self._client.complete_multipart_upload(**self._this, MultipartUpload=wanted, **extra)
        except ClientError as error:
            if conditional and unknown_condition(error):
                return self._complete(wanted, conditional=False)
            if refused_condition(error):
                self.abort()
                return self._ended()
            if _gone(error):
                # The answer to an earlier Complete got lost, or a copy of this task was faster.
                return self._ended()
            if code_of(error) in {"InvalidPart", "EntityTooSmall", "InvalidPartOrder"}:
                raise StaleUploadError(str(error)) from error
            raise
        return True

    def _ended(self) -> bool:
        """False: the object is there.

        Raises:
            StaleUploadError: The object does not exist.
        """
        try:
            self._client.head_object(**self._where)
        except ClientError as error:
            if missing(error):
                msg = f"the upload of {self._where['Key']} has ended and left nothing"
                raise StaleUploadError(msg) from error
            raise
        return False


def _gone(error: ClientError) -> bool:
    """The upload has ended. An answer whose body got lost has the status alone."""
    return code_of(error) in {"NoSuchUpload", "404", "NoSuchKey"}


def _etag(part: UploadedPart, held: tuple[str, int] | None) -> str:
    """The ETag to complete with: the store's, when it holds the bytes that the writer told of."""
    if held is None or held[1] != part.bytes:
        msg = f"part {part.number} is {held[1] if held else 'missing'} in the store, its writer reported {part.bytes} bytes"
        raise StaleUploadError(msg)
    plain = part.etag.strip('"')
    # Where ETags are no MD5 (encryption with a managed key) a repeated part has another one; its length must do.
    if plain == part.md5 and held[0].strip('"') != plain:
        msg = f"part {part.number} has ETag {held[0]} in the store, its writer reported {part.etag}"
        raise StaleUploadError(msg)
    return held[0]


class PartWindow:
    """A stretch of a file as a file of its own, which botocore can send and, for a retry, rewind."""

    def __init__(self, file: BinaryIO, *, start: int, length: int) -> None:
        self._file, self._start, self._length, self._at = file, start, length, 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        left = self._length - self._at
        size = left if size < 0 else min(size, left)
        self._file.seek(self._start + self._at)
        data = self._file.read(size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; as a file does."""
        self._at = max(offset + (0, self._at, self._length)[whence], 0)
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def __len__(self) -> int:
        return self._length
