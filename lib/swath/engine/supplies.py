"""What calls ask for beyond the bands of their scene: found here, whatever it is, and handed on as their ``Inputs``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swath.engine.ancillary import raster_digest, raster_layer
from swath.engine.graph import Graph
from swath.errors import GeometryError, ModelContractError
from swath.grid import Grid, Window
from swath.inference.training_bins import TrainingBins
from swath.inputs import AngleField, AnglesInput, Input, Inputs, ModelInput, Predictor, RasterInput, RasterSource
from swath.pipeline import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What is at hand for the calls of one scene.

    Args:
        angles: Angle grids of the scene; None where it has none.
        models: Predictors by the name of their model.
        bins: Bins beside the training data, by the name of the model.
    """

    angles: AngleField | None = None
    models: Mapping[str, Predictor] = field(default_factory=dict)
    bins: Mapping[str, TrainingBins] = field(default_factory=dict)

    def of(self, graph: Graph, recipe: Recipe, *, window: Window) -> Inputs:
        """The answers to what a recipe asks for.

        Args:
            graph: Graph that the recipe is in.
            recipe: The recipe.
            window: Window that the call makes.

        Raises:
            SceneError: Something is not at hand, or a tile of a raster cannot be read.
        """
        if not recipe.inputs:
            return _NOTHING
        return Inputs(given={asked: self._found(asked, graph, grid=recipe.grid, window=window) for asked in recipe.inputs})

    def _found(self, asked: Input[Any], graph: Graph, *, grid: Grid, window: Window) -> Any:
        match asked:
            case ModelInput(name=name):
                if name not in self.models:
                    raise ModelContractError(f"a step asks for the model {name}, which the pipeline did not pin")
                return self.models[name]
            case RasterInput():
                return raster_layer(asked, graph.rasters[asked.name], grid=grid, window=window)
            case AnglesInput() if self.angles is not None:
                return self.angles
            case _:
                raise GeometryError("a step asks for angle grids, which the scene does not have", scene_id=graph.scene.scene_id)


_NOTHING = Inputs()


def digest_of_input(asked: Input[Any], *, rasters: Mapping[str, RasterSource], grid: Grid) -> str:
    """Digest of what an input holds: of the tiles that meet the grid, of the model, of the delivery that holds the angles."""
    match asked:
        case RasterInput(name=name):
            return raster_digest(rasters[name], grid)
        case ModelInput(digest=digest) | AnglesInput(digest=digest):
            return digest
        case _:
            msg = f"{asked!r} is not an input that swath knows: expected ModelInput, AnglesInput or RasterInput"
            raise TypeError(msg)
