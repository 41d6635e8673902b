"""An object on S3 as a file that is read by ranges."""

import io
from typing import TYPE_CHECKING, Any

from swath.stores.s3_client import get

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Ranges(io.RawIOBase):
    """Reads ranges of one object; its beginning is known already.

    Args:
        client: Client of the store.
        bucket: Name of the bucket.
        key: Key of the object.
        size: Length of the object [bytes].
        head: First bytes.
    """

    def __init__(self, client: "S3Client", *, bucket: str, key: str, size: int, head: bytes) -> None:
        self._client, self._bucket, self._key, self._size, self._head, self._at = client, bucket, key, size, head, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a byte."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        """The next byte."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, up to the end of the object."""
        stop = min(self._at + len(buffer), self._size)
        if self._at >= stop:
            return 0
        if self._at < len(self._head):
            data = self._head[self._at : stop]
        else:
            span = f"bytes={self._at}-{stop - 1}"
            data = get(self._client, bucket=self._bucket, key=self._key, span=span)[0]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
