"""Pan-sharpening: bands on the pixels of the panchromatic one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from swath.algo.pansharpen import REACH_PX, brovey, shares_of_light, upsampled
from swath.encoding import REFLECTANCE, Encoding
from swath.errors import ConfigError, MetadataError, MissingBandError
from swath.grid import Grid, Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import LayerName, LayerSpec
from swath.scene import Band, Quality, Scene
from swath.steps.naming import layer_name, of_kind

_PAN: Final = "pan"
Kind = Literal["toa", "sr", "dn"]
Fit = Literal["ground", "gdal"]
#: Delivered numbers as they are.
_NUMBERS: Final = Encoding(
    dtype="uint16", scale=1.0, unit="1", nodata=0, lowest=1, highest=65535, overviews="average", compression_level=1, predictor=2
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pansharpen:
    """``sharp:<band>`` on the grid of the pan band: weighted Brovey.

    Args:
        of: Quantity to sharpen: ``toa`` or ``sr`` reflectance, or ``dn``, the delivered numbers.
        bands: Which; None for those that share light with the pan band.
        weights: Share of each band in the pan band's light; None for the overlap of their spectra.
        fit: Position of the bands under the pan pixels: by the ``ground``, or as ``gdal`` takes it, which stretches the part
            of the bands that the pan band covers over the whole pan band, although it may end beyond them.

    Raises:
        ConfigError: A parameter is unusable.
    """

    name: ClassVar[str] = "pansharpen"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("sharp",)

    of: Kind = "toa"
    bands: Sequence[str] | None = None
    weights: Mapping[str, float] | None = None
    fit: Fit = "ground"

    def __post_init__(self) -> None:
        """Refuse unknown kinds, empty lists, and weights that sum up to nothing."""
        for key, known in (("of", get_args(Kind)), ("fit", get_args(Fit))):
            if (value := getattr(self, key)) not in known:
                msg = f"pansharpen.{key} must be one of {', '.join(known)}, got {value!r}"
                raise ConfigError(msg)
        bands: object = self.bands
        if bands is not None and (not isinstance(bands, list | tuple) or not bands or not all(isinstance(b, str) for b in bands)):
            msg = f"pansharpen.bands must be a list of band names, got {bands!r}"
            raise ConfigError(msg)
        self._check_weights(self.weights)

    @staticmethod
    def _check_weights(weights: object) -> None:
        if weights is None:
            return
        numbers = list(weights.values()) if isinstance(weights, Mapping) else []
        usable = all(isinstance(n, int | float) and not isinstance(n, bool) and 0.0 <= n < np.inf for n in numbers)
        if not numbers or not usable or not sum(numbers) > 0.0:
            msg = f"pansharpen.weights must be numbers from 0 on by band, one of them above 0, got {weights!r}"
            raise ConfigError(msg)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As given."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        return given | {"bands": None if self.bands is None else list(self.bands)}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call for all bands.

        Raises:
            MissingBandError: The scene has no pan band, or lacks a band that is named.
            MetadataError: The spectra are not known, and no weights are given.
        """
        there = self._there(scene, given)
        pan = there.pop(_PAN, None)
        if pan is None:
            raise MissingBandError(
                "the scene has no pan band to sharpen with", expected=layer_name(self.of, band=_PAN), got=", ".join(there)
            )
        weights = self._weights(there, pan=pan[0])
        lacking = [name for name in weights if name not in there]
        if lacking:
            raise MissingBandError(
                "a band that is to be sharpened is missing", expected=", ".join(weights), got=", ".join(there) or "none"
            )
        needs = {layer_name(self.of, band=_PAN): Need()}
        needs |= {layer_name(self.of, band=name): Need(halo_px=REACH_PX) for name in weights}
        makes = tuple(_made(there[name][0], grid=pan[1], of=self.of) for name in weights)
        return (Recipe(makes=makes, needs=needs, facts={"weights": weights}),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Bring every band to the pan pixels, then sharpen all."""
        del scene, inputs
        pan, *names = recipe.needs
        fine = [self._fine(layers[name], recipe.grid, window=window) for name in names]
        weights = [recipe.facts["weights"][made.name.partition(":")[2]] for made in recipe.makes]
        sharp = brovey(np.stack(fine), layers[pan].physical, weights=weights)
        made = zip(recipe.makes, sharp, strict=True)
        return {m.name: Layer(values=v, grid=recipe.grid, window=window, valid=np.isfinite(v)) for m, v in made}

    def _fine(self, layer: Layer, grid: Grid, *, window: Window) -> NDArray[np.float64]:
        own = layer.grid
        rows = _places(window.row, window.height, (own.top - grid.top) / own.dy, step=grid.dy / own.dy)
        columns = _places(window.col, window.width, (grid.left - own.left) / own.dx, step=grid.dx / own.dx)
        if self.fit == "gdal":
            rows = _stretched(rows, (own.top - grid.top) / own.dy, length=grid.height * grid.dy / own.dy, size=own.height)
            columns = _stretched(columns, (grid.left - own.left) / own.dx, length=grid.width * grid.dx / own.dx, size=own.width)
        first, size = (layer.window.row, layer.window.col), (own.height, own.width)
        return upsampled(layer.physical, rows=rows, columns=columns, first=first, size=size)

    def _there(self, scene: Scene, given: Mapping[LayerName, LayerSpec]) -> dict[str, tuple[Band, Grid]]:
        """Band and grid of every layer of the kind, by name."""
        if self.of == "dn":
            assets = {n: a for n, a in scene.assets.items() if not isinstance(a.calibration, Quality)}
            return {name: (asset.band, asset.grid) for name, asset in assets.items()}
        found = of_kind(given, kind=self.of)
        return {name: (spec.band, spec.grid) for name, spec in found.items() if spec.band is not None}

    def _weights(self, there: Mapping[str, tuple[Band, Grid]], *, pan: Band) -> dict[str, float]:
        """A weight for each band that is sharpened, in order."""
        if self.weights is not None:
            given = self.weights
            names = list(self.bands) if self.bands is not None else list(given)
            unsharpened = [name for name, weight in given.items() if weight and name not in names]
            if unsharpened:
                raise MissingBandError(
                    "a band has a weight, and is not among those that are sharpened",
                    expected=f"all of {', '.join(given)} among pansharpen.bands",
                    got=", ".join(names),
                )
            return {name: float(given.get(name, 0.0)) for name in names}
        spectra = {name: _spectrum(band) for name, (band, _) in there.items()}
        known = {name: s for name, s in spectra.items() if s is not None}
        light = _spectrum(pan)
        shares = {} if light is None else dict(zip(known, shares_of_light(list(known.values()), light), strict=True))
        if not any(shares.values()):
            raise MetadataError(
                "no band is known to share light with the pan band",
                expected="centre and width of the pan band and of bands within it",
                got=", ".join(sorted(there)) or "no bands",
                remedy="State pansharpen.weights, a number for each band.",
            )
        wanted = list(self.bands) if self.bands is not None else [name for name, share in shares.items() if share]
        total = sum(shares.get(name, 0.0) for name in wanted)
        return {name: shares.get(name, 0.0) / total if total else 0.0 for name in wanted}


def _spectrum(band: Band) -> tuple[float, float] | None:
    return None if band.centre_um is None or band.fwhm_um is None else (band.centre_um, band.fwhm_um)


def _made(band: Band, *, grid: Grid, of: Kind) -> LayerSpec:
    return LayerSpec(
        name=layer_name("sharp", band=band.name),
        asset=f"sharp_{band.name}",
        title=f"Pan-sharpened {band.name}, {'delivered numbers' if of == 'dn' else f'{of.upper()} reflectance'}",
        grid=grid,
        encoding=_NUMBERS if of == "dn" else REFLECTANCE,
        band=replace(band, resolution_m=grid.dx),
        roles=("data",) if of == "dn" else ("data", "reflectance"),
    )


def _places(start: int, count: int, shift: float, *, step: float) -> NDArray[np.float64]:
    """Centres of pan pixels in pixels of a band; absolute, so that windows cannot move them."""
    return np.asarray(shift + (np.arange(start, start + count) + 0.5) * step)


def _stretched(places: NDArray[np.float64], shift: float, *, length: float, size: int) -> NDArray[np.float64]:
    """As GDAL: the part of the band from the pan band's first edge to its last, or the band's, fills the pan band."""
    return np.asarray(shift + (places - shift) * (min(shift + length, size) - shift) / length)
