"""Our COG against GDAL's COG driver, against itself cut otherwise, and against broken parts."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rio_cogeo.cogeo import cog_validate

from swath.algo.overviews import level_sizes
from swath.product import REFLECTANCE, Encoding
from swath.sinks.cog import assemble as cog
from swath.sinks.cog import tiff
from swath.sinks.cog.assemble import assemble
from swath.sinks.cog.by_gdal import assemble_with_gdal
from swath.sinks.cog.tiff import parse
from swath.sinks.cog.validate import problems_of

#: Even and odd, one to four levels; the overviews' own tests go through more types and larger sizes.
SIZES = [(1811, 1081), (1098, 1098), (513, 600), (300, 300), (3001, 600)]
#: What each implementation lays out for itself: sizes of blocks and where they are; and GDAL_METADATA, compared as a mapping.
LAID_OUT = {324, 325, 42112}


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_pixels_of_every_level_equal_those_of_gdals_driver(
    cogs: Any, encoding: Encoding, size: tuple[int, int], tmp_path: Path
) -> None:
    stored = cogs.pixels(*size, encoding=encoding)
    cogs.write(stored, encoding, output=tmp_path / "ours.tif", strip_rows=1024)
    ours = cogs.levels(tmp_path / "ours.tif")
    theirs = cogs.levels(cogs.by_gdal(stored, encoding, output=tmp_path / "gdal.tif"))
    np.testing.assert_array_equal(ours[0], stored)
    assert [o.shape for o in ours] == [t.shape for t in theirs] == [size, *level_sizes(*size)]
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(our, their)


def test_the_file_is_a_valid_cog_with_gdals_layout(cogs: Any, encoding: Encoding, tmp_path: Path) -> None:
    stored = cogs.pixels(1811, 681, encoding=encoding)
    file = tmp_path / "ours.tif"
    cogs.write(stored, encoding, output=file, strip_rows=512)
    valid, errors, warnings = cog_validate(file, strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])
    assert problems_of(file) == []
    with rasterio.open(file) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.block_shapes == [(512, 512)]


def test_tags_equal_those_that_gdal_writes_for_the_profile(cogs: Any, encoding: Encoding, tmp_path: Path) -> None:
    stored = cogs.pixels(1098, 1098, encoding=encoding)
    ours, theirs = tmp_path / "ours.tif", tmp_path / "gdal.tif"
    cogs.write(stored, encoding, output=ours, strip_rows=512)
    cogs.by_gdal(stored, encoding, output=theirs, statistics="YES")
    ours_tags, their_tags = ({t.code: t for t in parse(f.read_bytes())} for f in (ours, theirs))
    assert ours_tags.keys() == their_tags.keys()
    for code in ours_tags.keys() - LAID_OUT:
        assert _number(ours_tags[code]) == _number(their_tags[code]), code
    with rasterio.open(ours) as our, rasterio.open(theirs) as their:
        assert our.profile == their.profile
        assert our.tags() == their.tags()
        assert (our.scales, our.offsets, our.units, our.descriptions) == (
            their.scales, their.offsets, their.units, their.descriptions,
        )  # fmt: skip
        if encoding.categories:
            assert our.colormap(1) == their.colormap(1)
        got, expected = our.tags(1), their.tags(1)
        assert got.keys() == expected.keys()
        for name in expected:
            assert float(got[name]) == pytest.approx(float(expected[name]), rel=1e-12), name


def _number(tag: Any) -> Any:
    """A tag's meaning: GDAL may keep a small count in a shorter type than we do."""
    if tag.kind in {3, 4, 16}:
        return np.frombuffer(tag.value, dtype={3: "<u2", 4: "<u4", 16: "<u8"}[tag.kind]).tolist()
    return tag.kind, tag.value


def test_bytes_do_not_depend_on_the_strip_height(cogs: Any, encoding: Encoding, tmp_path: Path) -> None:
    stored = cogs.pixels(2111, 600, encoding=encoding)
    digests = {
        rows: cogs.write(stored, encoding, output=tmp_path / f"{rows}.tif", strip_rows=rows).digest for rows in (512, 1024, 2560)
    }
    assert len(set(digests.values())) == 1
    assert (tmp_path / "512.tif").read_bytes() == (tmp_path / "2560.tif").read_bytes()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(500, 1700),
    width=st.integers(1, 700),
    blocks=st.integers(1, 3),
    feeds=st.lists(st.integers(1, 900), max_size=12),
)
def test_bytes_do_not_depend_on_strips_and_feeding(
    cogs: Any, tmp_path: Path, height: int, width: int, blocks: int, feeds: list[int]
) -> None:
    stored = cogs.pixels(height, width, encoding=REFLECTANCE, seed=height)
    whole = cogs.write(stored, REFLECTANCE, output=tmp_path / "whole.tif", strip_rows=2048, feeds=[4096])
    cut = cogs.write(stored, REFLECTANCE, output=tmp_path / "cut.tif", strip_rows=512 * blocks, feeds=[*feeds, 64])
    assert cut == whole


