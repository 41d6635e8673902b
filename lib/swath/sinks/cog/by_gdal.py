"""The same cloud-optimised GeoTIFF by GDAL's own COG driver: a second implementation to test ours against, and a fallback."""

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np
import rasterio
from imagecodecs import delta_decode, zlib_decode
from numpy.typing import NDArray
from rasterio.shutil import copy
from rasterio.transform import Affine
from rasterio.windows import Window

from swath.algo.overviews import BLOCK
from swath.product import Encoding, Statistics
from swath.sinks.cog.assemble import CogTarget, OpenPart, Written, in_order
from swath.sinks.cog.part_level import Piece
from swath.sinks.cog.strip_part import PartManifest
from swath.sinks.cog.tiff import describe

_CHUNK = 8 << 20


def assemble_with_gdal(parts: list[PartManifest], target: CogTarget, *, open_part: OpenPart, output: Path) -> Written:
    """Write the COG of one asset: decode every part, then let GDAL compress, reduce and lay out.

    Args:
        parts: One manifest a strip, any order.
        target: Header and tags of the file.
        open_part: Opens a part file for reading.
        output: The file to write; a temporary file of the uncompressed pixels is beside it meanwhile.

    Returns:
        Size, sha256 and statistics of the file. Pixels of all levels equal those of ``assemble``; bytes do not.

    Raises:
        ValueError: A strip is missing or given twice, or a part ends early.
    """
    parts = in_order(parts, height=target.grid.height)
    statistics = sum((p.statistics for p in parts), Statistics())
    plain = output.with_name(f"{output.name}.plain")
    try:
        _write_plain(parts, target, open_part=open_part, output=plain, statistics=statistics)
        _copy_as_cog(plain, output, encoding=target.encoding)
    finally:
        plain.unlink(missing_ok=True)
    digest = hashlib.sha256()
    with output.open("rb") as file:
        while data := file.read(_CHUNK):
            digest.update(data)
    return Written(bytes=output.stat().st_size, digest=digest.hexdigest(), statistics=statistics)


def _write_plain(
    parts: list[PartManifest], target: CogTarget, *, open_part: OpenPart, output: Path, statistics: Statistics
) -> None:
    grid, encoding = target.grid, target.encoding
    with ExitStack() as stack:
        dataset = stack.enter_context(
            rasterio.open(
                output, "w", driver="GTiff", height=grid.height, width=grid.width, count=1, dtype=encoding.dtype,
                nodata=encoding.nodata, crs=rasterio.CRS.from_user_input(grid.crs), transform=Affine(*grid.transform),
                tiled=True, blockxsize=BLOCK, blockysize=BLOCK, bigtiff="IF_SAFER",
                photometric="PALETTE" if encoding.categories else "MINISBLACK",
            )
        )  # fmt: skip
        describe(dataset, encoding, statistics=statistics, description=target.description, tags=target.tags)
        for part in parts:
            file = stack.enter_context(open_part(part))
            for piece in part.pieces:
                if piece.level == 0:
                    rows = decode_rows(piece, file, width=grid.width, encoding=encoding)
                    dataset.write(rows, 1, window=Window(0, piece.row, grid.width, piece.rows))


def _copy_as_cog(plain: Path, output: Path, *, encoding: Encoding) -> None:
    copy(
        plain, output, driver="COG", blocksize=BLOCK, compress="DEFLATE", level=encoding.compression_level,
        predictor="YES" if encoding.predictor == 2 else "NO", overview_resampling=encoding.overviews.upper(),
        bigtiff="IF_SAFER", num_threads=1,
    )  # fmt: skip


def decode_rows(piece: Piece, file: BinaryIO, *, width: int, encoding: Encoding) -> NDArray[np.integer]:
    """Pixels of a piece of encoded blocks, (rows, width).

    Raises:
        ValueError: The part ends early.
    """
    file.seek(piece.offset)
    data = file.read(piece.length)
    if len(data) != piece.length:
        msg = f"a part ends {piece.length - len(data)} bytes early"
        raise ValueError(msg)
    blocks, at = [], 0
    for size in piece.sizes:
        block = np.frombuffer(zlib_decode(data[at + 4 : at + 4 + size]), dtype=encoding.dtype).reshape(BLOCK, BLOCK)
        blocks.append(delta_decode(block, axis=-1) if encoding.predictor == 2 else block)
        at += size + 8
    return np.concatenate(blocks, axis=1)[: piece.rows, :width]
