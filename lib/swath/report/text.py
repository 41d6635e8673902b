"""The plain account for a terminal or a log: rows of words, to be set by whoever prints them."""

from collections.abc import Iterable

from swath.report.summary import Account, RunSummary

Row = tuple[str, ...]
ACCOUNT_HEAD: Row = ("", "in", "made", "skipped", "quarantined", "balance")
QUARANTINE_HEAD: Row = ("scene", "stage", "error", "message")


def account_rows(summary: RunSummary) -> tuple[Row, ...]:
    """The account by scene and by asset, under ``ACCOUNT_HEAD``."""
    return (_account("scenes", summary.scenes), _account("assets", summary.assets))


def quarantine_rows(summary: RunSummary) -> tuple[Row, ...]:
    """What failed and why, under ``QUARANTINE_HEAD``."""
    return tuple((plain(q.scene_id), plain(q.stage), plain(q.error), plain(q.message)) for q in summary.quarantine)


def lines(summary: RunSummary) -> tuple[str, ...]:
    """The end of a run in a log: two lines for the account, one for each failure, one for the report."""
    scenes = summary.scenes
    verdict = "balances" if summary.balanced else "DOES NOT BALANCE"
    account = (
        f"run {plain(summary.run_id)}: {scenes.taken_in} scenes in = {scenes.made} made + {scenes.skipped} skipped"
        f" + {scenes.quarantined} quarantined; the account {verdict} ({duration(summary.wall_s)})"
    )
    files = summary.assets
    assets = f"assets: {files.taken_in} in = {files.made} made + {files.skipped} skipped + {files.quarantined} quarantined"
    failures = (f"quarantined {row[0]} at {row[1]} ({row[2]}): {row[3]}" for row in quarantine_rows(summary))
    cost = str(summary.cost) if summary.cost is not None else ""
    return (account, assets, *failures, *_told([("cost", cost), ("report", summary.report)]))


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
    """Text of strangers without control characters: a terminal obeys them."""
    return "".join(c if c.isprintable() else " " for c in text)


def _account(name: str, account: Account) -> Row:
    balance = "ok" if account.balanced else f"{account.remainder:+d} unexplained"
    return (
        name,
        str(account.taken_in),
        str(account.made),
        str(account.skipped),
        str(account.quarantined),
        balance,
    )


def _told(facts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{name} {plain(value)}" for name, value in facts if value)
