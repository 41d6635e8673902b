"""From what a file holds to DN and validity: nodata, masks, residue of compression, whole numbers kept as floats."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.qa import fill_of
from swath.errors import ReadError
from swath.readers.pixels.header import RasterHeader
from swath.scene import Asset, Quality, Stored

#: Types that are DN's own.
DN_TYPES: Final = ("uint8", "uint16", "int16")
#: A byte band saturates there.
_BYTES_HIGHEST: Final = 255
#: Types that may hold whole numbers of ours.
_WIDER: Final = ("float32", "float64", "int32", "uint32", "int64", "uint64", "int8")


def dn_type(header: RasterHeader, *, nodata: float | None) -> str | None:
    """The type of the DN in a file: its own, or of a wider type the one that deliveries use; None for other types.

    Whether a wider type holds whole numbers only, the pixels tell when they are read.

    Args:
        header: Header of the file.
        nodata: The number that the file's description gives for no data; its sign tells signed DN.
    """
    if header.dtype in DN_TYPES:
        return header.dtype
    if header.dtype not in _WIDER:
        return None
    lowest = np.iinfo(np.int16).min
    return "int16" if nodata is not None and lowest <= nodata < 0 else "uint16"


def stored_of(header: RasterHeader, *, dtype: str, told: int | None = None) -> Stored | None:
    """How the file keeps DN of ``dtype``; None when that is its own type and its nodata is the one that is reported.

    A crop has a nodata of its own beside the delivery's: R writes 65535 where a uint16 band has none.

    Args:
        header: Header of the file.
        dtype: Data type of the DN.
        told: The DN of no data in the file's description; None when there is none, as for quality bands.
    """
    if header.dtype == dtype:
        return Stored(dtype=dtype, nodata=header.nodata) if _second_nodata(header, told=told) else None
    known = header.nodata is not None and np.isfinite(header.nodata)
    return Stored(dtype=header.dtype, nodata=header.nodata if known else None)


def _second_nodata(header: RasterHeader, *, told: int | None) -> bool:
    """Whether the file's nodata is another than the one told. On bytes and their copies 255 is a real DN."""
    if header.dtype not in ("uint16", "int16") or header.nodata is None or header.nodata == told:
        return False
    highest = np.iinfo(header.dtype).max
    return header.nodata == highest or (told is not None and 0 < header.nodata < highest and header.nodata != _BYTES_HIGHEST)


def delivered(
    values: NDArray[Any], *, asset: Asset, mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.integer], NDArray[np.bool_] | None]:
    """DN of an asset and where they are valid, each (y, x); validity is None when nothing in the file tells.

    Invalid pixels hold ``asset.nodata`` where there is such a number (a quality band's fill, for those), else 0 in files
    of another type: so that tables of DN know them.

    Args:
        values: Values as the file holds them; they may be changed.
        asset: Whose they are.
        mask: True where the file's mask says data; None without one.

    Raises:
        ReadError: A number in a file of another type is no DN.
    """
    if asset.stored is not None:
        mask, values = _unpacked(values, asset=asset, stored=asset.stored, mask=mask)
    valid = _by_number(values, asset=asset)
    if mask is not None:
        valid = mask if valid is None else valid & mask
    fill = _fill(asset)
    if fill is not None and valid is not None and (mask is not None or asset.residue is not None) and not valid.all():
        values[~valid] = fill
    return values, valid


def _by_number(values: NDArray[np.integer], *, asset: Asset) -> NDArray[np.bool_] | None:
    if asset.nodata is None:
        return None
    return np.asarray(values != asset.nodata if asset.residue is None else values > asset.residue)


def _fill(asset: Asset) -> int | None:
    return fill_of(asset.calibration.scheme) if isinstance(asset.calibration, Quality) else asset.nodata


def _unpacked(
    values: NDArray[Any], *, asset: Asset, stored: Stored, mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_], NDArray[np.integer]]:
    """Where there is data, and the DN; no data is 0 there."""
    there = np.isfinite(values)
    if stored.nodata is not None:
        # Of floats in the file's own precision: GDAL tells -3.4e+38 in double.
        there &= values != (values.dtype.type(stored.nodata) if values.dtype.kind == "f" else stored.nodata)
    if mask is not None:
        there &= mask
    limits = np.iinfo(asset.dtype)
    sound = (values >= limits.min) & (values <= limits.max) & (values == np.rint(values))
    if not (sound | ~there).all():
        first = values[there & ~sound].reshape(-1)[0]
        raise ReadError(
            f"band {asset.band.name} ({asset.band.native_id}) does not hold digital numbers",
            expected=f"whole numbers of {limits.min} to {limits.max}, NaN or the file's nodata where there is no data",
            got=f"{first:.10g} ({stored.dtype}) in {asset.href}",
            remedy="Give the digital numbers as delivered, not a computed reflectance.",
        )
    return there, np.where(there, values, 0).astype(asset.dtype)
