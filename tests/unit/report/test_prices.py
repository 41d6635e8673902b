"""A run's cost, by the prices that a site names."""

from dataclasses import replace
from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.report.cost import Cost
from swath.report.html import render
from swath.report.summary import RunSummary
from swath.report.text import lines
from swath.runs.prices import Prices, Spent, site_prices

ROOT = Path(__file__).resolve().parents[3]


def test_two_cores_for_half_an_hour_are_one_core_hour() -> None:
    cost = Prices(currency="EUR", core_hour=0.06).cost(Spent(core_s=2 * 1800.0))
    assert cost.core_hours == 1.0
    assert cost.amount == pytest.approx(0.06)
    assert str(cost) == "0.0600 EUR (1.00 core hours)"


def test_spot_requests_and_storage_have_prices_of_their_own() -> None:
    prices = Prices(
        currency="EUR", core_hour=0.06, spot_core_hour=0.02, spot_share=0.75, writes_1000=0.005, reads_1000=0.0004,
        storage_gb_month=0.02,
    )  # fmt: skip
    spent = Spent(core_s=100 * 3600.0, scenes=500, assets=6000, waves=2, bytes=50 * 10**9)
    cost = prices.cost(spent)
    # 25 core hours on demand, 75 on spot; 8,400 writes, 4,800 reads of products, 40 of commits, 400 of the run.
    assert cost.requests == pytest.approx(8.4 * 0.005 + 5.24 * 0.0004)
    assert cost.amount == pytest.approx(25 * 0.06 + 75 * 0.02 + cost.requests)
    assert cost.per_1000 == pytest.approx(2 * cost.amount)
    assert cost.month == pytest.approx(1.0)
    assert str(cost) == "3.04 EUR (100.00 core hours), 6.09 EUR for 1,000 scenes; storage 1.00 EUR a month"
    assert prices.cost(Spent(core_s=3600.0)).per_1000 is None


def test_the_example_is_a_price_file_and_without_one_nothing_is_told() -> None:
    prices = site_prices({"SWATH_PRICE_FILE": str(ROOT / "conf" / "prices" / "example.yaml")})
    assert prices is not None
    assert prices.core_hour > 0
    assert site_prices({}) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("currency: EUR\ncore_hours: 1\n", "did you mean 'core_hour'"),
        ("currency: euro\ncore_hour: 1\n", "currency"),
        ("currency: EUR\ncore_hour: -1\n", "core_hour"),
        ("currency: EUR\ncore_hour: 1\nspot_share: 0.5\n", "spot_core_hour is missing"),
        ("currency: EUR\ncore_hour: 1\nspot_core_hour: 0.5\nspot_share: 1.5\n", "spot_share"),
        ("[", "which cannot be read"),
        ("", "expected a mapping"),
    ],
)
def test_what_is_no_price_file_ends_the_run_before_it_begins(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        site_prices({"SWATH_PRICE_FILE": str(path)})


def test_a_cost_is_told_in_the_terminal_the_report_and_the_result(summary: RunSummary) -> None:
    paid = replace(summary, cost=Cost(currency="EUR", amount=1.5, core_hours=25.0))
    assert "cost 1.50 EUR (25.00 core hours)" in lines(paid)
    assert "1.50 EUR (25.00 core hours)" in render(paid, read=lambda _: None)
    assert RunSummary.from_document(paid.to_document()).cost == paid.cost
    assert not [line for line in lines(summary) if line.startswith("cost")]
