"""Whether a raster is all there: its length against what its own header says."""

from swath.errors import ReadError
from swath.readers.files.href import open_bytes
from swath.readers.pixels.tiff_extent import bytes_needed

#: Where the length of the file is in its header (MIL-STD-2500C, table A-1: FL, 12 digits).
_NITF_LENGTH = slice(342, 354)
_JP2_END = b"\xff\xd9"


def check_complete(href: str, *, driver: str, size: int, tail: bytes) -> None:
    """Refuse a file that stops early.

    The codestream is the last box of a delivered JPEG 2000; its end marker cannot occur inside it (ISO 15444-1,
    annex A.1 and B.10: bytes above 0xFF8F only start markers).

    Args:
        href: Address as ``gdal_href`` spells it.
        driver: GDAL's name of the format.
        size: Length of the file.
        tail: Its last bytes.

    Raises:
        ReadError: The file is shorter than it says, or no TIFF.
    """
    measure = {"GTiff": _tiff_bytes, "NITF": _nitf_bytes}.get(driver)
    needed = measure(href, size=size) if measure is not None else 0
    if needed > size or (driver == "JP2OpenJPEG" and _JP2_END not in tail):
        raise ReadError(
            "a raster is truncated",
            expected=f"{needed} bytes or more" if needed else "an end-of-codestream marker at its end",
            got=f"{href} of {size} bytes",
            remedy="Fetch the file again.",
        )


def _nitf_bytes(href: str, *, size: int) -> int:
    """The length of the file as its header says; one byte more than there are where the header is cut off."""
    with open_bytes(href) as file:
        said = file.read(_NITF_LENGTH.stop)[_NITF_LENGTH]
    return int(said) if said.isdigit() and len(said) == _NITF_LENGTH.stop - _NITF_LENGTH.start else size + 1


def _tiff_bytes(href: str, *, size: int) -> int:
    try:
        with open_bytes(href) as file:
            return bytes_needed(file)
    except ValueError as error:
        raise ReadError(
            "a raster is corrupt", expected="a TIFF", got=f"{href}: {error}", remedy="Fetch the file again."
        ) from error
    except ReadError:  # open_bytes turns the end of the file into "cannot be read"
        return size + 1
