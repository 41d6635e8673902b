"""Real features for reference rows, in a file of a person who has some of the training data."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError

_MAX_BYTES = 64 << 20


def read_rows(path: Path, *, bands: Sequence[str]) -> NDArray[np.float32]:
    """Features (row, band) of a CSV file whose header has the bands in the order of the features.

    Raises:
        ConfigError: It cannot be read, has other columns, or no rows of numbers.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            msg = f"{path}: larger than {_MAX_BYTES} bytes; some hundred rows are enough"
            raise ConfigError(msg)
        with path.open(newline="", encoding="utf-8") as file:
            header, *lines = list(csv.reader(file))
        rows = np.array([[float(w) for w in line] for line in lines if line], dtype=np.float32)
    except (OSError, ValueError, csv.Error) as error:
        msg = f"{path}: not a table of numbers with a header of bands: {error}"
        raise ConfigError(msg) from error
    if header != list(bands) or rows.ndim != 2:
        msg = f"{path}: its columns are {', '.join(header)}, the manifest's bands {', '.join(bands)}: the header must be the same"
        raise ConfigError(msg)
    return rows
