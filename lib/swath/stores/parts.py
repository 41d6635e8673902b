"""Parts of a file that several tasks write together, and S3's limits for them. Needs no boto3."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol, Self, runtime_checkable

#: S3's limits: every part but the last has at least so many bytes, and numbers end here.
MIN_PART = 5 << 20
MAX_PARTS = 10_000
#: Objects up to this size are one PUT.
ONE_PUT = 16 << 20


class StaleUploadError(Exception):
    """A part in the store is not the part that its writer told of, or the upload is gone without leaving the object."""


class UploadEndedError(StaleUploadError):
    """The upload was completed or aborted before this part came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedPart:
    """A part as its writer saw it.

    Args:
        number: 1 to 10,000; the object is the parts in this order.
        etag: ETag that the store returned.
        bytes: Length.
        md5: Hex digest of its bytes.
    """

    number: int
    etag: str
    bytes: int
    md5: str

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        return cls(**plain)


class SharedUpload(Protocol):
    """One file in the making."""

    upload_id: str

    def put(self, number: int, body: BinaryIO, *, length: int) -> UploadedPart:
        """Send the next ``length`` bytes of ``body`` as one part.

        Raises:
            UploadEndedError: The upload was completed or aborted.
        """
        ...

    def complete(self, parts: Sequence[UploadedPart]) -> bool:
        """Make the file of these parts; False when there was one already.

        Raises:
            StaleUploadError: The store holds other parts.
        """
        ...

    def abort(self) -> None:
        """Forget all parts."""
        ...


@runtime_checkable
class Uploading(Protocol):
    """A store where several tasks write one file together, instead of joining parts by copying them."""

    def upload(self, path: str, upload_id: str = "") -> SharedUpload:
        """A new upload, or one that another process opened."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedUpload:
    """An upload that was neither completed nor aborted.

    Args:
        path: Path of the finished file, relative to the store's root.
        upload_id: The store's name of it.
        began: Aware.
    """

    path: str
    upload_id: str
    began: datetime


@runtime_checkable
class ListsUploads(Uploading, Protocol):
    """A store that lists its unfinished uploads."""

    def unfinished(self) -> Iterator[UnfinishedUpload]:
        """All below the store's root."""
        ...
