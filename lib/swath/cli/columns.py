"""Tables at the terminal: drawn for people, plain and uncut for programs."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any, Literal

import click

Form = Literal["", "wide", "json", "csv"]
#: Between two plain columns.
_GAP = "  "
#: Cells that a column beside the first needs at least, its gap among them.
_LEAST = 8

form_option: Callable[..., Any] = click.option(
    "-o",
    "form",
    type=click.Choice(["wide", "json", "csv"]),
    default=None,
    help="Uncut plain columns (the default for a pipe), JSON or CSV; by default columns within the terminal.",
)


def show(names: Sequence[str], rows: Sequence[Sequence[str]], *, form: str | None) -> None:
    """Print a table.

    Args:
        names: Names of its columns.
        rows: Cells of each row.
        form: ``wide``, ``json`` or ``csv``; None draws it where stdout is a terminal, and is ``wide`` elsewhere.
    """
    if form is None and sys.stdout.isatty():
        _draw(names, rows)
    elif form == "json":
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False))
    elif form == "csv":
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows([names, *rows])
        click.echo(text.getvalue(), nl=False)
    else:
        click.echo(plain(names, rows))


def plain(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of one width each, without borders: nothing is cut, and `cut`, `awk` and people can read them."""
    lines = [list(names), *(list(row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(names))]
    return "\n".join(_GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def _draw(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns within the width of the terminal: what does not fit goes on in the next line, and names are whole.

    Where the terminal is too narrow even for that, each row is a few lines of a name and a value.
    """
    from rich.console import Console  # noqa: PLC0415  a tenth of a second that a pipe need not pay
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    first = max(len(line[0]) for line in (names, *rows))
    if console.width < first + _LEAST * (len(names) - 1):
        click.echo(records(names, rows))
        return
    fits = max(map(len, plain(names, rows).splitlines())) <= console.width
    table = Table(box=None, pad_edge=False, padding=(0, len(_GAP) if fits else 1, 0, 0))
    for n, name in enumerate(names):
        table.add_column(name, overflow="fold", no_wrap=n == 0, min_width=first if n == 0 else None)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def records(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of a table for a narrow terminal: the first cell, and each other one in a line of its own, after its name."""
    width = max(map(len, names))
    lines = []
    for row in rows:
        lines += [row[0], *(f"  {name.ljust(width)}  {cell}".rstrip() for name, cell in zip(names[1:], row[1:], strict=True))]
    return "\n".join(lines)