def test_an_odd_height_of_the_scene_gives_statistics_of_its_own_rows_only(cogs: Any, tmp_path: Path) -> None:
    stored = cogs.pixels(1331, 700, encoding=REFLECTANCE)
    written = cogs.write(stored, REFLECTANCE, output=tmp_path / "x.tif", strip_rows=512)
    valid = stored[stored != -9999].astype(np.int64)
    assert (written.statistics.count, written.statistics.valid) == (stored.size, valid.size)
    assert (written.statistics.total, written.statistics.squares) == (valid.sum(), (valid**2).sum())


def test_a_scene_without_any_valid_pixel_is_a_valid_file(cogs: Any, tmp_path: Path) -> None:
    stored = np.full((1100, 900), -9999, dtype=np.int16)
    cogs.write(stored, REFLECTANCE, output=tmp_path / "x.tif", strip_rows=512)
    assert problems_of(tmp_path / "x.tif") == []
    assert all((level == -9999).all() for level in cogs.levels(tmp_path / "x.tif"))


def test_files_beyond_classic_tiff_become_bigtiff(
    cogs: Any, encoding: Encoding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = cogs.pixels(1111, 700, encoding=encoding)
    cogs.write(stored, encoding, output=tmp_path / "classic.tif", strip_rows=1024)
    monkeypatch.setattr(cog, "CLASSIC_LIMIT", 1000)
    cogs.write(stored, encoding, output=tmp_path / "big.tif", strip_rows=1024)
    assert (tmp_path / "classic.tif").read_bytes()[2] == 42
    assert (tmp_path / "big.tif").read_bytes()[2] == 43
    assert problems_of(tmp_path / "big.tif") == []
    for classic, big in zip(cogs.levels(tmp_path / "classic.tif"), cogs.levels(tmp_path / "big.tif"), strict=True):
        np.testing.assert_array_equal(classic, big)


def test_a_header_with_long_tables_counts_towards_the_classic_limit() -> None:
    # 33,000 blocks of 130 kB are 60 kB short of 4 GiB, but their tables take another 264 kB.
    sizes = np.full(33_000, (2**32 - 2**16 - 2_000) // 33_000 - 8, dtype=np.uint32)
    level = tiff.TiffLevel(height=512, width=512 * sizes.size, sizes=sizes)
    assert level.framed_bytes < tiff.CLASSIC_LIMIT
    assert level.framed_bytes + level.table_bytes > tiff.CLASSIC_LIMIT
    head = tiff.header((), (level,), big=True)
    offsets = next(t for t in parse(head) if t.code == 324).value
    assert struct.unpack("<Q", offsets[-8:])[0] == len(head) + level.framed_bytes - int(sizes[-1]) - 4


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_missing_strip_is_refused(cogs: Any, tmp_path: Path, lost: int) -> None:
    stored = cogs.pixels(1500, 400, encoding=REFLECTANCE)
    parts = cogs.parts(stored, REFLECTANCE, strip_rows=512)
    kept = [p for p in parts.manifests if p.strip != lost]
    with pytest.raises(ValueError, match=r"do not make an asset|missing or given twice"):
        assemble(kept, cogs.target(stored, REFLECTANCE), open_part=parts.open, output=tmp_path / "x.tif")


def test_a_strip_given_twice_is_refused(cogs: Any, tmp_path: Path) -> None:
    stored = cogs.pixels(1500, 400, encoding=REFLECTANCE)
    parts = cogs.parts(stored, REFLECTANCE, strip_rows=512)
    target = cogs.target(stored, REFLECTANCE)
    with pytest.raises(ValueError, match="do not make an asset"):
        assemble([*parts.manifests, parts.manifests[1]], target, open_part=parts.open, output=tmp_path / "x.tif")
    renumbered = [*parts.manifests, replace(parts.manifests[1], strip=3)]
    with pytest.raises(ValueError, match="missing or given twice"):
        assemble(renumbered, target, open_part=parts.open, output=tmp_path / "x.tif")


def test_strips_of_another_cut_are_refused(cogs: Any, tmp_path: Path) -> None:
    stored = cogs.pixels(1500, 400, encoding=REFLECTANCE)
    small, large = (cogs.parts(stored, REFLECTANCE, strip_rows=rows) for rows in (512, 1024))
    mixed = [small.manifests[0], large.manifests[1]]
    with pytest.raises(ValueError, match="missing or given twice"):
        assemble(mixed, cogs.target(stored, REFLECTANCE), open_part=small.open, output=tmp_path / "x.tif")


@pytest.mark.parametrize("implementation", [assemble, assemble_with_gdal])
def test_a_truncated_part_is_refused_wherever_it_ends(cogs: Any, tmp_path: Path, implementation: Any) -> None:
    stored = cogs.pixels(1500, 1400, encoding=REFLECTANCE)
    parts = cogs.parts(stored, REFLECTANCE, strip_rows=512)
    zero = sum(p.length for p in parts.manifests[1].pieces if p.level == 0)
    whole = parts.files["part-1"]
    assert len(whole) > zero
    # GDAL reads level 0 alone: it makes the overviews itself.
    for keep in (0, 100, zero - 1) if implementation is assemble_with_gdal else (0, 100, zero - 1, zero, len(whole) - 1):
        parts.files["part-1"] = whole[:keep]
        with pytest.raises(ValueError, match="bytes early"):
            implementation(parts.manifests, cogs.target(stored, REFLECTANCE), open_part=parts.open, output=tmp_path / "x.tif")


def test_a_strip_without_all_its_rows_is_not_closed(cogs: Any) -> None:
    stored = cogs.pixels(1024, 400, encoding=REFLECTANCE)
    from swath.sinks.cog.strip_part import PartWriter  # noqa: PLC0415

    with open("/dev/null", "wb") as nowhere:  # noqa: PTH123
        writer = PartWriter(nowhere, REFLECTANCE, size=(1024, 400), rows=(512, 1024))
        writer.feed(stored[512:900])
        with pytest.raises(ValueError, match="level 0 has rows up to 900 of 1024"):
            writer.close()


@pytest.mark.parametrize("size", [(1111, 900), (1024, 1536), (300, 300)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_gdals_driver_as_the_sink_makes_the_same_pixels(
    cogs: Any, encoding: Encoding, size: tuple[int, int], tmp_path: Path
) -> None:
    stored = cogs.pixels(*size, encoding=encoding)
    parts = cogs.parts(stored, encoding, strip_rows=512)
    target = cogs.target(stored, encoding)
    ours = assemble(parts.manifests, target, open_part=parts.open, output=tmp_path / "ours.tif")
    theirs = assemble_with_gdal(parts.manifests, target, open_part=parts.open, output=tmp_path / "gdal.tif")
    assert theirs.statistics == ours.statistics
    assert theirs.bytes == (tmp_path / "gdal.tif").stat().st_size
    assert problems_of(tmp_path / "gdal.tif") == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["gdal.tif", "ours.tif"]
    for our, their in zip(cogs.levels(tmp_path / "ours.tif"), cogs.levels(tmp_path / "gdal.tif"), strict=True):
        np.testing.assert_array_equal(our, their)
    with rasterio.open(tmp_path / "ours.tif") as our, rasterio.open(tmp_path / "gdal.tif") as their:
        assert (our.profile, our.tags(), our.tags(1)) == (their.profile, their.tags(), their.tags(1))


@pytest.mark.parametrize("damage", [b"\xff" * 1000, bytes(1000)], ids=["no-stream", "another-stream"])
def test_a_damaged_file_is_told_by_the_validator(cogs: Any, tmp_path: Path, damage: bytes) -> None:
    # GDAL decodes the second one without a word, to other pixels: it never looks at a block's checksum.
    stored = cogs.pixels(1100, 900, encoding=REFLECTANCE)
    file = tmp_path / "x.tif"
    cogs.write(stored, REFLECTANCE, output=file, strip_rows=512)
    data = bytearray(file.read_bytes())
    data[-40_000:-39_000] = damage
    file.write_bytes(data)
    assert any("cannot be read" in p for p in problems_of(file))


def test_a_plain_tiff_is_no_cog(tmp_path: Path) -> None:
    with rasterio.open(tmp_path / "x.tif", "w", driver="GTiff", width=900, height=900, count=1, dtype="uint8", crs="EPSG:32633",
                       transform=rasterio.Affine(30, 0, 0, 0, -30, 0)) as dataset:  # fmt: skip
        dataset.write(np.zeros((1, 900, 900), dtype=np.uint8))
    assert problems_of(tmp_path / "x.tif")
