"""What a run cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """By the prices of the site.

    Args:
        currency: ISO 4217.
        amount: Amount in that currency.
        core_hours: Executor cores held, times hours.
    """

    currency: str
    amount: float
    core_hours: float

    def __str__(self) -> str:
        """Amounts under a cent keep what is left of them."""
        digits = 2 if self.amount >= 1 else 4
        return f"{self.amount:.{digits}f} {self.currency} ({self.core_hours:.2f} core hours)"
