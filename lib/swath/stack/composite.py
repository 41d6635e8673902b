"""One composite that is to be made: its tile, its period, its sources in order, and the keys of its assets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date
from functools import cached_property
from typing import Any, Final, Self

from swath.engine.keys import ENGINE
from swath.grid import Grid
from swath.plain import digest_of
from swath.product import LayerSpec
from swath.scene import Asset, Reflectance
from swath.source import MASK, Source
from swath.source_ref import Identity, SourceRef
from swath.stack.layers import layers_of
from swath.stack.periods import Period
from swath.stack.recipe import CompositeRecipe

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Composite:
    """One product of many sources.

    Args:
        tile: Name of its tile.
        grid: Grid of the tile.
        period: Period of its dates.
        recipe: Recipe of the composite.
        sources: Sources, ordered by (time, id).
        without: Sources that are left out, by their number, and why.
    """

    tile: str
    grid: Grid
    period: Period
    recipe: CompositeRecipe
    sources: tuple[Source, ...]
    without: Mapping[int, str]

    @property
    def product_id(self) -> str:
        """Its id: place, time, pipeline."""
        return self.identity.product_id

    @property
    def identity(self) -> Identity:
        """What names it."""
        return Identity(pipeline=self.recipe.name, tile=self.tile, period=self.period.name)

    @property
    def references(self) -> tuple[SourceRef, ...]:
        """What its item and the ledger say of each source, in order."""
        return tuple(
            SourceRef(
                scene_id=s.scene_id, href=s.source_href, acquired=s.acquired, title=s.scene_id, item=True,
                left_out=self.without.get(n, ""),
            )
            for n, s in enumerate(self.sources)
        )  # fmt: skip

    @property
    def collection(self) -> str:
        """Name of its collection."""
        return f"{self.recipe.name}-composite"

    @property
    def folder(self) -> str:
        """Where its files go, relative to the output: below the first day of the period."""
        return f"products/{self.collection}/{self.period.start:%Y/%m/%d}/{self.product_id}"

    @property
    def used(self) -> tuple[int, ...]:
        """Numbers of the sources that are not left out."""
        return tuple(n for n in range(len(self.sources)) if n not in self.without)

    @property
    def days(self) -> list[int]:
        """Day of each source, counted from 1970-01-01."""
        return [(s.acquired.astimezone(UTC).date() - _EPOCH).days for s in self.sources]

    @cached_property
    def layers(self) -> dict[str, LayerSpec]:
        """What it is written as."""
        return layers_of(self.recipe, grid=self.grid, bands={n: self.sources[0].assets[n].band for n in self.recipe.bands})

    @cached_property
    def stack_digest(self) -> str:
        """Digest of everything of the sources that goes into pixels, those left out too: the ledger knows by it what is there."""
        return digest_of([_digested(s, recipe=self.recipe) for s in self.sources])

    @cached_property
    def keys(self) -> dict[str, str]:
        """Asset keys."""
        stack = [_digested(self.sources[n], recipe=self.recipe) for n in self.used]
        common = {"chain": self.recipe.chain, "period": self.period.name, "grid": self.grid.to_plain(), "engine": ENGINE}
        common |= {"sources": digest_of(stack), "numbers": list(self.used)}
        return {n: digest_of({**common, **_written(spec)}) for n, spec in self.layers.items()}

    @property
    def product_key(self) -> str:
        """What is planned: the product is there when the ledger's latest version has this key."""
        return digest_of(replace(self, without={}).keys)

    def href(self, asset: str) -> str:
        """File name of an asset."""
        return f"{self.product_id}.{asset}.{self.keys[asset][:12]}.tif"

    def to_json(self) -> str:
        """For the place where workers find it."""
        period = [self.period.start.isoformat(), self.period.stop.isoformat()]
        plain = {
            "tile": self.tile, "grid": self.grid.to_plain(), "period": period, "recipe": self.recipe.to_plain(),
            "sources": [s.to_plain() for s in self.sources],
        }  # fmt: skip
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes, *, without: Mapping[int, str]) -> Self:
        """The inverse of ``to_json``."""
        plain: dict[str, Any] = json.loads(text)
        start, stop = (date.fromisoformat(day) for day in plain["period"])
        return cls(
            tile=plain["tile"],
            grid=Grid.from_plain(plain["grid"]),
            period=Period(start=start, stop=stop),
            recipe=CompositeRecipe.from_plain(plain["recipe"]),
            sources=tuple(Source.from_plain(s) for s in plain["sources"]),
            without=without,
        )


def _written(spec: LayerSpec) -> dict[str, Any]:
    return {"layer": spec.name, "encoding": asdict(spec.encoding), "title": spec.title}


def _digested(source: Source, *, recipe: CompositeRecipe) -> dict[str, Any]:
    """What of a source goes into pixels: never the location of its files."""
    masked = [MASK] if recipe.flags is not None else []
    assets = {name: _asset(source.assets[name]) for name in (*recipe.bands, *masked)}
    scored = {"off_nadir_deg": source.off_nadir_deg} if recipe.reducer == "best_pixel" else {}
    return {"id": source.scene_id, "order": source.order[0], "instrument": source.instrument, "assets": assets, **scored}


def _asset(asset: Asset) -> dict[str, Any]:
    scale = asset.calibration
    read = asdict(scale) if isinstance(scale, Reflectance) else {"scheme": getattr(scale, "scheme", "")}
    mask = None if asset.mask is None else asset.mask.digest or asset.mask.kind
    stored = None if asset.stored is None else asdict(asset.stored)
    return {
        "digest": asset.digest, "band_index": asset.band_index, "nodata": asset.nodata, "grid": asset.grid.to_plain(),
        "read": read, "mask": mask, "stored": stored,
    }  # fmt: skip


def in_order(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Each acquisition once, by its newest version, in the order of (time, id).

    Of versions that say the same time, or none, that with the later id counts.
    """
    newest: dict[str, Source] = {}
    for source in sorted(sources, key=lambda s: (s.processed, s.order)):
        newest[source.acquisition] = source
    return tuple(sorted(newest.values(), key=lambda s: s.order))
