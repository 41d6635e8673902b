"""The command line from its words to its exit code, in the shared session."""

import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.account import Account
from swath.cli.main import main
from swath.inference.digest import model_digest
from swath.inference.reference import read_reference
from swath.metrics.beat import beats_of
from swath.simulator.damage import copied, truncate
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import simulate
from swath.stores.local import local_store
from swath.stores.lock import output_lock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow]

#: ``swath(*words)``: exit code, stdout, stderr.
Swath = Callable[..., tuple[int, str, str]]


def _in_session(spark: "SparkSession", patch: pytest.MonkeyPatch) -> None:
    """Commands take the shared session for their own."""
    patch.setattr("swath.spark.start.session.build_session", lambda **_: spark)
    patch.setattr("swath.spark.start.session.stop_session", lambda _: None)


@pytest.fixture
def swath(spark: "SparkSession", monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Swath:
    """The command, with the shared session for its own."""
    _in_session(spark, monkeypatch)

    def call(*words: object) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit, match=r"^[0-5]$") as stop:
            main([str(w) for w in words])
        told = capfd.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, told.out, told.err

    return call


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SimulatedScene:
    return simulate(kind="landsat9", folder=tmp_path_factory.mktemp("scene"), size=96, truth=False)


@dataclass(frozen=True, kw_only=True)
class First:
    """The output of a first run, which nobody may change, and what the command said."""

    words: tuple[object, ...]
    output: Path
    code: int
    told: dict[str, Any]


@pytest.fixture(scope="module")
def first(spark: "SparkSession", scene: SimulatedScene, tmp_path_factory: pytest.TempPathFactory) -> First:
    """A scene given twice."""
    output = tmp_path_factory.mktemp("first") / "out"
    words = ("run", "toa", "--input", scene.delivery, "--input", scene.metadata, "--json")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out:
        _in_session(spark, patch)
        with pytest.raises(SystemExit, match=r"^[0-5]$") as stop:
            main([*map(str, words), "--output", str(output), "--run-id", "r1"])
    return First(words=words, output=output, code=int(str(stop.value)), told=json.loads(out.getvalue().splitlines()[-1]))


def test_a_good_scene_is_0_and_a_scene_given_twice_is_made_once(first: First, scene: SimulatedScene) -> None:
    told = first.told
    assert (first.code, told["scenes_in"], told["made"], told["skipped"], told["quarantined"]) == (0, 2, 1, 1, 0)
    assert told["skips"] == [{"scene_id": scene.scene_id, "reason": "duplicate"}]
    assert len(list(first.output.glob("products/*/*/*/*/*"))) == 1


def test_frames_of_the_ledger_are_what_the_result_says(first: First, spark: "SparkSession") -> None:
    (row,) = spark.read.format("delta").load(str(first.output / "tables" / "products")).collect()
    (product,) = first.told["products"]
    assert (row["product_id"], row["item"], row["run_id"]) == (product["product_id"], product["item"], "r1")
    sizes = {name: (first.output / href).stat().st_size for name, href in product["assets"].items()}
    assert {a["name"]: a["bytes"] for a in row["assets"]} == sizes


def test_a_run_tells_how_it_stands_from_its_start_to_its_end(first: First) -> None:
    beats = beats_of((first.output / "reports" / "r1.metrics.jsonl").read_bytes())
    assert [b.event for b in beats] == ["start", "wave", "end"]
    last = beats[-1]
    assert (last.site, last.pipeline, last.run_id, last.error) == ("laptop", "toa", "r1", "")
    assert (last.scenes_in, last.made, last.skipped, last.quarantined, last.waves) == (2, 1, 1, 0, 1)
    assert last.cpu_s == pytest.approx(sum(s["cpu_s"] for s in first.told["stages"]), abs=0.002)
    assert 0 < last.commit_s < last.seconds


def test_a_second_run_is_0_and_skips_what_is_there(swath: Swath, first: First, tmp_path: Path) -> None:
    shutil.copytree(first.output, tmp_path / "out")
    code, out, _ = swath(*first.words, "--output", tmp_path / "out")
    told = json.loads(out.splitlines()[-1])
    assert (code, told["made"], told["skipped"]) == (0, 0, 2)


def test_ingesting_again_adds_nothing(swath: Swath, scene: SimulatedScene, tmp_path: Path) -> None:
    given = ("ingest", "--input", scene.delivery, "--output", tmp_path, "--json")
    _, out, err = swath(*given)
    first = json.loads(out.splitlines()[-1])
    assert "1 scenes found: reading their metadata and taking their digests" in err
    code, out, _ = swath(*given)
    again = json.loads(out.splitlines()[-1])
    assert (first["added"], first["known"]) == (1, 0)
    assert (code, again["added"], again["known"], again["duplicate"], again["quarantined"]) == (0, 0, 1, 0, 0)


