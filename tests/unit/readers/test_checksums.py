"""Checksums of items: what is believed is verified, whatever its kind."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from tests.unit.readers.stac_items import Json, WriteItem, asset_of, band_11, item_of

from swath.errors import ChecksumError
from swath.readers.files.digest_memory import DigestMemory, remembering
from swath.readers.files.multihash import multihash_in
from swath.readers.gate.terms import Terms, under
from swath.readers.registry import read_scene
from swath.scene import Scene

DATA = b"swath"
#: Multihash prefixes by the table of multicodec, with a digest of ``DATA`` by hashlib.
KINDS: dict[str, Any] = {
    "d50110": hashlib.new("md5", DATA, usedforsecurity=False),
    "1114": hashlib.new("sha1", DATA, usedforsecurity=False),
    "1220": hashlib.sha256(DATA),
    "1340": hashlib.sha512(DATA),
    "2030": hashlib.sha384(DATA),
    "1440": hashlib.sha3_512(DATA),
    "1620": hashlib.sha3_256(DATA),
    "93201c": hashlib.sha224(DATA),
    "c0e40240": hashlib.blake2b(DATA),
    "a0e40220": hashlib.blake2b(DATA, digest_size=32),
    "e0e40220": hashlib.blake2s(DATA),
}


@pytest.mark.parametrize(("prefix", "digest"), [(k, h.hexdigest()) for k, h in KINDS.items()])
def test_every_kind_that_hashlib_has_is_verified(write_item: WriteItem, tmp_path: Path, prefix: str, digest: str) -> None:
    found = multihash_in(prefix + digest)
    assert found is not None
    assert found.digest == digest
    good = hashlib.new(found.algorithm.partition("-")[0], usedforsecurity=False) if "-" not in found.algorithm else None
    wrong = item_of({"red": asset_of("r.tif", bands=[band_11("red")], **{"file:checksum": prefix + digest})}, platform="my-sat")
    href = write_item(wrong)
    with pytest.raises(ChecksumError, match=rf"my-scene: a file is not what its checksum says.*{digest[:16]}.*file:checksum"):
        read_scene(href)
    if good is not None:
        good.update((tmp_path / "r.tif").read_bytes())
        assert scene_of(write_item, prefix + good.hexdigest()).assets["red"].digest == sha256(tmp_path / "r.tif")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def scene_of(write_item: WriteItem, checksum: str) -> Scene:
    assets: Json = {"red": asset_of("r.tif", bands=[band_11("red")], **{"file:checksum": checksum})}
    return read_scene(write_item(item_of(assets, platform="my-sat")))


def test_blake2_of_the_file_passes(write_item: WriteItem, tmp_path: Path) -> None:
    write_item(item_of({"red": asset_of("r.tif")}))
    data = (tmp_path / "r.tif").read_bytes()
    full, half = hashlib.blake2b(data), hashlib.blake2b(data, digest_size=32)
    for checksum in (f"c0e40240{full.hexdigest()}", f"a0e40220{half.hexdigest()}"):
        assert scene_of(write_item, checksum).assets["red"].digest == sha256(tmp_path / "r.tif")


@pytest.mark.parametrize("checksum", ["1e20" + "0" * 64, "9" * 64, "nonsense", "1220" + "0" * 60, "00", "122001ff", "ffffffffff"])
def test_what_cannot_be_verified_is_not_believed_and_said(write_item: WriteItem, tmp_path: Path, checksum: str) -> None:
    scene = scene_of(write_item, checksum)
    assert scene.assets["red"].digest == sha256(tmp_path / "r.tif")
    assert checksum[:20] in scene.left_out["file:checksum"]


def test_a_user_may_vouch_for_sha256_and_the_scene_says_so(write_item: WriteItem) -> None:
    false = "1220" + "ab" * 32
    with pytest.raises(ChecksumError, match="not what its checksum says"):
        scene_of(write_item, false)
    with under(Terms(trust_checksums=True)):
        scene = scene_of(write_item, false)
        assert scene.assets["red"].digest == "ab" * 32
        assert scene.properties["swath:checksums"] == "trusted, not verified"
        # Nothing but sha2-256 can stand for the digest that keys are made of.
        with pytest.raises(ChecksumError, match="sha512"):
            scene_of(write_item, "1340" + "ab" * 64)


def test_a_verified_file_is_not_read_again_while_it_is_unchanged(
    write_item: WriteItem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swath.readers.files.digest_memory.SETTLED_S", 0.0)
    write_item(item_of({"red": asset_of("r.tif")}))
    checksum = "1340" + hashlib.sha512((tmp_path / "r.tif").read_bytes()).hexdigest()
    with remembering(DigestMemory.from_json(None)) as memory:
        before = scene_of(write_item, checksum)
    reads: list[Any] = []
    monkeypatch.setattr("swath.readers.files.digest._taken", lambda *a, **k: reads.append((a, k)))
    with remembering(DigestMemory.from_json(memory.to_json())) as again:
        assert scene_of(write_item, checksum) == before
        assert again.to_json() == memory.to_json()
        with pytest.raises(ChecksumError, match="sha512"):
            scene_of(write_item, "1340" + "ab" * 64)
    assert not reads


def test_terms_travel_as_json() -> None:
    assert Terms().to_plain() == {}
    for terms in (Terms(), Terms(level="L1"), Terms(trust_checksums=True), Terms(level="L1", trust_checksums=True)):
        assert Terms.from_plain(terms.to_plain()) == terms


def test_a_user_may_vouch_for_a_level_that_no_item_states(write_item: WriteItem) -> None:
    href = write_item(item_of({"red": asset_of("r.tif", bands=[band_11("red")])}))
    with under(Terms(level="L1")):
        scene = read_scene(href)
    assert (scene.level, scene.properties["swath:scene_level"]) == ("L1", "L1 (the run's --level)")
