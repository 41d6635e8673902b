"""The area of a class of a map, estimated."""

from dataclasses import dataclass
from typing import Final

#: Square metres of a hectare.
HECTARE_M2: Final = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassArea:
    """What a map and the confusion of its model say of a class.

    Args:
        name: Name of the class.
        title: For people.
        mapped_ha: Area on the map [ha].
        estimated_ha: Area corrected by the confusion [ha].
        half_width_ha: Half of its 95 % confidence interval [ha]; None where too little was checked to say.
    """

    name: str
    title: str
    mapped_ha: float
    estimated_ha: float
    half_width_ha: float | None
