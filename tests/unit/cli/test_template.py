"""Templates are valid, say everything that there is to say, and run."""

import re
from pathlib import Path

import pytest
import yaml

from swath.cli.file_check import problems_of
from swath.cli.main import main
from swath.cli.template import TEMPLATES, template
from swath.deploy.site.job_spec import JobSpec, Resources
from swath.deploy.site.site import Site
from swath.errors import ConfigError
from swath.pipeline_file import PipelineFile
from swath.training.recipe import TrainingRecipe

#: A setting that is left out: `#key: value`; a comment has a blank behind its `#`.
_LEFT_OUT = re.compile(r"^( *)#(?=[a-z_]+: )", re.MULTILINE)
_CONF = Path(__file__).parents[3] / "conf"
_SHIPPED = sorted(p for folder in ("pipelines", "composites", "jobs", "sites", "prices") for p in (_CONF / folder).glob("*.yaml"))
_YAML = [kind for kind, file in TEMPLATES.items() if file.endswith(".yaml")]


def _written(folder: Path, kind: str, *, text: str = "") -> Path:
    file = folder / TEMPLATES[kind]
    file.write_text(text or template(kind), encoding="utf-8")
    return file


def _everything_set(kind: str) -> str:
    """The template with every setting that it leaves out.

    A border needs a flow, a reference is a file of the user, and a model is a forest or a U-Net.
    """
    text = _LEFT_OUT.sub(r"\1", template(kind))
    text = "\n".join(line for line in text.splitlines() if not line.startswith(("coregister:", "forest:")))
    return text.replace("allow: []", "allow: [metrics]")


def _ended(*words: str) -> int | str | None:
    with pytest.raises(SystemExit, match=r"^\d$") as ended:
        main(["template", *words])
    return ended.value.code


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_template_is_valid_as_it_is(kind: str, tmp_path: Path) -> None:
    assert problems_of(_written(tmp_path, kind)) == []


@pytest.mark.parametrize("kind", _YAML)
def test_a_template_is_valid_with_every_setting_that_it_leaves_out(kind: str, tmp_path: Path) -> None:
    text = _everything_set(kind)

    assert text != template(kind)
    assert problems_of(_written(tmp_path, kind, text=text)) == []


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("pipeline", set(PipelineFile.model_fields)),
        ("job", set(JobSpec.model_fields)),
        ("site", set(Site.model_fields)),
        ("model", set(TrainingRecipe.__dataclass_fields__)),
    ],
)
def test_a_template_names_every_setting_that_there_is(kind: str, known: set[str]) -> None:
    text = _LEFT_OUT.sub(r"\1", template(kind))

    assert set(yaml.safe_load(text)) == known


def test_a_template_of_a_job_names_every_resource() -> None:
    assert set(yaml.safe_load(_everything_set("job"))["resources"]) == set(Resources.model_fields)


def test_a_template_goes_to_stdout_or_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"

    assert _ended("pipeline") == 0
    assert capsys.readouterr().out == template("pipeline")
    assert _ended("pipeline", str(file)) == 0
    assert file.read_text(encoding="utf-8") == template("pipeline")


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine", encoding="utf-8")

    assert _ended("site", str(file)) == 2
    assert "exists already and is left as it is" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("window: Window, scene: Scene, inputs: Inputs)", "where: Window)", "run() must take window, scene, inputs"),
        ('"brightness"\n    # Raise', '"ndvi"\n    # Raise', "is a step of swath"),
        ("frozen=True", "frozen=False", "frozen=True"),
        ('("brightness",)', '"brightness"', "kinds must be a tuple"),
        ("version: ClassVar[int] = 1", "version: ClassVar[int] = 0", "version must be a whole number from 1"),
        ("    def recipes(", "    def receipts(", "lacks recipes"),
    ],
)
def test_a_step_that_lacks_a_part_is_refused_by_name(right: str, wrong: str, told: str, tmp_path: Path) -> None:
    text = template("step")
    assert right in text

    found = problems_of(_written(tmp_path, "step", text=text.replace(right, wrong)))

    assert any(told in problem and problem.startswith("Brightness: ") for problem in found), found


def test_a_file_without_a_step_or_that_cannot_be_imported_is_refused(tmp_path: Path) -> None:
    empty, broken = tmp_path / "empty.py", tmp_path / "broken.py"
    empty.write_text("x = 1\n", encoding="utf-8")
    broken.write_text("import no_such_module_at_all\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="no step: expected a class with name, version, kinds"):
        problems_of(empty)
    with pytest.raises(ConfigError, match=r"cannot be imported: ModuleNotFoundError: No module named 'no_such_module_at_all'"):
        problems_of(broken)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("- ndvi:", "- nvdi:", "there is no step 'nvdi'; did you mean 'ndvi'"),
        ("size: 5", "sise: 5", "no parameter 'sise'; did you mean 'size'"),
        ("[ndvi, qa]", "[ndvi, landcover]", "no step of it makes 'landcover'"),
    ],
)
def test_validate_builds_the_steps_of_a_pipeline(old: str, new: str, told: str, tmp_path: Path) -> None:
    text = template("pipeline")
    assert old in text

    with pytest.raises(ConfigError, match=re.escape(told)):
        problems_of(_written(tmp_path, "pipeline", text=text.replace(old, new)))


@pytest.mark.parametrize("file", _SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_file_is_valid(file: Path) -> None:
    assert problems_of(file) == []


def test_prices_are_checked_as_prices(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("currency: EUR\ncore_hour: 0.06\nspot_share: 0.5\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"spot_share is 0\.5 and spot_core_hour is missing"):
        problems_of(file)
