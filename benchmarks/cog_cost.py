"""What a COG costs: swath's sink against GDAL's COG driver, from the same arrays, in one process and one thread each.

``python -m benchmarks.cog_cost SIDE LEVEL OUTPUT FILE...`` is what one measurement runs.
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, BinaryIO

import numpy as np
import rasterio
from numpy.typing import NDArray

from benchmarks.scenes import BENCH, stac_scene
from benchmarks.tree import Phase, next_phase, watch

NODATA = -9999
STRIP_ROWS = 3072
#: CPU goals of issue 5, section 1: (bands, DEFLATE level) -> bound, goal.
GOALS = {(1, 6): (0.70, 0.60), (1, 1): (0.52, 0.45), (4, 6): (0.70, 0.70), (4, 1): (0.45, 0.45)}
SIDES = ("gdal", "gdal-one-file", "swath")


def bands_of(size: int) -> list[Path]:
    """Reflectance counts of the scene's bands as arrays on disk."""
    item = stac_scene(size)
    paths = []
    for source in sorted(item.parent.glob("*.tif")):
        path = BENCH / f"{source.stem}.npy"
        if not path.is_file():
            with rasterio.open(source) as opened:
                counts = opened.read(1).astype(np.int16)
            counts[counts == 0] = NODATA
            np.save(path, counts)
        paths.append(path)
    return paths


