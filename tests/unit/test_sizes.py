"""Code stays in sizes that are read at once: a file is one noun, a function fits on a screen."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Lines of a function with its signature and docstring, and of a file.
MOST_OF_A_FUNCTION, MOST_OF_A_FILE = 47, 299


def test_no_function_is_longer_than_a_screen() -> None:
    functions = [(f"{path}:{node.lineno} {node.name}", _length(node)) for path, node in _functions()]
    assert len(functions) > 1000
    assert {where: lines for where, lines in functions if lines > MOST_OF_A_FUNCTION} == {}


def test_no_file_is_longer_than_one_noun() -> None:
    lengths = {path.as_posix(): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in _files()}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_OF_A_FILE} == {}


def _functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in _files():
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def _files() -> list[Path]:
    return sorted(p.relative_to(ROOT) for folder in ("lib", "jobs") for p in (ROOT / folder).rglob("*.py"))


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
