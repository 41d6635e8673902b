"""Make composites again that lack sources, or were refused: with the recipe, inputs and periods of their first run."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from swath.composites.request import CompositeRequest
from swath.errors import ConfigError
from swath.plain import canonical
from swath.readers.gate.terms import Terms
from swath.redaction import HIDDEN
from swath.runs.retry import Failed, numbered
from swath.stack.periods import Period
from swath.stack.recipe import CompositeRecipe
from swath.stores.base import Store


def find_composite_retries(rows: Sequence[Failed], store: Store, *, run_id: str, after: int = 0) -> list[CompositeRequest]:
    """One run for each specification of a run of composites that the rows were refused under.

    Args:
        rows: Rows that ``runs.retry.failed`` found; scenes among them are ignored.
        store: The output.
        run_id: Id that the first retry has.
        after: Number of retries before these, which have that id and numbers behind it.

    Raises:
        ConfigError: An input was recorded without its signature.
    """
    found: dict[str, tuple[Failed, list[str]]] = {}
    for row in rows:
        if "composite" in row.spec:
            found.setdefault(canonical(dict(row.spec)), (row, []))[1].append(row.scene_id)
    return [
        _request(row, store, again=ids, run_id=numbered(run_id, after + number))
        for number, (row, ids) in enumerate(found.values())
    ]


def _request(row: Failed, store: Store, *, again: Sequence[str], run_id: str) -> CompositeRequest:
    spec = row.spec
    hidden = [href for href in spec["inputs"] if HIDDEN in href]
    if hidden:
        msg = (
            f"{hidden[0]}: the run recorded this input without its query, which may be a secret; expected an input that can be"
            f" read again; run swath composite {spec['composite']['name']} with its inputs again"
        )
        raise ConfigError(msg)
    return CompositeRequest(
        run_id=run_id,
        recipe=CompositeRecipe.from_plain(spec["composite"]),
        inputs=tuple(spec["inputs"]),
        output=store.root,
        periods=tuple(_period(plain) for plain in spec["periods"]),
        aoi=spec["aoi"],
        strict=spec["strict"],
        strip_rows=spec["strip_rows"],
        site=row.site,
        terms=Terms.from_plain(spec.get("terms")),
        again=frozenset(again),
    )


def _period(plain: Any) -> Period:
    start, stop = (date.fromisoformat(day) for day in plain)
    return Period(start=start, stop=stop)
