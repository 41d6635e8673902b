"""Arrays in a file that a stranger may have written: bounded, and never unpickled."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from swath.errors import ConfigError


def array_bytes(values: Mapping[str, Any]) -> bytes:
    """Values as a compressed npz; the same values give the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **{name: np.array(value) for name, value in values.items()})
    return buffer.getvalue()


@contextmanager
def stored_arrays(path: Path, *, most_bytes: int, content: str) -> Iterator[Mapping[str, Any]]:
    """The arrays of an npz file, by name, while the block reads them.

    Args:
        path: The file.
        most_bytes: Size of all arrays when unpacked, at most [bytes].
        content: Content that the file should have, for the message.

    Raises:
        ConfigError: Not such a file, too large when unpacked, or the block found an array missing or of another kind.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > most_bytes:
            msg = f"{path}: {unpacked} bytes when unpacked; expected {content} of at most {most_bytes} bytes"
            raise ConfigError(msg)
        with np.load(path, allow_pickle=False) as stored:
            yield stored
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        msg = f"{path}: no {content} in it: {error}"
        raise ConfigError(msg) from error
