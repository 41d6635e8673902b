"""The walk from a job to a formula, as docs/architecture.md has it: every call that it names is in the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIB = ROOT / "lib" / "swath"
#: Calls from a job to its wave, at most.
MOST = 8
_JOB, _WAVE, _FORMULA = "jobs/process.py", "runs.wave.WaveRunner.run", "algo.radiometry.toa_reflectance"


def _walks() -> list[list[str]]:
    """Each walk of the document: places, and between them the arrows."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split("## From a job to a formula")[1].split("\n## ")[0]
    lines = [" ".join(block.split()) for block in section.split("\n\n") if " -> " in block]
    return [re.split(r" (->|=>) ", line.replace("`", "")) for line in lines]


def _node(place: str) -> tuple[ast.AST, ast.Module]:
    """The definition of a function or method, and the module that it is in."""
    if place.endswith(".py"):
        tree = ast.parse((ROOT / place).read_text(encoding="utf-8"))
        return tree, tree
    parts = place.split(".")
    depth = next(n for n in range(len(parts), 0, -1) if LIB.joinpath(*parts[:n]).with_suffix(".py").is_file())
    tree = ast.parse(LIB.joinpath(*parts[:depth]).with_suffix(".py").read_text(encoding="utf-8"))
    found: ast.AST = tree
    for name in parts[depth:]:
        kinds = (ast.FunctionDef, ast.ClassDef)
        found = next(n for n in ast.iter_child_nodes(found) if isinstance(n, kinds) and n.name == name)
    return found, tree


def _names(node: ast.AST) -> set[str]:
    """Names that a piece of code uses, also inside texts such as ``module:function``."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            found.update(re.findall(r"\w+", part.value))
    return found


def _hops() -> list[tuple[str, str, str]]:
    return [(walk[n], walk[n + 1], walk[n + 2]) for walk in _walks() for n in range(0, len(walk) - 2, 2)]


@pytest.mark.parametrize(("place", "arrow", "callee"), _hops())
def test_each_call_of_the_walk_is_in_the_code(place: str, arrow: str, callee: str) -> None:
    function, module = _node(place)
    _node(callee)
    # Through a table or a message: the name is in the same module.
    assert callee.rpartition(".")[2] in _names(function if arrow == "->" else module)


def test_the_walk_begins_at_a_job_and_ends_at_a_formula() -> None:
    walks = _walks()
    assert (walks[0][0], walks[-1][-1]) == (_JOB, _FORMULA)


def test_a_job_reaches_its_wave_in_few_calls() -> None:
    places = _walks()[0][::2]
    assert places.index(_WAVE) <= MOST
