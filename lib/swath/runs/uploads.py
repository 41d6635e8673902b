"""The driver's side of uploads that strips share: every one that was opened is completed or aborted, whatever happens."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from swath.stores.base import Store
from swath.stores.parts import Uploading

log = logging.getLogger("swath.uploads")


@dataclass(slots=True)
class OpenUploads:
    """Uploads of one wave that are not completed yet: path by upload id."""

    store: Store
    paths: dict[str, str] = field(default_factory=dict)

    def opened(self, uploads: Mapping[str, str], *, paths: Mapping[str, str]) -> dict[str, str]:
        """Note the uploads of a product, ids and paths by asset; returns the ids."""
        self.paths |= {upload_id: paths[name] for name, upload_id in uploads.items()}
        return dict(uploads)

    def completed(self, upload_id: str) -> None:
        """Its file is there."""
        self.paths.pop(upload_id, None)

    def abort(self) -> None:
        """End all that are left."""
        if not isinstance(self.store, Uploading):
            return
        for upload_id, path in list(self.paths.items()):
            self.store.upload(path, upload_id).abort()
            del self.paths[upload_id]


@contextmanager
def open_uploads(store: Store) -> Iterator[OpenUploads]:
    """Uploads that do not outlive the block. What an error in between cannot abort, the janitor finds."""
    uploads = OpenUploads(store)
    try:
        yield uploads
    finally:
        try:
            uploads.abort()
        except Exception:  # the error that led here must not be hidden by the store's
            log.exception("%d uploads could not be aborted; the janitor will", len(uploads.paths))
