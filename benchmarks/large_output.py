"""Commands over many small scenes and over a large output: ``PYTHONPATH=lib python -m benchmarks.large_output [--commits N]``.

Makes 2,000 STAC items of 64 x 64 pixels and an output of one real run, to whose tables the ledger's own committer then
appends: 3,000 commits of one product in four tables, or a few commits of many products until the ledger has some 100 MB. Prints
wall and CPU seconds, and the peak of memory, of ``plan``, ``ingest`` and ``status``, each in a process of its own. With ``--demo
FOLDER`` (what ``swath demo`` left) it prints those of the questions that are asked of a small output instead.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from rasterio.transform import from_origin

from benchmarks.tree import Phase, watch_whole
from swath.ledger.delta import DeltaTables
from swath.ledger.rows import row_of
from swath.ledger.schemas import PRODUCTS, RUNS, SCENES, TILES
from swath.stores.local import LocalStore

BANDS: Final = ("blue", "green", "red", "nir")
SIDE_PX: Final = 64
#: Products of one commit of the ledger that is large in bytes, and of its commits.
MANY_PRODUCTS, MANY_COMMITS = 4_000, 25
_HEAD: Final = "| command | wall s | CPU s | peak MB |\n|---|---|---|---|"
_APPENDED: Final = {"scenes": SCENES, "tiles": TILES, "products": PRODUCTS, "runs": RUNS}


def write_items(folder: Path, *, number: int) -> None:
    """Write STAC items in folders of a hundred, each with four small GeoTIFFs of its own."""
    rasters = {name: _raster(folder / f"{name}.tif", level=level) for level, name in enumerate(BANDS, start=1)}
    for n in range(number):
        place = folder / f"{n // 100:03d}" / f"scene-{n:05d}"
        place.mkdir(parents=True)
        for name, data in rasters.items():
            (place / f"{name}.tif").write_bytes(data + f"{n:06d}".encode())  # a digest of its own
        (place / "item.json").write_text(json.dumps(_item(n)))


def _raster(path: Path, *, level: int) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(level).integers(1000 * level, 1000 * level + 500, (SIDE_PX, SIDE_PX)).astype("uint16")
    profile: dict[str, Any] = {"driver": "GTiff", "height": SIDE_PX, "width": SIDE_PX, "count": 1, "dtype": "uint16"}
    with rasterio.open(path, "w", crs="EPSG:32633", transform=from_origin(5e5, 5e6, 30, 30), **profile) as target:
        target.write(values, 1)
    data = path.read_bytes()
    path.unlink()
    return data


def _item(number: int) -> Mapping[str, Any]:
    assets = {
        name: {
            "href": f"./{name}.tif",
            "type": "image/tiff; application=geotiff",
            "bands": [{"name": name, "eo:common_name": name, "raster:scale": 1e-4}],
        }
        for name in BANDS
    }
    properties = {
        "datetime": f"2023-{number % 12 + 1:02d}-{number % 28 + 1:02d}T10:20:30Z", "platform": "bench-1", "swath:level": "L1",
        "view:sun_elevation": 50.0, "view:sun_azimuth": 150.0,
    }  # fmt: skip
    return {
        "type": "Feature", "stac_version": "1.1.0", "id": f"scene-{number:05d}", "geometry": None, "properties": properties,
        "links": [], "assets": assets,
    }  # fmt: skip


def grow(output: Path, *, commits: int, products: int) -> None:
    """Append to the tables of an output what ``commits`` waves of ``products`` products each leave.

    Args:
        output: Output of a run that made one product.
        commits: Commits of each table.
        products: Products of each commit.
    """
    tables = DeltaTables(None, LocalStore(output))
    seed = {name: tables.small(name, schema, columns=schema.names) or [] for name, schema in _APPENDED.items()}
    for commit in range(commits):
        run_id = f"20240101T000000-{commit:06d}"
        for name, schema in _APPENDED.items():
            made = [_varied(row, run_id=run_id, n=commit * products + k) for k in range(products) for row in seed[name][-4:]]
            rows = made[-1:] if name == "runs" else made
            tables.append(name, [row_of(schema, **row) for row in rows], schema=schema, run_id=run_id, wave=0)


def _varied(row: Mapping[str, Any], *, run_id: str, n: int) -> dict[str, Any]:
    told = {"run_id": run_id, "scene_id": f"grown-{n:07d}", "product_id": f"grown-{n:07d}.toa", "wave": 0}
    keys = {
        "product_key": f"{n:064x}",
        "digest": f"{n:064x}",
        "scene_digest": f"{n:064x}",
        "href": f"/data/grown-{n:07d}/item.json",
    }
    return {**{k: _plain(v) for k, v in row.items()}, **{k: v for k, v in (told | keys).items() if k in row}}


def _plain(value: Any) -> Any:
    """A value as tables take it: rows inside rows are tuples."""
    return [tuple(v.values()) if isinstance(v, dict) else v for v in value] if isinstance(value, list) else value


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _row(title: str, phase: Phase) -> str:
    return f"| {title} | {phase.wall_s:.1f} | {phase.cpu.total_s:.1f} | {phase.peak.other_mb + phase.peak.java_mb:.0f} |"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _measure(title: str, command: Sequence[str]) -> None:
    _say(_row(title, watch_whole(("swath.cli", *command))))


def main() -> None:
    """Make the outputs, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_output", description=__doc__)
    parser.add_argument("--commits", type=int, default=3_000)
    parser.add_argument("--scenes", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, help="keep what is made here, and use what an earlier run made")
    parser.add_argument(
        "--demo", type=Path, help="measure the questions that are asked of this output of swath demo, and no more"
    )
    options = parser.parse_args()
    if options.demo is not None:
        _questions(options.demo)
        return
    with tempfile.TemporaryDirectory(prefix="swath-large-") as scratch:
        _table(options.folder or Path(scratch), commits=options.commits, scenes=options.scenes)


