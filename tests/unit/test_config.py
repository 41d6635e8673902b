"""Pipeline files and settings: every mistake has a message that names it and the nearest right word."""

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from tests.tiny_model import STUMPS

import swath
from swath import plugged
from swath.config import load_pipeline, prepare, with_settings
from swath.engine.pipeline_json import pipeline_of
from swath.errors import ConfigError
from swath.inference.manifest import Manifest
from swath.inference.registry import Registry
from swath.inference.step_model import StepModel
from swath.product import Category
from swath.shipped import conf_folder, find_pipeline, model_recipe
from swath.steps import registry as steps

PLAIN = """\
name: mine
steps:
  - toa
  - smac: {aot550: 0.1}
  - qa:
assets:
  required: [qa]
  optional: [sr|toa]
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(uri=f"sqlite:///{tmp_path}/mlflow.db", artifacts=tmp_path / "artifacts", cache=tmp_path / "cache")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that can be pinned."""
    folder = tmp_path / "model"
    folder.mkdir()
    manifest = Manifest(
        name="stumps", kind="forest", weights="forest.npz", bands=("red", "nir08"), of="toa", licence="Apache-2.0",
        classes=(Category(value=1, name="low", title="Low"), Category(value=2, name="high", title="High")),
    )  # fmt: skip
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    (folder / "forest.npz").write_bytes(STUMPS.to_bytes())
    (folder / "card.md").write_text("# Stumps\n", encoding="utf-8")
    return folder


def _file(folder: Path, text: str | bytes) -> str:
    path = folder / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.mark.parametrize("name", ["toa", "surface-reflectance", "landcover", "ard"])
def test_shipped_pipelines_load_under_their_own_names(name: str) -> None:
    assert load_pipeline(name).name == name


def test_a_users_file_is_read(tmp_path: Path) -> None:
    loaded = load_pipeline(_file(tmp_path, PLAIN))
    assert loaded.steps == [{"toa": {}}, {"smac": {"aot550": 0.1}}, {"qa": {}}]
    assert (loaded.assets.required, loaded.assets.optional, loaded.version) == (["qa"], ["sr|toa"], 1)


