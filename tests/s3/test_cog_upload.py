"""A COG that strips write together as one multipart upload: the same bytes as the one that is joined on a disk."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from swath.engine.shared_uploads import ConflictError, Finishing, finish
from swath.grid import Grid
from swath.product import REFLECTANCE, Tally
from swath.readers.files.gdal_env import gdal_env
from swath.sinks.cog.assemble import CogTarget, Written, assemble, zero_bytes
from swath.sinks.cog.strip_part import PartManifest, PartWriter, rows_beyond
from swath.sinks.cog.upload import FIRST_STRIP, NoPlaceError, Places, _spans, places
from swath.sinks.cog.validate import problems_of
from swath.stores.parts import MIN_PART, StaleUploadError, UploadedPart
from swath.stores.s3 import S3Store

WIDTH = 4600
ROWS = 1024
PATH = "products/x.tif"


def _strip(number: int, *, empty: bool) -> Any:
    rng = np.random.default_rng(number)
    rows = rng.integers(0, 4000, (ROWS, WIDTH)).astype(np.int16)
    return np.full_like(rows, REFLECTANCE.nodata) if empty else rows


@dataclass
class Making:
    """One asset: which strips hold nothing but nodata, and where it goes."""

    store: S3Store
    local: Path
    empty: tuple[bool, ...]
    remade: int = 0
    attempt: int = 0

    def __post_init__(self) -> None:
        self.pixels = np.concatenate([_strip(n, empty=e) for n, e in enumerate(self.empty)])
        grid = Grid(crs="EPSG:32633", left=5e5, top=5e6, dx=10.0, dy=10.0, width=WIDTH, height=self.pixels.shape[0])
        self.target = CogTarget(grid=grid, encoding=REFLECTANCE, description="Red", tags={"SWATH_ASSET_KEY": "abc"})
        self.blobs: dict[str, bytes] = {}

    def strip(self, number: int, *, upload: Any = None) -> PartManifest:
        """What ``run_strip`` does with its pixels, in memory."""
        start, height = number * ROWS, self.pixels.shape[0]
        stop = start + ROWS
        file = io.BytesIO()
        writer = PartWriter(file, REFLECTANCE, size=self.pixels.shape, rows=(start, stop))
        writer.feed(self.pixels[start : stop + rows_beyond(height=height, width=WIDTH, row_stop=stop)])
        pieces = writer.close()
        tally = Tally(REFLECTANCE)
        tally.add(self.pixels[start:stop])
        self.attempt += 1
        part = PartManifest(
            asset="red", strip=number, href=f".scratch/red.{number}.{self.attempt}", bytes=file.tell(),
            statistics=tally.statistics(), pieces=pieces,
        )  # fmt: skip
        length, data = zero_bytes(part), file.getvalue()
        self.blobs[part.href] = data
        if upload is not None and length >= MIN_PART:
            sent = upload.put(FIRST_STRIP + number, io.BytesIO(data), length=length)
            pieces = tuple(p if p.level == 0 else replace(p, offset=p.offset - length) for p in pieces)
            part, data = replace(part, uploaded=sent, pieces=pieces), data[length:]
        self.store.write(part.href, data)
        return PartManifest.from_plain(part.to_plain())

    def joined(self) -> tuple[Written, bytes]:
        """The file as a local output gets it."""
        parts = [self.strip(n) for n in range(len(self.empty))]
        made = assemble(parts, self.target, open_part=lambda p: io.BytesIO(self.blobs[p.href]), output=self.local)
        return made, self.local.read_bytes()

    def remake(self) -> list[PartManifest]:
        self.remade += 1
        return [self.strip(n) for n in range(len(self.empty))]

    def finish(self, parts: list[PartManifest], *, upload_id: str) -> Written:
        self.attempt += 1
        job = Finishing(
            parts=parts, target=self.target, path=PATH, upload_id=upload_id, attempt=f"red.{self.attempt}", remake=self.remake
        )
        return finish(job, self.store, part_files=self.store)


@pytest.fixture
def making(bucket: Any, tmp_path: Path) -> Callable[..., Making]:
    return lambda *empty: Making(bucket.store(), tmp_path / "joined.tif", tuple(bool(e) for e in empty))


def _shared(asset: Making) -> tuple[list[PartManifest], str]:
    upload = asset.store.upload(PATH)
    return [asset.strip(n, upload=upload) for n in range(len(asset.empty))], upload.upload_id


@pytest.mark.parametrize(
    ("empty", "remade"),
    [
        pytest.param((0, 0, 0), 0, id="every strip is a part"),
        pytest.param((1, 0, 0, 1, 1), 0, id="small strips at both ends"),
        pytest.param((0, 1, 0), 1, id="a small strip between others"),
        pytest.param((0, 1, 1), 1, id="a front that is too small"),
        pytest.param((1, 1), 0, id="nothing but small strips"),
    ],
)
def test_the_object_is_the_file_that_is_joined_on_a_disk(bucket: Any, making: Any, empty: tuple[int, ...], remade: int) -> None:
    asset = making(*empty)
    wanted, data = asset.joined()
    parts, upload_id = _shared(asset)
    assert bucket.uploads() == [f"out/{PATH}"]
    made = asset.finish(parts, upload_id=upload_id)
    assert made == wanted
    assert asset.store.read(PATH) == data
    assert (asset.remade, bucket.uploads()) == (remade, [])


def test_gdal_and_rio_cogeo_accept_the_object(bucket: Any, making: Any, tmp_path: Path) -> None:
    asset = making(1, 0, 0, 0, 1)
    parts, upload_id = _shared(asset)
    made = asset.finish(parts, upload_id=upload_id)
    fetched = tmp_path / "fetched.tif"
    fetched.write_bytes(asset.store.read(PATH) or b"")
    assert cog_validate(str(fetched), strict=True)[:2] == (True, [])
    assert problems_of(fetched) == []
    path = asset.store.gdal_path(PATH)
    with gdal_env(path), rasterio.open(path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        np.testing.assert_array_equal(dataset.read(1), asset.pixels)
    assert made.statistics.count == asset.pixels.size


def test_the_header_is_sent_last_and_requests_are_few(bucket: Any, making: Any) -> None:
    asset = making(0, 0, 0)
    parts, upload_id = _shared(asset)
    bucket.asked()
    asset.finish(parts, upload_id=upload_id)
    numbers = [q for m, _, q in bucket.recorder.seen if m == "PUT" and "partNumber" in q]
    assert "partNumber=1&" in f"{numbers[-1]}&"
    # three scratch parts, and the object once for its digest
    assert bucket.asked() == {
        "GetObject": 4, "UploadPart": 1, "ListParts": 1, "CompleteMultipartUpload": 1,
    }  # fmt: skip


def test_a_strip_that_ran_twice_leaves_one_part(bucket: Any, making: Any) -> None:
    asset = making(0, 0, 0)
    wanted, _ = asset.joined()
    parts, upload_id = _shared(asset)
    again = asset.strip(1, upload=asset.store.upload(PATH, upload_id))
    assert again.uploaded == parts[1].uploaded
    assert again.href != parts[1].href
    assert asset.finish(parts, upload_id=upload_id) == wanted


def test_a_part_with_other_bytes_is_found_out_and_the_asset_made_again(bucket: Any, making: Any) -> None:
    asset = making(0, 0, 0)
    wanted, data = asset.joined()
    parts, upload_id = _shared(asset)
    sent = parts[1].uploaded
    assert sent is not None
    length = sent.bytes
    asset.store.upload(PATH, upload_id).put(FIRST_STRIP + 1, io.BytesIO(bytes(length)), length=length)
    assert asset.finish(parts, upload_id=upload_id) == wanted
    assert asset.store.read(PATH) == data
    assert (asset.remade, bucket.uploads()) == (1, [])


def test_an_etag_that_is_no_md5_is_taken_from_the_store(bucket: Any, making: Any) -> None:
    """As with encryption by a managed key: the store's ETag of a repeated part differs, its length does not."""
    asset = making(0, 0, 0)
    wanted, _ = asset.joined()
    parts, upload_id = _shared(asset)
    sent = parts[1].uploaded
    assert sent is not None
    told = replace(parts[1], uploaded=replace(sent, etag='"of-an-elder-attempt"'))
    assert asset.finish([parts[0], told, parts[2]], upload_id=upload_id) == wanted
    assert asset.remade == 0


