"""How ``mlflow.pyfunc`` loads a model of swath that judges single pixels: the module that an MLmodel file names."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from swath.inference.loader import predictor_of
from swath.inference.manifest import Manifest, read_manifest
from swath.inputs import Predictor

if TYPE_CHECKING:
    import pandas as pd


class TableModel:
    """A model that takes a table with a column for each band, as MLflow hands it on.

    Args:
        predictor: The loaded weights.
        manifest: Names the columns.
    """

    def __init__(self, predictor: Predictor, manifest: Manifest) -> None:
        self._predictor, self._manifest = predictor, manifest

    def predict(self, data: "pd.DataFrame | NDArray[np.float32]") -> NDArray[np.float32]:
        """Class probabilities, (row, class), of features, (row, band): ``scale * physical + offset``."""
        table = data if isinstance(data, np.ndarray) else data[list(self._manifest.bands)].to_numpy()
        return self._predictor.predict(np.ascontiguousarray(table.T, dtype=np.float32)).T


def _load_pyfunc(path: str) -> TableModel:
    """MLflow calls this with the path of the weights."""
    directory = Path(path).parent
    manifest = read_manifest(directory)
    return TableModel(predictor_of(directory, manifest), manifest)
