"""What the guides tell people to type and to open is there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest

from swath.cli.lazy import LazyGroup
from swath.cli.main import COMMANDS
from swath.deploy.site.files import load_job, load_site, site_names

ROOT = Path(__file__).resolve().parents[3]
GUIDES = sorted([*ROOT.glob("docs/*.md"), *(ROOT / folder / "README.md" for folder in (".", "emr-on-eks", "spark-operator"))])
#: A chart, which only looks like a folder of ours.
_NOT_OURS = {"spark-operator/spark-operator"}
_FOLDERS = ("benchmarks/", "conf/", "docs/", "emr-on-eks/", "jobs/", "lib/", "models/", "spark-operator/", "tests/")
_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", flags=re.DOTALL | re.MULTILINE)
#: A shell's, or of no language, as the README has them.
_SHELL = ("sh", "")


def _text(guide: Path) -> str:
    """A guide for one of the sites that it speaks of."""
    return re.sub(r"\bSITE\b|<site>", "aws-region" if "emr" in str(guide) else "kubernetes", guide.read_text(encoding="utf-8"))


def _commands(text: str) -> Iterator[list[str]]:
    """Every complete ``swath`` command of the shell blocks, and of the text around them where it has arguments."""
    blocks = [block for language, block in _BLOCK.findall(text) if language in _SHELL]
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        for part in line.split("|"):
            words = shlex.split(part, comments=True)
            if words and words[0].removeprefix(".venv/bin/") == "swath":
                yield words[1:]
    around = _BLOCK.sub("", text)
    for inline in re.findall(r"`swath ([^`]+)`", around):
        yield [w for w in shlex.split(inline) if w != "..."]


def _parse(words: list[str], *, complete: bool) -> None:
    """Let click read the words; nothing runs."""
    command: click.Command = LazyGroup(name="swath", lazy=COMMANDS)
    context, rest = click.Context(command), list(words)
    while isinstance(command, click.Group) and rest:
        name = rest.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name}"
        context, command = click.Context(found, parent=context, info_name=name), found
    if not complete:
        context.resilient_parsing = True
    command.parse_args(context, rest)
    job, site = context.params.get("job"), context.params.get("site_name")
    if complete and job and site:
        load_job(job)
        assert site in site_names()


@pytest.fixture(params=GUIDES, ids=lambda p: p.relative_to(ROOT).as_posix())
def guide(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_command_of_a_guide_is_one(guide: Path) -> None:
    text = _text(guide)
    blocks = "\n".join(m[0] for m in _BLOCK.finditer(text))
    complete = list(_commands(blocks))
    for words in complete:
        _parse(words, complete=True)
    for words in list(_commands(text))[len(complete) :]:
        _parse(words, complete=False)


def test_every_file_of_a_guide_is_there(guide: Path) -> None:
    text = _text(guide)
    linked = [urlsplit(target).path for target in re.findall(r"\]\(([^)]+)\)", text) if not target.startswith("https://")]
    assert [t for t in linked if t and not (guide.parent / t).exists()] == []
    spoken = re.findall(rf"(?<![\w./:-])(?:{'|'.join(_FOLDERS)})[\w./*-]*[\w*]", text)
    assert {s for s in spoken if not any(ROOT.glob(s)) and not any(guide.parent.glob(s))} <= _NOT_OURS


def test_every_heading_that_a_guide_links_to_is_there(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]*#[^)]+)\)", text):
        file, _, heading = target.partition("#")
        headings = re.findall(
            r"^#+ (.+)$", (guide.parent / file if file else guide).read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        assert heading in {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("guide", ["docs/deploy-eks-anywhere.md", "spark-operator/README.md"])
def test_the_namespace_is_there_before_the_chart_that_makes_roles_in_it(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    assert text.index("kubectl apply -k") < text.index("kubectl apply --server-side") < text.index("helm install")


@pytest.mark.parametrize(
    ("words", "problem"),
    [("submitt ard", "no command"), ("submit ard --sites kubernetes", "No such option"), ("submit ard", "Missing parameter")],
)
def test_a_command_that_is_none_is_seen(words: str, problem: str) -> None:
    with pytest.raises((AssertionError, click.UsageError), match=problem):
        _parse(words.split(), complete=True)


def test_every_site_has_a_guide() -> None:
    told = (ROOT / "docs" / "deploy-sites.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \|.*\[(deploy-[a-z-]+\.md)\]", told, flags=re.MULTILINE))
    assert set(rows) == set(site_names())
    for site, guide in rows.items():
        assert site in (ROOT / "docs" / guide).read_text(encoding="utf-8")
        load_site(site)