@pytest.mark.parametrize("ended", ["completed", "aborted"])
def test_a_finalizer_that_runs_again_finds_its_file_or_makes_it(bucket: Any, making: Any, ended: str) -> None:
    asset = making(0, 0, 0)
    wanted, _ = asset.joined()
    parts, upload_id = _shared(asset)
    if ended == "completed":
        asset.finish(parts, upload_id=upload_id)
    else:
        asset.store.upload(PATH, upload_id).abort()
    assert asset.finish(parts, upload_id=upload_id) == wanted
    assert (asset.remade, bucket.uploads()) == (int(ended == "aborted"), [])


def test_two_runs_that_make_the_same_asset_leave_one_object(bucket: Any, making: Any) -> None:
    asset = making(0, 0, 0)
    both = [_shared(asset), _shared(asset)]
    made = [asset.finish(parts, upload_id=upload_id) for parts, upload_id in both]
    assert made[0] == made[1]
    assert (asset.remade, bucket.uploads()) == (0, [])


def test_another_object_of_the_same_key_is_a_conflict_and_stays(bucket: Any, making: Any) -> None:
    asset = making(0, 0, 0)
    asset.store.write(PATH, b"somebody else's")
    parts, upload_id = _shared(asset)
    with pytest.raises(ConflictError, match=r"asset of the same key is in the output.*15 bytes instead of"):
        asset.finish(parts, upload_id=upload_id)
    with pytest.raises(ConflictError, match="with other bytes"):
        asset.finish([asset.strip(n) for n in range(3)], upload_id="")
    assert asset.store.read(PATH) == b"somebody else's"
    assert bucket.uploads() == []