def test_an_unknown_pipeline_has_the_nearest_name() -> None:
    message = r"unknown pipeline 'surface-reflectence'; did you mean 'surface-reflectance'\? \(shipped: ard, .*toa; or"
    with pytest.raises(ConfigError, match=message):
        find_pipeline("surface-reflectence")
    with pytest.raises(ConfigError, match=r"unknown pipeline 'xyz' \(shipped: .*; or give a YAML file\)"):
        find_pipeline("xyz")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: there is no such pipeline file"):
        find_pipeline(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "nam: x\n" + PLAIN,
            r"mine\.yaml: unknown key 'nam'; did you mean 'name'\? \(known: name, .*, grid, .*, drift, retention\)",
        ),
        (
            PLAIN.replace("optional", "optinal"),
            r"unknown key 'assets\.optinal'; did you mean 'optional'\? \(known: required, optional",
        ),
        ("zzz: x\n" + PLAIN, r"unknown key 'zzz' \(known: name"),
        ("writer: gdall\n" + PLAIN, r"mine\.yaml: writer: expected 'swath' or 'gdal'; got 'gdall'"),
        (PLAIN.replace("name: mine\n", ""), r"mine\.yaml: name: is needed and missing"),
        (PLAIN.replace("  - toa\n", "  - 5\n"), r"mine\.yaml: steps\.0: expected a mapping of keys to values; got 5"),
        (PLAIN.replace("{aot550: 0.1}", "0.1"), r"mine\.yaml: steps\.1\.smac: expected a mapping of keys to values; got 0\.1"),
        ("- a\n", r"mine\.yaml: expected keys name, steps, assets; got list"),
        ("", r"expected keys name, steps, assets; got NoneType"),
        ("a: [", r"mine\.yaml: not YAML: "),
        (b"name: \xff\n", r"mine\.yaml: not YAML: "),
        ("#" * ((1 << 20) + 1), r"mine\.yaml: 1048577 bytes are too many for a pipeline file"),
        ("name: !!python/object/apply:os.system ['true']\n", r"mine\.yaml: not YAML: could not determine a constructor"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_pipeline(_file(tmp_path, text))


def _steps(pipeline: Any) -> Mapping[str, Any]:
    return {name: parameters for entry in pipeline.steps for name, parameters in entry.items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.14", 0.14), ("null", None), ("[0.1, 0.2]", [0.1, 0.2]), ("true", True), ("a=b", "a=b"), ("", None), ("'5'", "5")],
)
def test_settings_are_yaml_values(text: str, value: object) -> None:
    before = load_pipeline("surface-reflectance")
    after = with_settings(before, [f"smac.aot550={text}", "smac.pressure_hpa=1013"])
    assert _steps(after)["smac"]["aot550"] == value
    assert _steps(after)["smac"]["pressure_hpa"] == 1013
    assert _steps(before)["smac"]["aot550"] is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("smac.aot550", r"--set smac\.aot550: expected STEP\.PARAMETER=VALUE, for example smac\.aot550=0\.14"),
        ("aot550=0.1", r"--set aot550=0\.1: expected STEP\.PARAMETER=VALUE"),
        ("smak.aot550=0.1", r"pipeline toa has no step 'smak' \(steps: toa, qa\)"),
        ("tao.x=1", r"pipeline toa has no step 'tao'; did you mean 'toa'\? \(steps: toa, qa\)"),
        ("toa.x=[1", r"--set toa\.x=\[1: '\[1' is not a YAML value: "),
    ],
)
def test_a_wrong_setting_is_told(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_settings(load_pipeline("toa"), [setting])


def test_a_prepared_pipeline_builds(registry: Registry, tmp_path: Path) -> None:
    ready = prepare(load_pipeline(_file(tmp_path, PLAIN)), registry=registry)
    built = pipeline_of(ready.plain)
    assert [s.name for s in built.steps] == ["toa", "smac", "qa"]
    assert built.steps[1].parameters["aot550"] == 0.1
    assert [(a.layers, a.required) for a in built.assets] == [("qa", True), ("sr|toa", False)]
    assert (built.title, ready.models, ready.plain["absent"]) == ("mine", {}, {})
    assert (built.writer, "writer" in ready.plain) == ("swath", False)
    ready = prepare(load_pipeline(_file(tmp_path, "writer: gdal\n" + PLAIN)), registry=registry)
    assert pipeline_of(ready.plain).writer == "gdal"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("- toa", "- taoo"), r"there is no step 'taoo'; did you mean 'toa'\?"),
        (("aot550", "aot_550"), r"step 'smac' has no parameter 'aot_550'; did you mean 'aot550'\?"),
        (("- qa:", "- {qa: , toa: }"), r"pipeline mine: a step is one name with its parameters, got \['qa', 'toa'\]"),
        (("0.1", "thick"), "aot550"),
    ],
)
def test_a_wrong_step_is_told_before_anything_runs(
    registry: Registry, tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        prepare(load_pipeline(_file(tmp_path, PLAIN.replace(*change))), registry=registry)


def _with_model(folder: Path, parameters: str) -> Any:
    return load_pipeline(_file(folder, PLAIN.replace("  - qa:\n", f"  - qa\n  - landcover: {parameters}\n")))


def test_a_model_is_pinned_by_its_digest(registry: Registry, tmp_path: Path, model: Path) -> None:
    ready = prepare(_with_model(tmp_path, f"{{model: {model}}}"), registry=registry)
    pinned = ready.plain["steps"][-1]["parameters"]["model"]
    assert pinned["name"] == "stumps"
    assert ready.models["stumps"]["digest"] == pinned["digest"]
    assert Path(ready.models["stumps"]["path"], "manifest.json").is_file()
    assert pipeline_of(ready.plain).steps[-1].name == "landcover"


def test_a_missing_model_stops_the_run_unless_it_is_optional(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'/none' names no model: expected models:/"):
        prepare(_with_model(tmp_path, "{model: /none}"), registry=registry)
    ready = prepare(_with_model(tmp_path, "{model: /none, optional: true}"), registry=registry)
    assert [s["name"] for s in ready.plain["steps"]] == ["toa", "smac", "qa"]
    told = "no model /none could be resolved when the run was planned"
    assert ready.plain["absent"] == {"landcover": told, "landcover_probability": told}


@pytest.mark.parametrize(
    "parameters", ["{modle: /none, optional: true}", "{optional: true}", "{model: /none, halo: 3, optional: true}"]
)
def test_a_misspelt_parameter_of_an_optional_model_is_no_missing_model(
    registry: Registry, tmp_path: Path, parameters: str
) -> None:
    with pytest.raises(ConfigError, match=r"step landcover takes model \(a registered model or a folder\) and optional; got \["):
        prepare(_with_model(tmp_path, parameters), registry=registry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """A user's step with a model: what it needs of it, and a parameter of its own."""

    name: ClassVar[str] = "crops"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("crops",)

    model: StepModel
    least: float = 0.5

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {**self.model.parameters, "least": self.least}

    def recipes(self, scene: Any, *, given: Any) -> tuple[()]:
        return ()

    def run(self, *_: Any, **__: Any) -> Mapping[str, Any]:
        return {}


@pytest.fixture
def crops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """``crops`` as a plug-in."""
    monkeypatch.setitem(sys.modules, "users_crops", SimpleNamespace(Crops=Crops))
    point = EntryPoint(name="crops", value="users_crops:Crops", group="swath.steps")
    monkeypatch.setattr(plugged, "entry_points", lambda *, group: (point,) if group == "swath.steps" else ())
    steps._targets.cache_clear()
    yield
    steps._targets.cache_clear()


def test_any_step_may_have_a_model_and_a_pipeline_several(crops: None, registry: Registry, tmp_path: Path, model: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(model, other)
    text = (model / "manifest.json").read_text(encoding="utf-8")
    (other / "manifest.json").write_text(text.replace('"stumps"', '"fields"'), encoding="utf-8")
    asked = f"  - qa\n  - landcover: {{model: {model}}}\n  - crops: {{model: {other}, least: 0.7}}\n"
    file = PLAIN.replace("  - qa:\n", asked).replace("[sr|toa]", "[sr|toa, crops]")
    ready = prepare(load_pipeline(_file(tmp_path, file)), registry=registry)
    built = pipeline_of(ready.plain).steps[-1]
    assert isinstance(built, Crops)
    assert (built.model.name, built.least, built.model.manifest.name) == ("fields", 0.7, "fields")
    assert ready.models.keys() == {"stumps", "fields"}
    with pytest.raises(ConfigError, match=r"step crops takes model \(a registered model or a folder\), least and optional; got"):
        prepare(load_pipeline(_file(tmp_path, file.replace("least", "lest"))), registry=registry)
    absent = prepare(load_pipeline(_file(tmp_path, file.replace(str(other), "/none, optional: true"))), registry=registry)
    assert absent.plain["absent"].keys() == {"crops"}
    # Another model of the same name cannot be told from it.
    (other / "manifest.json").write_text(text.replace("Low", "Lower"), encoding="utf-8")
    with pytest.raises(ConfigError, match="two models of the pipeline are named stumps"):
        prepare(load_pipeline(_file(tmp_path, file)), registry=registry)


def test_an_asset_that_a_plug_in_does_not_make_is_refused(crops: None, registry: Registry, tmp_path: Path, model: Path) -> None:
    file = PLAIN.replace("  - qa:\n", f"  - qa\n  - crops: {{model: {model}}}\n").replace("[sr|toa]", "[crop]")
    with pytest.raises(ConfigError, match=r"no step of it makes 'crop'; did you mean 'crops'\?"):
        prepare(load_pipeline(_file(tmp_path, file)), registry=registry)


def test_the_configuration_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pipelines").mkdir()
    monkeypatch.setenv("SWATH_CONF", str(tmp_path))
    assert conf_folder() == tmp_path
    monkeypatch.setenv("SWATH_CONF", str(tmp_path / "none"))
    assert conf_folder() != tmp_path
    monkeypatch.setattr(swath, "__file__", str(tmp_path / "a" / "b" / "c" / "swath.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(
        ConfigError, match="the shipped configuration is not found: set SWATH_CONF to the folder that holds pipelines/"
    ):
        conf_folder()


def test_an_unknown_recipe_is_told() -> None:
    with pytest.raises(ConfigError, match=r"no recipe for a model 'none': expected .*models/none/recipe\.yaml"):
        model_recipe("none")


def test_a_folder_of_ones_own_configuration_needs_no_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = model_recipe("landcover")
    (tmp_path / "conf" / "pipelines").mkdir(parents=True)
    monkeypatch.setenv("SWATH_CONF", str(tmp_path / "conf"))
    assert conf_folder() == tmp_path / "conf"
    assert model_recipe("landcover") == shipped
    with pytest.raises(ConfigError, match=r"no recipe for a model 'none': expected .* or "):
        model_recipe("none")


def test_a_layer_that_no_step_makes_is_refused_with_the_nearest_kind(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nsteps: [toa, smac]\nassets: {required: [srr]}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no step of it makes 'srr'; did you mean 'sr'\?"):
        prepare(load_pipeline(str(path)), registry=Registry.beside(tmp_path))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("name: ../..", "is not a name: it begins with '.'"),
        ("name: a/b", "is not a name: it holds '/'"),
        ("name: !!int abc", "not YAML: invalid literal"),
        ("name: !!python/object:os.system x", "not YAML: could not determine a constructor"),
        ("name: !!timestamp x", "not YAML: "),
    ],
)
def test_a_hostile_pipeline_file_is_refused_in_one_line(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"{line}\nsteps: [toa]\nassets: {{required: [toa]}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(told)) as refused:
        load_pipeline(str(path))
    assert "\n" not in str(refused.value)
