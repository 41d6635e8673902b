"""The report of a run and its result, beside the products."""

from swath.report.html import render
from swath.report.summary import RunSummary
from swath.runs.results import listed
from swath.stores.base import Store
from swath.stores.registry import open_store


def write_report(summary: RunSummary) -> RunSummary:
    """Write the report and the result beside the products; the summary as the result has it."""
    store = open_store(summary.output)
    summary = listed(summary, store)
    draw_report(summary, store)
    store.write(shown_path(summary.run_id), summary.to_shown())
    store.write(f"reports/{summary.run_id}.json", summary.to_document().encode())
    return summary


def shown_path(run_id: str) -> str:
    """Path of the summaries of the first products, relative to the output."""
    return f"reports/{run_id}/shown.ndjson.gz"


def draw_report(summary: RunSummary, store: Store) -> None:
    """Write the report, with pictures of the output in ``store``."""
    store.write(summary.report, render(summary, read=store.read).encode())
