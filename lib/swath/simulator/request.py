"""What a simulated scene shall be like."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from swath.algo.atmosphere import Atmosphere

#: Which radiative transfer the light goes through: the model that swath inverts, or 6S (see ``six_s``).
Air = Literal["smac", "6s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRequest:
    """One scene to be simulated.

    Args:
        size: Pixels a side, at 30 m for Landsat, at 10 m otherwise.
        seed: Seed of the place.
        acquired: Scene centre, UTC.
        clouds: Share of cloud, 0..1, about.
        atmosphere: The air, even over the scene.
        air: Radiative transfer from the ground to the sensor.
        truth: Whether to write the truth beside the delivery.
        upper_left_m: Position of the scene: a corner (Landsat: the centre of the first pixel) [UTM 33N, m]; None for the
            sensor's own place by the home coast.
    """

    size: int
    seed: int
    acquired: datetime
    clouds: float
    atmosphere: Atmosphere
    truth: bool
    air: Air = "smac"
    upper_left_m: tuple[float, float] | None = None
