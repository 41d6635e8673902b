"""What a run costs, by a site's own prices."""

import os
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import Field

from swath.deploy.site.strict import Strict, parse
from swath.errors import ConfigError
from swath.report.cost import Cost
from swath.settings import Settings

#: Names the file; without it no cost is reported. Sites set it.


class Prices(Strict):
    """A file in conf/prices.

    Args:
        currency: ISO 4217.
        core_hour: Price of one executor core for an hour, everything included.
    """

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    core_hour: float = Field(ge=0.0)

    def cost(self, *, core_s: float) -> Cost:
        """Cost of the core seconds that a run held, whether it used them or not."""
        hours = core_s / 3600.0
        return Cost(currency=self.currency, amount=hours * self.core_hour, core_hours=hours)


def site_prices(environ: Mapping[str, str] = os.environ) -> Prices | None:
    """The prices that the environment names; None without any.

    Raises:
        ConfigError: The file is not there, or is no price file.
    """
    name = Settings.of(environ).price_file
    if not name:
        return None
    try:
        data = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"SWATH_PRICE_FILE names {name}, which cannot be read: expected a file like conf/prices/example.yaml; got {error}"
        raise ConfigError(msg) from error
    return parse(Prices, data, source=name)