def test_another_content_of_a_known_id_is_a_clash_of_ingest(swath: Swath, scene: SimulatedScene, tmp_path: Path) -> None:
    other = copied(scene, folder=tmp_path / "scenes", rename={})
    with next(Path(other.delivery).rglob("*_MTL.txt")).open("a", encoding="ascii") as file:
        file.write("\n")
    given = ("ingest", "--input", scene.delivery, "--output", tmp_path / "out", "--json")
    assert swath(*given)[0] == 0
    code, out, err = swath("ingest", "--input", other.delivery, "--output", tmp_path / "out", "--json")
    told = json.loads(out.splitlines()[-1])
    assert (code, told["scenes_in"], told["added"], told["known"], told["quarantined"]) == (3, 1, 0, 0, 1)
    assert told["quarantine"][0]["error"] == "clash"
    assert f"quarantined {scene.scene_id} (clash): two deliveries of different content have this id" in err
    again = json.loads(swath(*given)[1].splitlines()[-1])
    assert (again["known"], again["quarantined"]) == (1, 0)


def test_a_broken_scene_is_told_and_0_where_that_is_wanted(swath: Swath, scene: SimulatedScene, tmp_path: Path) -> None:
    """Without that wish it is 3: see the model that wants other bands, below, and ``test_bad_input``."""
    broken = truncate(copied(scene, folder=tmp_path / "scenes", rename={}))
    code, _, err = swath("run", "toa", "--input", broken.delivery, "--output", tmp_path / "out", "--quarantine-ok")
    assert code == 0
    assert f"quarantined {scene.scene_id}" in err


def test_an_account_with_a_remainder_is_4_and_nothing_is_committed(
    swath: Swath, scene: SimulatedScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "balanced", property(lambda _: False))
    code, _, err = swath("run", "toa", "--input", scene.delivery, "--output", tmp_path)
    assert code == 4
    assert "does not balance" in err
    assert not (tmp_path / "tables" / "products").exists()


def test_a_locked_output_is_5_and_says_who_holds_it(swath: Swath, scene: SimulatedScene, tmp_path: Path) -> None:
    with output_lock(local_store(tmp_path), run_id="the-other"):
        code, _, err = swath("run", "toa", "--input", scene.delivery, "--output", tmp_path)
    assert code == 5
    assert "is locked by run the-other" in err


WRONG = {
    "an unknown pipeline": (("run", "tao"), "did you mean 'toa'?"),
    "an unknown step": (("run", "STEPS"), "did you mean 'smac'?"),
    "an unknown parameter": (("run", "surface-reflectance", "--set", "smac.aot=0.1"), "did you mean 'aot550'?"),
    "a setting of a step that is not there": (("run", "toa", "--set", "smac.aot550=0.1"), "has no step 'smac'"),
    "a value that is no YAML": (("run", "surface-reflectance", "--set", "smac.aot550=[1"), "is not a YAML value"),
    "a model that is not there": (("run", "landcover"), "landcover@production"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_before_anything_runs_is_2(swath: Swath, scene: SimulatedScene, tmp_path: Path, case: str) -> None:
    steps = tmp_path / "steps.yaml"
    steps.write_text("name: x\nsteps: [toa, smak]\nassets: {required: [toa]}\n", encoding="utf-8")
    words, told = WRONG[case]
    words = tuple(str(steps) if w == "STEPS" else w for w in words)
    code, out, err = swath(*words, "--input", scene.delivery, "--output", tmp_path / "out")
    assert (code, out) == (2, "")
    assert told in err


def test_an_input_that_is_not_there_is_2(swath: Swath, tmp_path: Path) -> None:
    code, _, err = swath("run", "toa", "--input", tmp_path / "nothing", "--output", tmp_path / "out")
    assert code == 2
    assert "does not exist" in err


def test_an_output_that_cannot_be_written_is_2(swath: Swath, scene: SimulatedScene, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    code, _, err = swath("run", "toa", "--input", scene.delivery, "--output", tmp_path / "file" / "out")
    assert code == 2
    assert "cannot be written" in err


def test_an_illegal_strip_height_is_2_names_the_legal_ones_and_leaves_the_run_id_free(
    swath: Swath, tall_scene: Callable[..., Path], tmp_path: Path
) -> None:
    tall = tall_scene("landsat9", side=96, copies=6)
    given = ("run", "toa", "--input", tall, "--output", tmp_path / "out", "--run-id", "r", "--tile-size")
    code, _, err = swath(*given, 100)
    assert code == 2
    assert "a strip height of 100 rows would cut a block of some asset; legal here: multiples of 512, or 576" in err
    assert swath(*given, 512)[0] == 0


def test_a_model_that_wants_other_bands_quarantines_the_scene(
    swath: Swath, scene: SimulatedScene, tmp_path: Path, small_model: Path
) -> None:
    """The model of another sensor: its manifest names a band that Landsat does not have."""
    model = tmp_path / "model"
    shutil.copytree(small_model, model)
    manifest = model / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"nir08"', '"rededge071"'), encoding="utf-8")
    rows = read_reference(model)
    assert rows is not None
    bands = tuple("rededge071" if b == "nir08" else b for b in rows.bands)
    (model / "reference.npz").write_bytes(replace(rows, bands=bands).to_bytes())
    assert model_digest(model) != model_digest(small_model)
    code, out, _ = swath(
        "run", "landcover", "--set", f"landcover.model={model}", "--input", scene.delivery, "--output", tmp_path / "out", "--json"
    )
    (entry,) = json.loads(out.splitlines()[-1])["quarantine"]
    assert (code, entry["error"], entry["scene_id"]) == (3, "model", scene.scene_id)
    assert "rededge071" in entry["message"]
    assert "expected " in entry["message"]
