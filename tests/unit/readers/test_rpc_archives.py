"""Raw images inside archives: the same scene as in a folder, whatever the container and wherever it is in it."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.unit.readers.test_rpc_scenes import (
    HEIGHT,
    WIDTH,
    Write,
    bundle,
    in_tiles,
    pixels,
    pleiades,
    products,
    read_band,
    worldview,
)

from swath.errors import ArchiveError
from swath.grid import Window
from swath.readers.discover import discover
from swath.readers.registry import read_scene

__all__ = ["pleiades", "worldview"]
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
ALL = Window(0, 0, HEIGHT, WIDTH)


def packed(folder: Path, kind: str, *, top: bool = False) -> Path:
    """The folder in an archive under its own name, or its files at the top; in a folder of its own."""
    home = folder.parent / f"in-{kind}"
    home.mkdir()
    root, base = (folder, ".") if top else (folder.parent, folder.name)
    return Path(shutil.make_archive(str(home / "order"), kind, root, base))


@pytest.mark.parametrize(("kind", "top"), [("zip", False), ("tar", True), ("gztar", False), ("xztar", True)])
def test_a_dimap_in_an_archive_is_the_scene_of_its_folder(pleiades: Write, kind: str, top: bool) -> None:  # noqa: FBT001  a parameter of the test
    folder = pleiades()
    path = packed(folder, kind, top=top)
    assert list(discover([str(path.parent)])) == [str(path)]
    scene = read_scene(str(path))
    assert (scene.scene_id, scene.digest) == ("DS_PHR1A_X", read_scene(str(folder)).digest)
    shutil.rmtree(folder)
    np.testing.assert_array_equal(read_band(scene, "red", ALL).values, pixels()[1])


@pytest.mark.parametrize("kind", ["zip", "bztar"])
def test_tiles_of_a_maxar_delivery_in_an_archive_are_one_image(worldview: Write, kind: str) -> None:
    folder = worldview()
    in_tiles(folder)
    scene = read_scene(str(packed(folder, kind)))
    shutil.rmtree(folder)
    np.testing.assert_array_equal(read_band(scene, "pan", ALL).values, pixels()[0])


def test_both_images_of_a_delivery_in_an_archive_are_one_scene_and_are_sharpened(tmp_path: Path) -> None:
    home = tmp_path / "delivery" / "012"
    home.mkdir(parents=True)
    multispectral, _ = bundle(home)
    plain = read_scene(str(multispectral))
    path = packed(home, "zip")
    assert list(discover([str(path)])) == [str(path)]
    scene = read_scene(str(path))
    assert (sorted(scene.assets), scene.digest) == (["green", "pan", "red"], plain.digest)
    shutil.rmtree(home)
    assert products(tmp_path, scene)["sharp_red"].shape[0] > 280


def test_several_raw_images_in_an_archive_are_scenes_of_their_own(tmp_path: Path) -> None:
    for order, number in (("a", "001"), ("b", "002")):
        (tmp_path / "orders" / order).mkdir(parents=True)
        bundle(tmp_path / "orders" / order, number=number)
    path = packed(tmp_path / "orders", "tar")
    hrefs = list(discover([str(path)]))
    assert hrefs == [f"{path}#orders/a/WV_P001_MUL", f"{path}#orders/b/WV_P002_MUL"]
    assert [sorted(read_scene(href).assets) for href in hrefs] == [["green", "pan", "red"]] * 2


def test_a_raw_image_whose_files_are_in_several_folders_of_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "order.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("meta/DIM_PHR1A.XML", "model/RPC_PHR1A.XML", "IMG_R1C1.TIF"):
            archive.writestr(name, "<x/>")
    assert list(discover([str(tmp_path)])) == [str(path)]
    with pytest.raises(ArchiveError, match=r"are in several folders of the archive: .* got 3 files in .*order\.zip\. Unpack it"):
        read_scene(str(path))