def _questions(demo: Path) -> None:
    """Questions that should be answered within a second, or three where scenes are read."""
    inputs = ["--input", str(demo / "input" / "scenes"), "--output", str(demo)]
    _say(_HEAD)
    _measure("`status`", ["status", str(demo)])
    _measure("`report`", ["report", str(demo)])
    _measure("`validate` of a catalogue", ["validate", str(demo / "catalog.json")])
    _measure("`models list`", ["models", "list", "--output", str(demo)])
    _measure("`reconcile`", ["reconcile", str(demo)])
    _measure("`plan` of three scenes", ["plan", "toa", *inputs])
    _measure("`plan` of three scenes, with a model", ["plan", "ard", *inputs])


def prepare(root: Path, *, commits: int, scenes: int) -> None:
    """Make items and outputs where they are not there."""
    if not (root / "items").exists():
        write_items(root / "items", number=scenes)
    for name, (number, products) in {"commits": (commits, 1), "bytes": (MANY_COMMITS, MANY_PRODUCTS)}.items():
        if not (root / name).exists():
            one = str(root / "items" / "000" / "scene-00000" / "item.json")
            watch_whole(("swath.cli", "run", "toa", "--input", one, "--output", str(root / name)))
            grow(root / name, commits=number, products=products)


def _table(root: Path, *, commits: int, scenes: int) -> None:
    prepare(root, commits=commits, scenes=scenes)
    items = root / "items"
    half = [arg for n in range(scenes // 200) for arg in ("--input", str(items / f"{n:03d}"))]
    three = [arg for n in range(3) for arg in ("--input", str(items / "000" / f"scene-{n:05d}"))]
    _say(_HEAD)
    _measure(f"`plan` of {scenes // 2} items", ["plan", "toa", *half, "--output", str(root / "plan")])
    _measure(f"`ingest` of {scenes} items", ["ingest", "--input", str(items), "--output", str(root / "ingest")])
    for name, told in (("commits", f"{commits} commits"), ("bytes", f"{MANY_PRODUCTS * MANY_COMMITS} products")):
        size = f"{told}, {_bytes(root / name / 'tables') / 1e6:.0f} MB of tables"
        _measure(f"`status` of {size}", ["status", str(root / name)])
        _measure(f"`plan` of three items, {size}", ["plan", "toa", *three, "--output", str(root / name)])


if __name__ == "__main__":
    main()
