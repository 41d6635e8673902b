"""How long an output keeps what it has, by collection: what a pipeline and a site say, and ``swath maintain`` does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Self

_RULE: Final = re.compile(r"(?P<number>[1-9]\d{0,4}) (?P<unit>day|version)s?")
_EXPECTED: Final = "expected a rule such as `400 days`, `2 versions` or `never`"
#: What is kept beside products. Collections have a dash in their names, so none of them is one of these.
KINDS: Final = ("reports", "logs", "metrics", "receipts", "quarantine")


@dataclass(frozen=True, slots=True)
class KeepRule:
    """How long something is kept; for ever where neither is said.

    Args:
        days: For so many days, since the newest version of a product was made.
        versions: So many versions of a product, the newest ones.
    """

    days: int | None = None
    versions: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The rule that a text says.

        Raises:
            ValueError: It says none.
        """
        if text == "never":
            return cls()
        found = _RULE.fullmatch(text)
        if found is None:
            msg = f"{text!r}: {_EXPECTED}"
            raise ValueError(msg)
        number = int(found["number"])
        return cls(days=number) if found["unit"] == "day" else cls(versions=number)

    def __str__(self) -> str:
        """As it is written."""
        if self.days is not None:
            return f"{self.days} day{'' if self.days == 1 else 's'}"
        return "never" if self.versions is None else f"{self.versions} version{'' if self.versions == 1 else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRules:
    """Rules of an output.

    Args:
        products: Rules by collection; a collection without one is kept.
        kinds: Days by kind, see ``KINDS``; a kind without them is kept.
    """

    products: Mapping[str, KeepRule] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> Self:
        """The rules that a pipeline or a site says.

        Args:
            texts: Rules by collection or kind.

        Raises:
            ValueError: One of them says no rule, or a name is neither a collection's nor a kind.
        """
        rules: dict[str, KeepRule] = {}
        for name, text in texts.items():
            try:
                rules[name] = KeepRule.parse(text)
            except ValueError as error:
                msg = f"retention of {name}: {error}"
                raise ValueError(msg) from error
            if name in KINDS and rules[name].versions is not None:
                msg = f"retention of {name}: {text!r}: {name} have no versions; expected `90 days` or `never`"
                raise ValueError(msg)
            if name not in KINDS and "-" not in name:
                msg = f"retention of {name!r}: expected a collection, such as ard-landsat-oli, or one of {', '.join(KINDS)}"
                raise ValueError(msg)
        kinds: dict[str, int] = {name: days for name in KINDS if name in rules and (days := rules[name].days) is not None}
        return cls(products={n: r for n, r in rules.items() if n not in KINDS}, kinds=kinds)

    def over(self, other: "KeepRules") -> "KeepRules":
        """These, and those of ``other`` where these say nothing."""
        return KeepRules(products={**other.products, **self.products}, kinds={**other.kinds, **self.kinds})

    def kept(self, kind: str) -> timedelta | None:
        """How long a kind is kept; None for ever."""
        days = self.kinds.get(kind)
        return None if days is None else timedelta(days=days)
