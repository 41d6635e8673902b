"""The plain account for a terminal or a log."""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swath.report.summary import QuarantineEntry, RunSummary


def lines(summary: "RunSummary", *, verbose: bool = False) -> tuple[str, ...]:
    """The end of a run in a log: two lines for the account, reduced accuracy, each failure, the report.

    Args:
        summary: Summary of the run.
        verbose: Name files that are not a scene, too.
    """
    scenes = summary.scenes
    verdict = "balances" if summary.balanced else "DOES NOT BALANCE"
    account = (
        f"run {plain(summary.run_id)}: {scenes.taken_in} scenes in = {scenes.made} made + {scenes.skipped} skipped"
        f" + {scenes.quarantined} quarantined; the account {verdict} ({duration(summary.wall_s)})"
    )
    files = summary.assets
    assets = f"assets: {files.taken_in} in = {files.made} made + {files.skipped} skipped + {files.quarantined} quarantined"
    others = _not_scenes(summary, verbose=verbose) if summary.not_scenes else ()
    failures = [*(plain(text) for text in summary.replaced), *(_failure(entry) for entry in summary.quarantine)]
    more = scenes.quarantined - len(summary.quarantine)
    if summary.quarantine and more > 0:
        failures.append(f"quarantined {more} more: swath status, and the parts that the result names, have them all")
    cost = str(summary.cost) if summary.cost is not None else ""
    return (
        account,
        assets,
        *others,
        *reduced(summary),
        *(f"note: {plain(note)}" for note in summary.notes),
        *_of_models(summary),
        *failures,
        *_told([("cost", cost), ("report", summary.report)]),
    )


def place(output: str) -> str:
    """An output as the user would name it: relative to the working folder where it is below it."""
    here = Path.cwd()
    return str(Path(output).relative_to(here)) if output and Path(output).is_relative_to(here) else output


def retry_command(summary: "RunSummary") -> str:
    """The command that processes the quarantined scenes of the run again."""
    return shlex.join(["swath", "retry", place(summary.output) or "OUTPUT", "--pipeline", summary.pipeline])


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.8 s``, ``42 s``, ``3 min 07 s``, ``2 h 05 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def size(number: int) -> str:
    """Bytes as people say them: ``812 B``, ``4.2 KiB``, ``1.3 GiB``."""
    value = float(number)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024.0:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024.0
    return f"{value:.1f} GiB"


def plain(text: str) -> str:
    """Untrusted text without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def _not_scenes(summary: "RunSummary", *, verbose: bool) -> tuple[str, ...]:
    number = summary.not_scenes
    told = f"not a scene: {number} {'file' if number == 1 else 'files'} of the inputs"
    if not verbose:
        return (f"{told} (--verbose names the first)",)
    return (told, *(f"not a scene: {plain(name)}" for name in summary.not_scene_names))


def reduced(summary: "RunSummary") -> tuple[str, ...]:
    """One line on surface reflectance that the atmospheric model does not give well; none where there is none."""
    whole = summary.whole
    if not whole.reduced:
        return ()
    bands = ", ".join(f"{plain(name)} ({number})" for name, number in sorted(whole.reduced.items()))
    return (f"reduced accuracy in {whole.reduced_products} of {whole.products} products: {bands}; their items say by how much",)


def _of_models(summary: "RunSummary") -> tuple[str, ...]:
    """One line a model and thing that is to be said of it, with the number of products."""
    whole = summary.whole
    return tuple(
        f"warning: {plain(model)}: {plain(why)} ({number} of {whole.products} products; the report says where)"
        for model, numbers in sorted(whole.notes.items())
        for why, number in sorted(numbers.items())
    )


def _failure(entry: "QuarantineEntry") -> str:
    return f"quarantined {plain(entry.scene_id)} at {plain(entry.stage)} ({plain(entry.error)}): {plain(entry.reason)}"


def _told(facts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{name} {plain(value)}" for name, value in facts if value)