def measure(size: int, *, repeats: int, cases: Iterable[tuple[int, int]]) -> str:
    """Run all cases, each side in turn; a Markdown table."""
    files = [str(p) for p in bands_of(size)]
    output = BENCH / "cog"
    output.mkdir(exist_ok=True)
    lines = [
        f"COGs of {size} x {size} int16 from arrays in memory, one process, medians of {repeats} interleaved runs.", "",
        "| bands | DEFLATE | written by | CPU s | of GDAL | bound, goal | bytes, of GDAL | heap above the bare worker, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for bands, level in cases:
        sides = SIDES if bands > 1 else ("gdal", "swath")
        found: dict[str, list[tuple[Phase, float, int]]] = {side: [] for side in sides}
        for number in range(repeats):
            for side in sides if number % 2 == 0 else sides[::-1]:
                phases = watch(["benchmarks.cog_cost", side, str(level), str(output), *files[:bands]]).phases
                above = phases["write"].peak.heap_mb - phases["ready"].peak.heap_mb
                found[side].append((phases["write"], above, sum(f.stat().st_size for f in output.glob(f"{side}.*.tif"))))
        cpu = {side: median(p.cpu.total_s for p, _, _ in runs) for side, runs in found.items()}
        length = {side: runs[-1][2] for side, runs in found.items()}
        least = min(c for side, c in cpu.items() if side != "swath")
        for side in sides:
            goal = "{:.2f}, {:.2f}".format(*GOALS[bands, level]) if side == "swath" else ""
            heap = median(above for _, above, _ in found[side])
            share, size_share = cpu[side] / least, length[side] / length["gdal"]
            lines.append(
                f"| {bands} | {level} | {side} | {cpu[side]:.2f} | {share:.2f} | {goal} | {size_share:.3f} | {heap:.0f} |"
            )
    for file in output.iterdir():
        file.unlink()
    return "\n".join(lines)


def codecs(size: int) -> str:
    """Block codecs on the middle of a band: speed and size; a Markdown table."""
    from time import process_time  # noqa: PLC0415

    from imagecodecs import deflate_encode, delta_encode  # noqa: PLC0415
    from isal import isal_zlib  # noqa: PLC0415

    counts = np.load(bands_of(size)[0], mmap_mode="r")
    across = range(0, size - 512, 512)
    rows = min(size - 512, size // 2 // 512 * 512)
    blocks = [delta_encode(np.ascontiguousarray(counts[rows : rows + 512, c : c + 512]), axis=-1) for c in across]
    ways = {f"ISA-L {n}": lambda b, n=n: isal_zlib.compress(b, n) for n in (1, 2, 3)}
    ways |= {f"libdeflate {n}": lambda b, n=n: deflate_encode(b, level=n) for n in (1, 6, 7)}
    lines = ["| codec | CPU, x ISA-L 2 | bytes, x libdeflate 1 (GDAL's DEFLATE 1) |", "|---|---|---|"]
    spent: dict[str, list[float]] = {name: [] for name in ways}
    length = {name: sum(len(way(b)) for b in blocks) for name, way in ways.items()}
    for _ in range(5):
        for name, way in ways.items():
            since = process_time()
            for block in blocks:
                way(block)
            spent[name].append(process_time() - since)
    base = min(spent["ISA-L 2"])
    lines += [f"| {n} | {min(s) / base:.2f} | {length[n] / length['libdeflate 1']:.3f} |" for n, s in spent.items()]
    return "\n".join(lines)


def write_with_gdal(arrays: list[NDArray[np.int16]], output: Path, *, level: int, side: str) -> None:
    """GDAL's COG driver, from arrays."""
    height, width = arrays[0].shape
    groups = [arrays] if side == "gdal-one-file" else [[a] for a in arrays]
    for number, group in enumerate(groups):
        with rasterio.open(
            output / f"{side}.{number}.tif", "w", driver="COG", height=height, width=width, count=len(group), dtype="int16",
            nodata=NODATA, crs="EPSG:32633", transform=rasterio.Affine(10, 0, 399960, 0, -10, 6000000), blocksize=512,
            compress="DEFLATE", level=level, predictor="YES", overview_resampling="AVERAGE", statistics="YES", num_threads=1,
            interleave="PIXEL",
        ) as target:  # fmt: skip
            for index, array in enumerate(group, start=1):
                target.write(array, index)


def write_with_swath(arrays: list[NDArray[np.int16]], output: Path, *, level: int) -> None:
    """Strips, statistics, then the file: what tasks do, here one after the other."""
    from swath.grid import Grid  # noqa: PLC0415
    from swath.product import REFLECTANCE  # noqa: PLC0415
    from swath.sinks.cog.assemble import CogTarget, assemble  # noqa: PLC0415

    height, width = arrays[0].shape
    encoding = replace(REFLECTANCE, compression_level=level)
    grid = Grid(crs="EPSG:32633", left=399960.0, top=6000000.0, dx=10.0, dy=10.0, width=width, height=height)
    target = CogTarget(grid=grid, encoding=encoding, description="red", tags={})
    for number, array in enumerate(arrays):
        parts = [
            _part(array, output / f"part.{number}.{strip}", encoding=encoding, strip=strip)
            for strip in range(-(-height // STRIP_ROWS))
        ]
        assemble(parts, target, open_part=_opened, output=output / f"swath.{number}.tif")
        for part in parts:
            Path(part.href).unlink()


def _opened(part: Any) -> BinaryIO:
    return Path(part.href).open("rb")


def _part(array: NDArray[np.int16], path: Path, *, encoding: Any, strip: int) -> Any:
    from swath.engine.cut import PIECE  # noqa: PLC0415
    from swath.product import Tally  # noqa: PLC0415
    from swath.sinks.cog.strip_part import PartManifest, PartWriter, rows_beyond  # noqa: PLC0415

    height, width = array.shape
    start, stop = strip * STRIP_ROWS, min((strip + 1) * STRIP_ROWS, height)
    tally = Tally(encoding)
    with path.open("w+b") as file:
        writer = PartWriter(file, encoding, size=(height, width), rows=(start, stop))
        for row in range(start, stop, PIECE[0]):
            for col in range(0, width, PIECE[1]):
                piece = np.ascontiguousarray(array[row : min(row + PIECE[0], stop), col : col + PIECE[1]])
                writer.feed(piece, col=col)
                tally.add(piece)
        beyond = rows_beyond(height=height, width=width, row_stop=stop)
        if beyond:
            writer.feed(np.ascontiguousarray(array[stop : stop + beyond]))
        pieces = writer.close()
        length = file.tell()
    return PartManifest(asset="red", strip=strip, href=str(path), bytes=length, statistics=tally.statistics(), pieces=pieces)


def main(side: str, level: str, *, output: str, files: list[str]) -> None:
    """One measurement."""
    import swath.sinks.cog.assemble  # noqa: F401, PLC0415 (the bare worker has its imports done)

    # GDAL takes arrays in memory; strips read theirs piece by piece, as tasks do.
    arrays = [np.load(f, mmap_mode="r" if side == "swath" else None) for f in files]
    Path(output).mkdir(exist_ok=True)
    for old in Path(output).glob(f"{side}.*"):
        old.unlink()
    next_phase("ready")
    sum(int(a[:: a.shape[0] - 1].sum()) for a in arrays)
    next_phase("write")
    if side == "swath":
        write_with_swath(arrays, Path(output), level=int(level))
    else:
        write_with_gdal(arrays, Path(output), level=int(level), side=side)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], output=sys.argv[3], files=sys.argv[4:])
