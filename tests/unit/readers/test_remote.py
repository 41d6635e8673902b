"""Items whose bands are behind http addresses: signed, redirected, with tokens and passwords."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from tests.unit.readers.file_server import Files, serving_files
from tests.unit.readers.stac_items import asset_of, band_11, item_of

from swath.errors import ReadError
from swath.grid import Window
from swath.readers.files import bearer_signer, origin, remote, sas_signer, signing
from swath.readers.files.digest import file_digest
from swath.readers.files.digest_memory import DigestMemory, remembering
from swath.readers.files.hosts import Hosts
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Scene

CANARY = "c4n4ry"


@pytest.fixture
def files(tmp_path: Path, write_raster: Any) -> Iterator[Files]:
    (tmp_path / "served").mkdir()
    for name in ("red", "nir"):
        write_raster(tmp_path / "served" / f"{name}.tif", width=600, height=500, tiled=True, blockxsize=256, blockysize=256)
    made = Files(folder=tmp_path / "served")
    with serving_files(made):
        yield made


def another_process() -> None:
    origin._KNOWN.clear()
    for known in remote._REACHED.values():
        if known.copy is not None:
            known.copy.close()
    remote._REACHED.clear()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """A process that has read nothing yet."""
    another_process()
    yield
    another_process()


def write(folder: Path, hrefs: dict[str, str], **fields: Any) -> str:
    assets = {name: asset_of(href, bands=[band_11(name)]) for name, href in hrefs.items()}
    path = folder / "item.json"
    path.write_text(json.dumps({**item_of(assets, **{"processing:level": "L1"}), **fields}), encoding="utf-8")
    return str(path)


def pixels(scene: Scene, band: str) -> Any:
    with BandReader() as reader:
        return reader.read(scene, band, Window(0, 0, 500, 600)).values


def truth(files: Files, name: str) -> Any:
    with rasterio.open(files.folder / f"{name}.tif") as source:
        return source.read(1)


def test_bands_are_read_by_ranges_and_digested_in_one_stream(files: Files, tmp_path: Path) -> None:
    scene = read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}))
    path = files.folder / "red.tif"
    size = path.stat().st_size
    assert scene.assets["red"].digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert files.sent < size + 300_000  # the digest's stream; GDAL's and our looks at the header
    np.testing.assert_array_equal(pixels(scene, "red"), truth(files, "red"))
    before = files.sent
    with BandReader() as reader:
        reader.read(scene, "red", Window(0, 0, 16, 16))
    assert files.sent - before < size / 2


def test_a_server_without_ranges_is_read_all_the_same(files: Files, tmp_path: Path) -> None:
    files.ranges = False
    scene = read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}))
    np.testing.assert_array_equal(pixels(scene, "red"), truth(files, "red"))
    assert files.sent == (files.folder / "red.tif").stat().st_size


def test_a_signature_of_an_item_opens_its_files_and_is_nowhere_else(files: Files, tmp_path: Path) -> None:
    files.query = f"X-Amz-Signature={CANARY}"
    item = write(tmp_path, {n: f"{files.root}/{n}.tif?{files.query}" for n in ("red", "nir")})
    scene = read_scene(item)
    assert CANARY not in scene.to_json()
    assert scene.assets["red"].href == f"/vsicurl/{files.root}/red.tif#red"
    files.query = "X-Amz-Signature=another"
    again = read_scene(write(tmp_path, {n: f"{files.root}/{n}.tif?{files.query}" for n in ("red", "nir")}))
    assert again == scene
    another_process()
    np.testing.assert_array_equal(pixels(Scene.from_json(scene.to_json()), "nir"), truth(files, "nir"))


def test_an_ended_signature_is_looked_up_again(files: Files, tmp_path: Path) -> None:
    files.query = "sig=1"
    scene = read_scene(write(tmp_path, {"red": f"{files.root}/red.tif?sig=1"}))
    with BandReader() as reader:
        reader.read(scene, "red", Window(0, 0, 16, 16))
        files.query = "sig=2"
        write(tmp_path, {"red": f"{files.root}/red.tif?sig=2"})
        origin._KNOWN.clear()
        np.testing.assert_array_equal(reader.read(scene, "red", Window(0, 0, 500, 600)).values, truth(files, "red"))


def test_the_message_of_a_refused_file_has_no_signature(files: Files, tmp_path: Path) -> None:
    files.query = "sig=good"
    with pytest.raises(ReadError, match=r"my-scene: a file cannot be fetched: .*red\.tif.*HTTP 403") as error:
        read_scene(write(tmp_path, {"red": f"{files.root}/red.tif?sig={CANARY}"}))
    assert CANARY not in str(error.value)


def test_files_that_differ_by_their_query_alone_are_told_apart(files: Files, tmp_path: Path) -> None:
    files.answers["/get"] = b""
    scene_hrefs = {n: f"{files.root}/get?file={n}.tif" for n in ("red", "nir")}
    record = json.loads(Path(write(tmp_path, scene_hrefs)).read_text())
    names = {n: origin.remembered(h, record=record, given=h) for n, h in scene_hrefs.items()}
    assert names == {n: f"{files.root}/get#{n}" for n in ("red", "nir")}
    assert {n: origin.origin_of(name).url for n, name in names.items()} == scene_hrefs


def test_a_search_reaches_its_own_hosts_alone(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"root": "https://api.example.com", "item": "", "hosts": ["api.example.com"]}
    with pytest.raises(ReadError, match=r"the host 127\.0\.0\.1 was not named\. Name the host: search\.hosts"):
        read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}, **{"swath:search": found}))
    assert files.asked == []
    remote._REACHED.clear()
    found["hosts"] = ["api.example.com", "127.0.0.1"]
    assert list(read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}, **{"swath:search": found})).assets) == ["red"]
    monkeypatch.setenv("SWATH_HOSTS", "api.example.com")
    remote._REACHED.clear()
    with pytest.raises(ReadError, match=r"the host 127\.0\.0\.1 was not named"):
        read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}, **{"swath:search": found}))


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "metadata.google.internal"])
def test_a_metadata_service_is_never_asked(tmp_path: Path, host: str) -> None:
    with pytest.raises(ReadError, match="is link-local or loopback"):
        read_scene(write(tmp_path, {"red": f"http://{host}/red.tif"}))


def test_a_redirect_to_a_host_that_was_not_named_is_not_followed(files: Files, tmp_path: Path) -> None:
    other = Files(folder=files.folder)
    with serving_files(other):
        files.moved = other.root.replace("127.0.0.1", "localhost")
        search = {"root": files.root, "item": "", "hosts": ["127.0.0.1"]}
        with pytest.raises(ReadError, match="the host localhost was not named"):
            read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}, **{"swath:search": search}))
        assert other.asked == []
        scene = read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}))
        np.testing.assert_array_equal(pixels(scene, "red"), truth(files, "red"))


def test_the_query_of_a_kept_item_comes_from_where_it_is_served(files: Files, tmp_path: Path) -> None:
    files.query = "sig=now"
    files.answers["/items/1"] = json.dumps({"assets": {"red": {"href": f"{files.root}/red.tif?sig=now"}}}).encode()
    search = {"root": files.root, "item": f"{files.root}/items/1", "hosts": ["127.0.0.1"]}
    item = Path(write(tmp_path, {"red": f"{files.root}/red.tif"}, **{"swath:search": search}))
    record = json.loads(item.read_text())
    record["assets"]["red"]["swath:presigned"] = True
    item.write_text(json.dumps(record))
    scene = read_scene(str(item))
    np.testing.assert_array_equal(pixels(scene, "red"), truth(files, "red"))


def test_a_container_is_signed_once_by_its_token(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.query = f"st=1&sig={CANARY}"
    (files.folder / "box").mkdir()
    for name in ("red", "nir"):
        (files.folder / f"{name}.tif").rename(files.folder / "box" / f"{name}.tif")
    token = {"token": files.query, "msft:expiry": "2999-01-01T00:00:00Z"}
    files.answers["/token/127/box"] = json.dumps(token).encode()
    monkeypatch.setenv("PC_SDK_SAS_URL", f"{files.root}/token")
    signer = sas_signer.SasSigner(suffix=".0.0.1")
    monkeypatch.setattr(signing, "signers", lambda: {"sas": signer})
    scene = read_scene(write(tmp_path, {n: f"{files.root}/box/{n}.tif" for n in ("red", "nir")}))
    with rasterio.open(files.folder / "box" / "red.tif") as source:
        np.testing.assert_array_equal(pixels(scene, "red"), source.read(1))
    assert [path for path, _ in files.asked].count("/token/127/box") == 1
    assert CANARY not in scene.to_json()
    assert signing.signed(f"{files.root}/box/x.tif", hosts=Hosts()).until is not None


def test_a_token_goes_to_its_hosts_and_no_further(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.authorization = f"Bearer {CANARY}"
    monkeypatch.setenv("EARTHDATA_TOKEN", CANARY)
    signer = bearer_signer.BearerSigner(variable="EARTHDATA_TOKEN", hosts=("127.0.0.1",))
    monkeypatch.setattr(signing, "signers", lambda: {"earthdata": signer})
    scene = read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}))
    np.testing.assert_array_equal(pixels(scene, "red"), truth(files, "red"))
    other = Files(folder=files.folder)  # wants none
    with serving_files(other):
        files.moved = other.root.replace("127.0.0.1", "localhost")
        remote._REACHED.clear()
        np.testing.assert_array_equal(pixels(scene, "red"), truth(files, "red"))


def test_netrc_opens_files(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.authorization = "Basic bWU6czNjcjN0"
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cr3t\n", encoding="ascii")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    scene = read_scene(write(tmp_path, {"red": f"{files.root}/red.tif"}))
    np.testing.assert_array_equal(pixels(scene, "red"), truth(files, "red"))
    assert file_digest(scene.assets["red"].href) == scene.assets["red"].digest


def test_the_shipped_signers_are_there() -> None:
    assert {"sas", "earthdata"} <= set(signing.signers())
    hosts = Hosts(named=("planetarycomputer.microsoft.com",))
    blob = "https://sentinel2l2a01.blob.core.windows.net/sentinel2-l2/x.tif"
    assert sas_signer.SIGNER.recognises(blob, hosts=hosts)
    assert not sas_signer.SIGNER.recognises(blob, hosts=Hosts())
    assert not sas_signer.SIGNER.recognises(f"{blob}?sig=1", hosts=hosts)


@pytest.mark.parametrize(
    ("first", "second", "read_again"),
    [
        ({"ETag": '"a"'}, {"ETag": '"a"'}, False),
        ({"ETag": '"a"'}, {"ETag": '"b"'}, True),
        ({"Last-Modified": "Mon, 05 Aug 2024 12:00:00 GMT"}, {"Last-Modified": "Mon, 05 Aug 2024 12:00:00 GMT"}, False),
        ({"Last-Modified": "Mon, 05 Aug 2024 12:00:00 GMT"}, {"Last-Modified": "Tue, 06 Aug 2024 12:00:00 GMT"}, True),
        ({"ETag": 'W/"a"'}, {"ETag": 'W/"a"'}, True),
        ({}, {}, True),
    ],
)
def test_pixels_are_read_again_where_the_server_says_that_they_changed_or_says_nothing(
    files: Files, tmp_path: Path, first: dict[str, str], second: dict[str, str], *, read_again: bool
) -> None:
    item = write(tmp_path, {"red": f"{files.root}/red.tif"})
    files.headers = first
    with remembering(DigestMemory.from_json(None)) as memory:
        digest = read_scene(item).digest
    another_process()
    files.headers, files.sent = second, 0
    with remembering(DigestMemory.from_json(memory.to_json())):
        assert read_scene(item).digest == digest
    size = (files.folder / "red.tif").stat().st_size
    assert (files.sent >= size) == read_again


def test_another_length_is_another_file_whatever_its_etag(files: Files, tmp_path: Path) -> None:
    item = write(tmp_path, {"red": f"{files.root}/red.tif"})
    files.headers = {"ETag": '"same"'}
    with remembering(DigestMemory.from_json(None)) as memory:
        digest = read_scene(item).digest
    another_process()
    with (files.folder / "red.tif").open("ab") as file:
        file.write(b"more")
    with remembering(DigestMemory.from_json(memory.to_json())):
        assert read_scene(item).digest != digest
