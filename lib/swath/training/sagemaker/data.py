"""The data of a model package: fetched with limits, unpacked as if an enemy had packed them."""

import gzip
import shutil
import tempfile
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from swath.errors import ConfigError
from swath.inference.digest import MAX_MODEL_BYTES, MAX_MODEL_FILES
from swath.inference.unpacking import UnpackLimits, unpack
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store
from swath.training.sagemaker.package import ModelPackage

#: More bytes out of one byte than this is a bomb.
MAX_RATIO = 200
_LIMITS = UnpackLimits(files=MAX_MODEL_FILES, size=MAX_MODEL_BYTES, depth=16)
_CHUNK = 1 << 20


def fetch_data(package: ModelPackage, *, into: Path) -> None:
    """Fetch the data of a package.

    Args:
        package: Names the place and how it is packed.
        into: Empty folder.

    Raises:
        ConfigError: There are none, they are not those that the package names, or not safe to unpack.
    """
    place = package.place.rstrip("/")
    folder, _, name = place.rpartition("/")
    if not package.packed:
        _fetch_prefix(_store(place), into=into, called=place)
        return
    store = _store(folder)
    with tempfile.TemporaryFile() as file:
        _download(store, name, file, etag=package.etag)
        packed = file.tell()
        file.seek(0)
        limit = min(MAX_MODEL_BYTES, MAX_RATIO * packed)
        with gzip.GzipFile(fileobj=file) as plain:
            bounded = _Bounded(plain, limit=limit, called=place, packed=packed)
            unpack(bounded, into=into, called=place, first=lambda _path: None, limits=_LIMITS)  # type: ignore[arg-type]


def _store(uri: str) -> S3Store:
    store = open_store(uri, create=False)
    if not isinstance(store, S3Store):
        msg = f"{uri}: a model package has its data in S3"
        raise ConfigError(msg)
    return store


def _download(store: S3Store, name: str, file: BinaryIO, *, etag: str) -> None:
    called, size = f"{store.root}/{name}", store.size(name)
    if size is None:
        msg = f"{called}: the package names these data, there is no such object"
        raise ConfigError(msg)
    if size > MAX_MODEL_BYTES:
        msg = f"{called}: {size} bytes, a model has at most {MAX_MODEL_BYTES}"
        raise ConfigError(msg)
    if etag:
        found = str(store.client.head_object(Bucket=store.name, Key=store.key(name))["ETag"]).strip('"')
        if found != etag:
            msg = (
                f"{called}: the package states the ETag {etag}, the object has {found}: it was replaced; create the package anew"
            )
            raise ConfigError(msg)
    with store.fetch(name) as source:
        shutil.copyfileobj(source, file, _CHUNK)
    if file.tell() != size:
        msg = f"{called}: {file.tell()} of {size} bytes came; fetch it again"
        raise ConfigError(msg)


def _fetch_prefix(store: S3Store, *, into: Path, called: str) -> None:
    names = [p for p in islice(store.list(""), MAX_MODEL_FILES + 1) if not p.endswith("/")]
    sizes = [store.size(n) or 0 for n in names]
    if not 0 < len(names) <= MAX_MODEL_FILES or sum(sizes) > MAX_MODEL_BYTES:
        most = f"{MAX_MODEL_FILES} files of {MAX_MODEL_BYTES} bytes"
        msg = f"{called}: {len(names)} files or more, of {sum(sizes)} bytes; a model has 1 to {most}"
        raise ConfigError(msg)
    for name in names:
        parts = PurePosixPath(name).parts
        if ".." in parts or name.startswith("/") or "\\" in name or len(parts) > _LIMITS.depth:
            msg = f"{called}: the object {name[:80]!r} has a path that leads out of the folder"
            raise ConfigError(msg)
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with store.fetch(name) as source, target.open("xb") as file:
            shutil.copyfileobj(source, file, _CHUNK)


class _Bounded:
    """A decompressed stream that ends with an error when more comes out than may.

    Args:
        plain: Decompressed stream.
        limit: Number of bytes that may come out.
        called: Name in messages.
        packed: Size before decompression [bytes].
    """

    def __init__(self, plain: gzip.GzipFile, *, limit: int, called: str, packed: int) -> None:
        self._plain, self._limit, self._called, self._packed = plain, limit, called, packed

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        data = self._plain.read(min(count, self._limit + 1) if count >= 0 else self._limit + 1)
        if self._plain.tell() > self._limit:
            msg = (
                f"{self._called}: more than {self._limit} bytes come out of {self._packed}: expected at most {MAX_MODEL_BYTES}, "
                f"and {MAX_RATIO} times what is packed; nothing of it is used"
            )
            raise ConfigError(msg)
        return data

    def tell(self) -> int:
        """Place in the stream."""
        return self._plain.tell()

    def seek(self, place: int, whence: int = 0) -> int:
        """Move; forward by reading."""
        if whence == 0 and place > self._limit:
            self.read(self._limit + 1 - self._plain.tell())
        return self._plain.seek(place, whence)
