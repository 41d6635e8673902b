"""Files out of wheels that others publish, each known by its digest."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.inference.manifest import Manifest
from swath.inference.network import Decision
from swath.product import Category
from swath.training.fetched.folder import write_model
from swath.training.fetched.s2cloudless import fetch_s2cloudless
from swath.training.fetched.wheel import PublishedWheel, files_of

WEIGHTS = b"weights"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "theirs-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("theirs/weights.bin", WEIGHTS)
    return path


def release(wheel: Path, *, project: str = "theirs") -> PublishedWheel:
    return PublishedWheel(project=project, version="1.0", sha256=digest(wheel.read_bytes()), extra="theirs")


def test_a_file_comes_out_of_the_published_wheel(wheel: Path) -> None:
    assert files_of(release(wheel), {"theirs/weights.bin": digest(WEIGHTS)}, wheel=wheel) == {"theirs/weights.bin": WEIGHTS}


def test_what_is_not_the_published_wheel_or_file_is_refused(wheel: Path) -> None:
    published = release(wheel)
    with pytest.raises(ConfigError, match=r"weights\.bin is not the published file: expected sha256 ad"):
        files_of(published, {"theirs/weights.bin": "ad" * 32}, wheel=wheel)
    with pytest.raises(ConfigError, match=r"not a wheel of theirs 1\.0.*other\.bin"):
        files_of(published, {"theirs/other.bin": digest(WEIGHTS)}, wheel=wheel)
    wheel.write_bytes(wheel.read_bytes() + b" ")
    with pytest.raises(ConfigError, match=r"expected the wheel of theirs 1\.0 \(sha256 [0-9a-f]{64}\), got sha256"):
        files_of(published, {"theirs/weights.bin": digest(WEIGHTS)}, wheel=wheel)


def test_an_installed_package_of_another_version_is_named(wheel: Path) -> None:
    with pytest.raises(ConfigError, match=r"the installed numpy \S+ has no theirs/weights\.bin.*pip install swath\[theirs\]"):
        files_of(release(wheel, project="numpy"), {"theirs/weights.bin": digest(WEIGHTS)})


def test_the_folder_has_licence_attribution_and_source(tmp_path: Path) -> None:
    manifest = Manifest(
        name="theirs", kind="forest", weights="forest.npz", bands=("blue",), of="toa", licence="CC-BY-SA-4.0",
        classes=(Category(value=0, name="clear", title="Clear"), Category(value=1, name="cloud", title="Cloud")),
        training={"attribution": "Made by them.", "wheel_sha256": "ab" * 32}, decision=Decision(threshold=0.4),
    )  # fmt: skip
    write_model(manifest, WEIGHTS, into=tmp_path / "m", purpose="Clouds.", limits="None.")
    card = (tmp_path / "m" / "card.md").read_text(encoding="utf-8")
    assert all(t in card for t in ("CC-BY-SA-4.0", "Made by them.", "ab" * 32))
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["card.md", "forest.npz", "manifest.json"]
    with pytest.raises(ConfigError, match="already exists; choose another folder"):
        write_model(manifest, WEIGHTS, into=tmp_path / "m", purpose="", limits="")


def test_a_resolution_that_the_sensor_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="works at 10, 20 or 60 m"):
        fetch_s2cloudless(tmp_path / "m", resolution_m=30.0)
