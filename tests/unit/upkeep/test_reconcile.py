"""What reconcile asks of a ledger that is too large to be read without Spark."""

from pathlib import Path

import pytest

from swath.ledger.delta import DeltaTables, NeedsSparkError
from swath.stores.local import LocalStore
from swath.upkeep.reconcile import compare


def test_a_large_ledger_asks_for_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command starts one then, and compares again."""
    monkeypatch.setattr(DeltaTables, "small", lambda *_, **__: None)
    monkeypatch.setattr(DeltaTables, "exists", lambda *_: True)
    store = LocalStore(tmp_path)
    with pytest.raises(NeedsSparkError, match=r"^$"):  # the command says what it does about it
        compare(DeltaTables(None, store), store)
