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

form_option: Callable[..., Any] = click.option(
    "-o",
    "form",
    type=click.Choice(["wide", "json", "csv"]),
    default=None,
    help="Uncut plain columns (the default for a pipe), JSON or CSV; by default a table fitted to the terminal.",
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
    from rich import box  # noqa: PLC0415  a tenth of a second that a pipe need not pay
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*names, box=box.SIMPLE)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
