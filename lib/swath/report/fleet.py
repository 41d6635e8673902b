"""The page of all sites: one table that needs nothing else."""

from collections.abc import Sequence

from jinja2 import Environment, StrictUndefined

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>swath: sites</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}
th,td{padding:.3em .8em;text-align:left;border-bottom:1px solid #ccc}
.good,.at-work{color:#060}.not-reached,.dead,.failed,.unbalanced,.quarantined,.no-run{color:#a00}</style></head>
<body><h1>Sites</h1><table><tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}
<td{% if loop.index == 2 %} class="{{ cell | replace(' ', '-') }}"{% endif %}>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table></body></html>"""


def fleet_page(rows: Sequence[Sequence[str]], *, columns: Sequence[str]) -> str:
    """The page. Names and texts come from elsewhere: everything is escaped, and the page forbids itself to load or run anything.

    Args:
        rows: Cells of each site; the second one is its state.
        columns: Names.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_PAGE).render(rows=rows, columns=columns)
