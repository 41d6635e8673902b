"""What a run costs, by a site's own prices."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, model_validator

from swath.deploy.site.strict import Strict, parse
from swath.errors import ConfigError
from swath.report.cost import Cost
from swath.settings import Settings

#: Requests by asset, wave and run, as counted on S3 (``tests/s3/test_requests_a_scene.py``, docs/s3.md).
_WRITES_ASSET, _READS_ASSET = 1.4, 0.8
_WAVE, _RUN = 20, 400
_GB = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a run used.

    Args:
        core_s: Core seconds that its executors were held, at work or not.
        scenes: Number of scenes that were made.
        assets: Number of files that were made.
        waves: Number of commits.
        bytes: Size of the files.
    """

    core_s: float
    scenes: int = 0
    assets: int = 0
    waves: int = 0
    bytes: int = 0


class Prices(Strict):
    """A file in conf/prices.

    Args:
        currency: ISO 4217.
        core_hour: Price of one executor core for an hour, everything included.
        spot_core_hour: The same on spot nodes.
        spot_share: Share of core hours that are on spot nodes, 0 to 1.
        writes_1000: Price of a thousand requests that write.
        reads_1000: Price of a thousand requests that read.
        storage_gb_month: Price of a gigabyte (10^9 bytes) for a month.
    """

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    core_hour: float = Field(ge=0.0)
    spot_core_hour: float | None = Field(default=None, ge=0.0)
    spot_share: float = Field(default=0.0, ge=0.0, le=1.0)
    writes_1000: float = Field(default=0.0, ge=0.0)
    reads_1000: float = Field(default=0.0, ge=0.0)
    storage_gb_month: float = Field(default=0.0, ge=0.0)

    @model_validator(mode="after")
    def _spot_has_a_price(self) -> Self:
        if self.spot_share and self.spot_core_hour is None:
            msg = f"spot_share is {self.spot_share} and spot_core_hour is missing: what a core on a spot node costs for an hour"
            raise ValueError(msg)
        return self

    def cost(self, spent: Spent) -> Cost:
        """Cost of what a run held, whether it used it or not, of its requests, and of keeping what it made."""
        hours = spent.core_s / 3600.0
        on_spot = hours * self.spot_share
        cores = (hours - on_spot) * self.core_hour + on_spot * (self.spot_core_hour or 0.0)
        reads = spent.assets * _READS_ASSET + spent.waves * _WAVE + _RUN
        requests = (spent.assets * _WRITES_ASSET * self.writes_1000 + reads * self.reads_1000) / 1000.0
        amount = cores + requests
        return Cost(
            currency=self.currency,
            amount=amount,
            core_hours=hours,
            requests=requests,
            month=spent.bytes / _GB * self.storage_gb_month,
            per_1000=1000.0 * amount / spent.scenes if spent.scenes else None,
        )


def site_prices(environ: Mapping[str, str] = os.environ) -> Prices | None:
    """The prices that the environment names; None without any.

    Raises:
        ConfigError: The file is not there, or is no price file.
    """
    name = Settings.of(environ).price_file
    if not name:
        return None
    try:
        return read_prices(Path(name))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"SWATH_PRICE_FILE names {name}, which cannot be read: expected a file like conf/prices/example.yaml; got {error}"
        raise ConfigError(msg) from error


def read_prices(file: Path) -> Prices:
    """The prices in a file.

    Raises:
        ConfigError: A key or a value is wrong.
        OSError: The file cannot be read.
        UnicodeDecodeError: It is no text.
        yaml.YAMLError: It is no YAML.
    """
    return parse(Prices, yaml.safe_load(file.read_text(encoding="utf-8")), source=str(file))
