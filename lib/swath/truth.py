"""How far products are from a truth that is known, as the simulator finds it and the report shows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BandTruth:
    """How far a band is from the truth.

    Args:
        band: Name.
        rmse: Root mean square difference [reflectance].
        bias: Mean difference, product minus truth [reflectance].
        pixels: Number of compared pixels.
    """

    band: str
    rmse: float
    bias: float
    pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTruth:
    """How far an image shows known ground points from where they are.

    Args:
        image: Name of the image.
        rms_m: Root mean square distance [m].
        most_m: Largest distance [m].
        points: Number of points.
    """

    image: str
    rms_m: float
    most_m: float
    points: int
