"""After the faults: is every scene accounted for exactly once, is every product whole, is anything left over."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.delta_log import rows_of

Json = dict[str, Any]
#: A run's own memory and what people read: no products.
_ASIDE = ("runs/", "reports/", "tables/", "outbox/")
_CATALOGUE = ("catalog.json", "collections/")


def broken_promises(output: Path, *, reference: Path, scenes: int, hostile: frozenset[str], runs: frozenset[str]) -> list[str]:
    """What is wrong with an output whose runs have ended; nothing, one hopes.

    Args:
        output: What was disturbed.
        reference: What the same scenes gave undisturbed.
        scenes: In the input.
        hostile: Hrefs that no run can make.
        runs: Ids of the runs that ended.
    """
    tables = {name: rows_of(output / "tables" / name) for name in ("products", "quarantine", "runs")}
    found = [f"run {r}: {w}" for r in sorted(runs) for w in _run(r, tables=tables, scenes=scenes)]
    made = {r["product_id"] for r in tables["products"]}
    items = {Path(p).stem: p for p in _items(output)}
    found += [f"product {p} has no item" for p in sorted(made - set(items))]
    found += [f"item {i} is in no ledger" for i in sorted(set(items) - made)]
    found += [f"{p}: {w}" for p in items.values() for w in _item(output / p)]
    found += list(_ledger_against_files(tables["products"], output))
    found += list(_different(output, reference))
    missing = hostile - {r["href"] for r in tables["quarantine"]}
    return [*found, *(f"hostile scene {m} is not in quarantine" for m in sorted(missing))]


def leftovers(output: Path) -> set[str]:
    """Files that belong to nothing: neither named by an item, nor of a table, a run, a report, the catalogue."""
    named = {str(p) for i in _items(output) for p in (Path(i), *(Path(i).parent / a for a in _hrefs(output / i)))}
    files = {p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file()}
    return {f for f in files - named if not _belongs(f)}


def untold(output: Path) -> set[str]:
    """Products that the outbox does not name, although nobody took anything out of it."""
    lines = [line for file in (output / "outbox").glob("*.ndjson") for line in file.read_text(encoding="utf-8").splitlines()]
    return {Path(i).stem for i in _items(output)} - {json.loads(line)["product_id"] for line in lines}


def _belongs(path: str) -> bool:
    """Whether a file that no item names has a place: Spark and Delta look after their own, hidden files included."""
    if path.startswith(("tables/", "runs/")) or path == ".lock":
        return True
    return path.startswith((*_ASIDE, *_CATALOGUE)) and not Path(path).name.startswith(".")


def _run(run_id: str, *, tables: dict[str, list[Json]], scenes: int) -> Iterator[str]:
    own = {name: [r for r in rows if r["run_id"] == run_id] for name, rows in tables.items()}
    for key, what in (("wave", "runs"), ("product_id", "products"), ("href", "quarantine")):
        # each attempt says that it began, in a row that is none of the waves
        twice = [k for k, n in Counter(r[key] for r in own[what] if what != "runs" or r["wave"] >= 0).items() if n > 1]
        if twice:
            yield f"{what} has {key} {twice} more than once"
    both = {r["scene_id"] for r in own["products"]} & {r["scene_id"] for r in own["quarantine"]}
    if both:
        yield f"made and in quarantine: {sorted(both)}"
    sums = {n: sum(r[n] for r in own["runs"]) for n in ("scenes_in", "made", "skipped", "quarantined")}
    if sums["scenes_in"] != scenes:
        yield f"{sums['scenes_in']} of {scenes} scenes accounted for"
    if sums["made"] + sums["skipped"] + sums["quarantined"] != scenes or not all(r["balanced"] for r in own["runs"]):
        yield f"does not balance: {sums}"
    if (len(own["products"]), len(own["quarantine"])) != (sums["made"], sums["quarantined"]):
        yield f"{len(own['products'])} products and {len(own['quarantine'])} refusals, but {sums}"


def _items(output: Path) -> list[str]:
    found = (output / "products").rglob("*.json")
    return sorted(p.relative_to(output).as_posix() for p in found if not p.name.startswith("."))


def _hrefs(item: Path) -> list[str]:
    return [str(a["href"]).removeprefix("./") for a in json.loads(item.read_bytes())["assets"].values()]


def _item(path: Path) -> Iterator[str]:
    item = json.loads(path.read_bytes())
    for name, asset in item["assets"].items():
        file = path.parent / asset["href"]
        if "file:checksum" not in asset:
            continue
        if not file.is_file():
            yield f"{name} is missing"
        elif file.stat().st_size != asset["file:size"]:
            yield f"{name} has {file.stat().st_size} bytes instead of {asset['file:size']}"
        elif "1220" + hashlib.sha256(file.read_bytes()).hexdigest() != asset["file:checksum"]:
            yield f"{name} is not what its checksum says"


def _ledger_against_files(products: list[Json], output: Path) -> Iterator[str]:
    latest: dict[str, Json] = {}
    for row in sorted(products, key=lambda r: r["made"]):
        latest[row["product_id"]] = row
    for row in latest.values():
        item = json.loads((output / row["item"]).read_bytes())
        for asset in row["assets"]:
            told = item["assets"].get(asset["name"], {})
            if (told.get("file:size"), told.get("file:checksum")) != (asset["bytes"], f"1220{asset['digest']}"):
                yield f"{row['product_id']}: ledger and item disagree about {asset['name']}"


def _different(output: Path, reference: Path) -> Iterator[str]:
    """Every file that the undisturbed run left, byte for byte."""
    for path in sorted(p for p in reference.rglob("*") if p.is_file()):
        name = path.relative_to(reference).as_posix()
        if name.startswith((*_ASIDE, ".")):
            continue
        other = output / name
        if not other.is_file():
            yield f"{name} is missing"
        elif other.read_bytes() != path.read_bytes():
            yield f"{name} differs from the undisturbed run"
