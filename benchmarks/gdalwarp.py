"""``python -m benchmarks.gdalwarp OPTION... SOURCE TARGET``: gdalwarp of the GDAL that comes with rasterio; prints its CPU seconds.

The program is a shell around ``GDALWarp`` of GDAL's library, which wheels of rasterio carry without the program.
"""

import ctypes
import sys
from pathlib import Path
from time import process_time

import rasterio


def library() -> ctypes.CDLL:
    """GDAL as rasterio has loaded it.

    Raises:
        FileNotFoundError: rasterio is not from a wheel.
    """
    folder = Path(rasterio.__file__).parent.parent / "rasterio.libs"
    found = sorted(folder.glob("libgdal*"))
    if not found:
        msg = f"{folder}: expected libgdal of a wheel of rasterio; install rasterio from its wheel"
        raise FileNotFoundError(msg)
    gdal = ctypes.CDLL(str(found[0]))
    gdal.GDALOpenEx.restype = gdal.GDALWarpAppOptionsNew.restype = gdal.GDALWarp.restype = ctypes.c_void_p
    return gdal


def warp(source: str, target: str, *, options: list[str]) -> float:
    """CPU seconds of one warp, opening and closing its files included.

    Raises:
        RuntimeError: GDAL refuses; it has said why on stderr.
    """
    gdal = library()
    gdal.GDALAllRegister()
    words = (ctypes.c_char_p * (len(options) + 1))(*(o.encode() for o in options), None)
    since = process_time()
    image = ctypes.c_void_p(gdal.GDALOpenEx(source.encode(), 0, None, None, None))
    asked = ctypes.c_void_p(gdal.GDALWarpAppOptionsNew(words, None))
    failed = ctypes.c_int(0)
    made = gdal.GDALWarp(target.encode(), None, 1, (ctypes.c_void_p * 1)(image), asked, ctypes.byref(failed))
    if not made or failed.value:
        msg = f"gdalwarp {' '.join(options)} {source} {target}: failed"
        raise RuntimeError(msg)
    gdal.GDALClose(ctypes.c_void_p(made))
    return process_time() - since


if __name__ == "__main__":
    *_options, _source, _target = sys.argv[1:]
    with rasterio.Env():  # PROJ's tables are those of rasterio's wheel
        print(warp(_source, _target, options=_options))
