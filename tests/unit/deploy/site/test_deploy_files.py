from pathlib import Path

import pytest
import yaml

from swath.deploy.site.files import load_job, load_site, site_names, validate
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.errors import ConfigError


def _write(folder: Path, text: str) -> Path:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_six_sites_are_shipped() -> None:
    assert site_names() == ("aws-region", "eks-anywhere", "kubernetes", "laptop", "outposts-extended", "outposts-local")


@pytest.mark.parametrize("name", ["aws-region", "eks-anywhere", "kubernetes", "laptop", "outposts-extended", "outposts-local"])
def test_each_shipped_site_is_read_and_is_commented(name: str) -> None:
    from swath.deploy.site.files import sites_folder  # noqa: PLC0415 - needs the folder that the fixture sets

    assert load_site(name).site == name
    assert "#" in (sites_folder() / "sites" / f"{name}.yaml").read_text(encoding="utf-8")


def test_a_name_with_a_typing_error_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'eks-anywhere'"):
        load_site("eks-anywere")


def test_an_unknown_key_gets_a_suggestion_even_deep_down(tmp_path: Path) -> None:
    path = _write(
        tmp_path, "site: x\nengine: spark-submit\nlink: none\nstores:\n  a: {kind: folder, uri: /a, consistancy: strong}\n"
    )
    with pytest.raises(ConfigError, match=r"stores\.a\.consistancy: unknown key; did you mean 'consistency'"):
        validate(path)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    path = _write(tmp_path, "site: Bad_Name\nengine: yarn\nstores: {}\n")
    with pytest.raises(ConfigError, match=r"(?s)3 problems.*site: .*engine: .*link: is needed and missing"):
        validate(path)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'link' is given twice"):
        validate(_write(tmp_path, "site: x\nlink: none\nlink: always\n"))


def test_validate_tells_jobs_from_sites(tmp_path: Path) -> None:
    assert isinstance(validate(_write(tmp_path, "job: a\npipeline: toa\ninputs: [/i]\noutput: /o\n")), JobSpec)
    laptop = "site: x\nengine: spark-submit\nlink: none\nstores: {}\n"
    assert isinstance(validate(_write(tmp_path, laptop)), Site)
    with pytest.raises(ConfigError, match="neither a site"):
        validate(_write(tmp_path, "pipeline: toa\n"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1, 2]", "neither"),
        ("a: [", "not YAML"),
        ("job: a\npipeline: toa\ninputs: []\noutput: /o\n", "inputs"),
        (
            "job: a\npipeline: toa\ninputs: [/i]\noutput: /o\nresources: {child: 1.5g}\n",
            r"resources\.child: memory '1\.5g'.*1536m",
        ),
        (
            "job: a\npipeline: toa\ninputs: [/i]\noutput: /o\nresources: {executor_heap: 1Gi}\n",
            r"executor_heap: memory '1Gi'.*1g",
        ),
        ("job: a\npipeline: toa\ninputs: [/i]\noutput: /o\nmodels: {clouds: clouds@production}\n", r"models\.clouds"),
        ("job: a\npipeline: toa\ninputs: [/i]\noutput: /o\nschedule: daily\n", "five fields"),
        ("job: a\npipeline: toa\ninputs: [/i]\noutput: /o\nmax_duration: 6 hours\n", "for example 6h"),
        ("job: a\npipeline: toa\ninputs: [/i]\noutput: /o\nsettings: {rayleigh: 3}\n", r"STEP\.PARAM"),
    ],
)
def test_bad_files_are_refused_with_the_place(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"(?s){problem}"):
        validate(_write(tmp_path, text))


def test_a_site_file_bears_its_sites_name(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    path = tmp_path / "sites" / "a.yaml"
    path.write_text("site: b\nengine: spark-submit\nlink: none\nstores: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="the name of a site file must be the site's name"):
        load_site(str(path))


def test_jobs_name_stores_and_no_site() -> None:
    """Two sites differ in their one file and nowhere else."""
    job = load_job("ard")
    assert all(uri.startswith("store://") for uri in (*job.inputs, job.output))
    text = yaml.safe_dump(job.model_dump(mode="json"))
    assert not [name for name in site_names() if name in text]