def test_an_upload_that_was_aborted_leaves_nothing(bucket: Any, making: Any) -> None:
    asset = making(0)
    upload = asset.store.upload(PATH)
    asset.strip(0, upload=upload)
    upload.abort()
    upload.abort()
    assert (bucket.uploads(), asset.store.size(PATH)) == ([], None)
    with pytest.raises(StaleUploadError, match="has ended"):
        asset.strip(0, upload=upload)


def _manifest(strip: int, *, uploaded: bool) -> PartManifest:
    sent = UploadedPart(number=FIRST_STRIP + strip, etag="e", bytes=1, md5="m") if uploaded else None
    return PartManifest(
        asset="x", strip=strip, href="", bytes=0, statistics=Tally(REFLECTANCE).statistics(), pieces=(), uploaded=sent
    )


@pytest.mark.parametrize("pattern", ["u", "suu", "uss", "ssuuss"])
def test_small_strips_travel_with_the_front_or_the_end(pattern: str) -> None:
    parts = [_manifest(n, uploaded=c == "u") for n, c in enumerate(pattern)]
    found = places(parts)
    assert found == Places(
        leading=tuple(parts[: pattern.index("u")]),
        uploaded=tuple(p for p in parts if p.uploaded),
        trailing=tuple(parts[pattern.rindex("u") + 1 :]),
    )


@pytest.mark.parametrize("pattern", ["", "s", "usu", "sususs"])
def test_a_small_strip_between_others_has_no_place(pattern: str) -> None:
    with pytest.raises(NoPlaceError, match="are parts"):
        places([_manifest(n, uploaded=c == "u") for n, c in enumerate(pattern)])


@pytest.mark.parametrize("length", [MIN_PART, 33 << 20, 64 << 20, 20 << 30])
def test_the_front_is_cut_into_legal_parts(length: int) -> None:
    found = list(_spans(length))
    assert len(found) < FIRST_STRIP
    assert [start for start, _ in found] == [0, *[stop for _, stop in found[:-1]]]
    assert found[-1][1] == length
    assert min(stop - start for start, stop in found) >= MIN_PART
