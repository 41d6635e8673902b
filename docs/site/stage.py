"""Stage the sources of the site: the guides, and reference pages made from the code.

``python docs/site/stage.py TARGET`` writes the tree that ``mkdocs.yml`` builds. Links to files that are no page (code, YAML,
folders) become plain text with the path, so that no link of the site is dead.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import yaml

from swath.cli.main import cli

ROOT: Final = Path(__file__).resolve().parents[2]
#: Pages beside those in docs/, by their place in the repository.
OTHERS: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "models/README.md",
    "conf/orchestrators/README.md",
    "conf/ci/README.md",
)
#: Modules that users import, by the title of their page.
MODULES: Final = {
    "Values": ("swath.scene", "swath.grid", "swath.product", "swath.errors"),
    "Formulas": ("swath.algo.radiometry", "swath.algo.atmosphere", "swath.algo.qa", "swath.algo.ndvi"),
    "Functions in Spark SQL": ("swath.spark.udf",),
}
#: How docstrings are shown.
OPTIONS: Final = {"docstring_style": "google", "show_root_heading": True, "show_source": False, "members_order": "source"}
#: The navigation, page by page as they are in the repository; decisions and reference follow.
NAVIGATION: Final = {
    "Start": {"Start here": "docs/index.md", "README": "README.md", "What an input must say": "docs/inputs.md", "Products": "docs/products.md"},
    "EO engineers": {"Grids and orthoimages": "docs/grids.md", "Composites": "docs/composites.md", "Looking at products": "docs/viewing.md",
                     "Accuracy": "docs/accuracy.md", "Reliability": "docs/reliability.md"},
    "ML engineers": {"Models": "docs/models.md", "Recipes": "models/README.md"},
    "Platform engineers": {"Sites": "docs/deploy-sites.md", "One machine": "docs/deploy-laptop.md", "Any Kubernetes": "docs/deploy-kubernetes.md",
                           "EKS Anywhere": "docs/deploy-eks-anywhere.md", "EMR on EKS": "docs/deploy-emr-on-eks.md",
                           "Outposts": "docs/deploy-outposts-local.md", "Flux": "docs/deploy-flux.md", "Closed networks": "docs/deploy-bundle.md",
                           "Monitoring": "docs/deploy-monitoring.md", "Security": "docs/deploy-security.md", "Proof": "docs/deploy-proof.md", "Versions": "docs/matrix.md",
                           "S3": "docs/s3.md", "Catalogue": "docs/catalog.md", "Scale": "docs/scale.md",
                           "Orchestrators": "conf/orchestrators/README.md", "CI": "conf/ci/README.md"},
    "Reference": {"Settings": "docs/settings.md"},
    "Behind it": {"Architecture and glossary": "docs/architecture.md", "Extending": "docs/extending.md", "Benchmarks": "docs/benchmarks.md",
                  "Contributing": "CONTRIBUTING.md", "Changes": "CHANGELOG.md"},
}  # fmt: skip
_LINK: Final = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def stage(target: Path) -> None:
    """Write every source below ``target``, which is emptied first, and ``mkdocs.yml`` beside it."""
    shutil.rmtree(target, ignore_errors=True)
    pages = [*(Path(name) for name in OTHERS), *sorted(p.relative_to(ROOT) for p in (ROOT / "docs").rglob("*.md"))]
    for page in pages:
        text = (ROOT / page).read_text(encoding="utf-8")
        _write(target / _place(page), _LINK.sub(lambda m, page=page: _link(m, page=page, pages=pages), text))
    for folder in ("images", "pictures"):
        shutil.copytree(ROOT / "docs" / folder, target / folder)
    _write(target / "reference" / "commands.md", "\n".join(_commands()))
    for title, modules in MODULES.items():
        _write(target / _reference(title), f"# {title}\n\n" + "".join(f"::: {m}\n\n" for m in modules))
    _write(target.parent / "mkdocs.yml", yaml.safe_dump(_settings(target, pages=pages), sort_keys=False))


def _settings(target: Path, *, pages: list[Path]) -> dict[str, Any]:
    """What mkdocs is given: places, and the navigation. A page that the navigation lacks goes under "More"."""
    known = {path for section in NAVIGATION.values() for path in section.values()}
    nav: dict[str, list[dict[str, str]]] = {
        section: [{title: _place(Path(path)).as_posix()} for title, path in listed.items()]
        for section, listed in NAVIGATION.items()
    }
    nav["Reference"] += [{"Commands": "reference/commands.md"}, *({title: _reference(title)} for title in MODULES)]
    decisions = [p for p in pages if p.parent == Path("docs/adr")]
    nav["Decisions"] = [{p.stem.replace("-", " "): _place(p).as_posix()} for p in decisions]
    more = [{p.stem: _place(p).as_posix()} for p in pages if p.as_posix() not in known and p not in decisions]
    return {
        "INHERIT": str(ROOT / "docs" / "site" / "mkdocs.yml"),
        "docs_dir": str(target.resolve()),
        "site_dir": str(target.resolve().parent / "site"),
        "plugins": ["search", {"mkdocstrings": {"handlers": {"python": {"paths": [str(ROOT / "lib")], "options": OPTIONS}}}}],
        "nav": [{section: listed} for section, listed in nav.items()] + ([{"More": more}] if more else []),
    }


def _reference(title: str) -> str:
    return f"reference/{title.lower().replace(' ', '-')}.md"


def _place(page: Path) -> Path:
    """Where a page of the repository is on the site: docs/ is its root."""
    return page.relative_to("docs") if page.parts[0] == "docs" else Path("repository") / page


def _link(found: re.Match[str], *, page: Path, pages: list[Path]) -> str:
    picture, text, href, anchor = found[1], found[2], found[3], found[4] or ""
    if "://" in href or href.startswith("mailto:"):
        return found[0]
    there = Path(_normal((page.parent / href).as_posix()))
    if there in pages or (picture and (ROOT / there).is_file()):
        up = "../" * len(_place(page).parent.parts)
        return f"{picture}[{text}]({up}{_place(there).as_posix()}{anchor})"
    if not (ROOT / there).exists():
        msg = f"{page}: the link to {href} is dead"
        raise SystemExit(msg)
    return f"{text} (`{there.as_posix()}`)"


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _commands() -> Iterator[str]:
    """Every command's help, made from the code."""
    yield "# Commands\n"
    root = click.Context(cli, info_name="swath")
    for name in cli.list_commands(root):
        yield from _help(name, parent=root, group=cli, level=2)


def _help(name: str, *, parent: click.Context, group: click.Group, level: int) -> Iterator[str]:
    command = group.get_command(parent, name)
    if command is None or command.hidden:
        return
    own = click.Context(command, info_name=name, parent=parent, max_content_width=100)
    yield f"{'#' * level} {own.command_path}\n"
    yield f"```text\n{command.get_help(own)}\n```\n"
    if isinstance(command, click.Group):
        for inner in command.list_commands(own):
            yield from _help(inner, parent=own, group=command, level=level + 1)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
