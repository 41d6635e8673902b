"""What a run cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """By the prices of the site.

    Args:
        currency: ISO 4217.
        amount: Amount in that currency, for cores and requests.
        core_hours: Executor cores held, times hours.
        requests: Part of the amount that is about requests of the store.
        month: What a month of keeping what was made costs, beside the amount.
        per_1000: Amount for 1,000 scenes of this kind; None where no scene was made.
    """

    currency: str
    amount: float
    core_hours: float
    requests: float = 0.0
    month: float = 0.0
    per_1000: float | None = None

    def __str__(self) -> str:
        """In words; amounts under a cent keep what is left of them."""
        told = f"{_amount(self.amount)} {self.currency} ({self.core_hours:.2f} core hours)"
        if self.per_1000 is not None:
            told += f", {_amount(self.per_1000)} {self.currency} for 1,000 scenes"
        return told + (f"; storage {_amount(self.month)} {self.currency} a month" if self.month else "")


def _amount(value: float) -> str:
    return f"{value:.{2 if value >= 1 else 4}f}"
