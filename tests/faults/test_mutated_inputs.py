"""Damaged deliveries are made, or refused with a reason: the short form of ``make faults``."""

from pathlib import Path

import pytest
from tests.faults.mutated_inputs import HUNG, outcomes
from tests.faults.whole_product import MADE

pytestmark = pytest.mark.faults


def test_a_damaged_delivery_is_made_or_refused_with_a_reason(tmp_path: Path) -> None:
    found = list(outcomes(seed=5, count=60, folder=tmp_path))
    assert [(o.number, o.damage, o.escape) for o in found if o.escape] == []
    assert [(o.number, o.damage) for o in found if o.result != MADE and not o.message] == []
    assert [(o.number, o.damage) for o in found if o.result == HUNG] == []
    # The damage is not always fatal, and not always harmless: otherwise nothing was tested.
    made = sum(o.result == MADE for o in found)
    assert 5 < made < 55
