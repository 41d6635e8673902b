"""The same COG as one multipart upload: strips sent their own level 0, the rest is sent here, and the header last.

A part number represents a place in the file: 1 to 99 the front (header, overviews, leading strips that were too small
for a part of their own), 100 + i strip i, and after the last strip the small ones at the end.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from swath.product import Statistics
from swath.sinks.cog.assemble import CogTarget, OpenPart, front_of, in_order, zero_bytes
from swath.sinks.cog.strip_part import PartManifest
from swath.stores.parts import MIN_PART, SharedUpload, UploadedPart, UploadEndedError

#: Part number of strip 0.
FIRST_STRIP = 100
#: The front travels in parts of about this size.
_FRONT_PART = 32 << 20


class NoPlaceError(Exception):
    """The strips do not make legal parts: one that was too small for a part is between others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the object is.

    Args:
        bytes: Length.
        statistics: Over all pixels.
    """

    bytes: int
    statistics: Statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where each strip's level 0 goes.

    Args:
        leading: Strips that travel with the front.
        uploaded: Strips that are parts already.
        trailing: Strips that make the last part.
    """

    leading: tuple[PartManifest, ...]
    uploaded: tuple[PartManifest, ...]
    trailing: tuple[PartManifest, ...]


def places(parts: list[PartManifest]) -> Places:
    """Find each strip's place.

    Args:
        parts: Parts, in the order of their strips.

    Raises:
        NoPlaceError: A strip without a part is between strips with one, or none has one.
    """
    sent = [p.strip for p in parts if p.uploaded is not None]
    if not sent or any(p.uploaded is None for p in parts[sent[0] : sent[-1] + 1]):
        msg = f"of {len(parts)} strips {sent} are parts"
        raise NoPlaceError(msg)
    return Places(
        leading=tuple(parts[: sent[0]]), uploaded=tuple(parts[sent[0] : sent[-1] + 1]), trailing=tuple(parts[sent[-1] + 1 :])
    )


def send(parts: list[PartManifest], target: CogTarget, *, open_part: OpenPart, upload: SharedUpload, scratch: Path) -> Sent:
    """Complete the upload of an asset.

    Args:
        parts: One manifest a strip, any order.
        target: Header and tags of the file.
        open_part: Opens a part file: everything of a strip that is not in the upload.
        upload: Upload that the strips sent their parts to.
        scratch: A folder for the front in the making.

    Raises:
        NoPlaceError: The strips do not make legal parts; nothing was completed.
        StaleUploadError: The store holds other parts than the strips reported; nothing was completed.
        ValueError: A strip is missing or given twice, or a part ends early.
    """
    parts = in_order(parts, height=target.grid.height)
    found = places(parts)
    with ExitStack() as stack:
        files = {p.strip: stack.enter_context(open_part(p)) for p in parts}
        front = front_of(parts, [files[p.strip] for p in parts], target=target)
        file = stack.enter_context(tempfile.TemporaryFile(dir=scratch))
        file.writelines(front.pieces)
        for part in found.leading:
            _append(file, files[part.strip], part=part)
        front_bytes = file.tell()
        if front_bytes < MIN_PART:
            msg = f"the front has {front_bytes} bytes"
            raise NoPlaceError(msg)
        done = [p.uploaded for p in found.uploaded if p.uploaded is not None]
        # A second try after the object was completed finds the upload gone, which ``complete`` looks into.
        with suppress(UploadEndedError):
            done += _send_trailing(found.trailing, files, upload=upload, scratch=scratch)
            # The header goes last: before it, nothing in the store could be taken for the file.
            for number, (start, stop) in reversed(list(enumerate(_spans(front_bytes), start=1))):
                file.seek(start)
                done.append(upload.put(number, file, length=stop - start))
        upload.complete(done)
    length = front_bytes + sum(zero_bytes(p) for p in (*found.uploaded, *found.trailing))
    return Sent(bytes=length, statistics=front.statistics)


def _send_trailing(
    parts: tuple[PartManifest, ...], files: dict[int, BinaryIO], *, upload: SharedUpload, scratch: Path
) -> Iterator[UploadedPart]:
    if not parts:
        return
    with tempfile.TemporaryFile(dir=scratch) as file:
        for part in parts:
            _append(file, files[part.strip], part=part)
        length = file.tell()
        file.seek(0)
        yield upload.put(FIRST_STRIP + parts[0].strip, file, length=length)


def _append(out: BinaryIO, file: BinaryIO, *, part: PartManifest) -> None:
    """Append a strip's level 0, which is at the beginning of its part file."""
    before, wanted = out.tell(), zero_bytes(part)
    file.seek(0)
    while (left := wanted - (out.tell() - before)) and (data := file.read(min(left, 1 << 20))):
        out.write(data)
    if out.tell() - before != wanted:
        msg = f"the part of strip {part.strip} ends early"
        raise ValueError(msg)


def _spans(length: int) -> Iterator[tuple[int, int]]:
    """Cut the front into parts, none smaller than S3 allows, and few enough for their numbers."""
    number = min(max(length // _FRONT_PART, 1), FIRST_STRIP - 1)
    size = length // number
    for n in range(number):
        yield n * size, (n + 1) * size if n + 1 < number else length
