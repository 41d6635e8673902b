"""Where on a grid the features of a model are."""

from dataclasses import dataclass

from swath.grid import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where on a grid features are, and which of them are asked about.

    Args:
        given: Window that the features fill: ``wanted`` with the model's margin, clipped to the grid.
        wanted: Window of the answer, inside of ``given``.
        grid: Window of the whole grid; beyond it there are no pixels.

    Raises:
        ValueError: The windows do not contain each other.
    """

    given: Window
    wanted: Window
    grid: Window

    def __post_init__(self) -> None:
        """Refuse windows that do not contain each other."""
        if not (self.grid.contains(self.given) and self.given.contains(self.wanted)):
            msg = f"expected wanted inside of given inside of grid, got {self.wanted}, {self.given}, {self.grid}"
            raise ValueError(msg)
