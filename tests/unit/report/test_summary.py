"""The values of a run: the JSON contract, the account, and the way there and back."""

import json
from dataclasses import replace

import pytest

from swath.account import Count
from swath.product import Product
from swath.report.product_summary import ProductSummary
from swath.report.stage_timing import StageTiming, stages_together
from swath.report.summary import RunSummary

CONTRACT = {"run_id", "pipeline", "scenes_in", "made", "skipped", "quarantined", "products", "quarantine", "report"}


def test_the_json_keeps_its_contract(summary: RunSummary) -> None:
    text = summary.to_json()
    found = json.loads(text)
    assert "\n" not in text
    assert found.keys() >= CONTRACT
    assert (found["scenes_in"], found["made"], found["skipped"], found["quarantined"]) == (4, 2, 1, 1)
    first = found["products"][0]
    assert {"product_id", "scene_id", "item", "assets"} <= first.keys()
    assert first["assets"]["red"] == first["item"].rsplit("/", 1)[0] + "/p.red.0123456789ab.tif"
    assert {"scene_id", "stage", "error", "message"} <= found["quarantine"][0].keys()
    assert found["quarantine"][0]["error"] == "read"
    assert found["report"].endswith(".html")
    assert found["balanced"] is True


def test_a_document_gives_the_run_back(summary: RunSummary) -> None:
    document = summary.to_document()
    assert RunSummary.from_document(document, shown=summary.to_shown()) == summary
    assert json.loads(document).keys() >= CONTRACT
    # Without its pages, everything but the products is there.
    assert RunSummary.from_document(document) == replace(summary, products=())


def test_a_document_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="RunSummary"):
        RunSummary.from_document('{"run_id": "x"}')


def test_a_remainder_unbalances_the_account(summary: RunSummary) -> None:
    account = Count(taken_in=5, made=2, skipped=1, quarantined=1)
    assert account.remainder == 1
    assert not account.balanced
    assert not replace(summary, assets=account).balanced
    assert json.loads(replace(summary, scenes=account).to_json())["balanced"] is False


def test_stages_of_several_waves_add_up() -> None:
    one = StageTiming(name="process", wall_s=1.0, cpu_s=2.0, tasks=3, peak_mb=10.0)
    other = StageTiming(name="process", wall_s=4.0, cpu_s=5.0, tasks=6)
    plan = StageTiming(name="plan", wall_s=0.5, cpu_s=0.5, tasks=1)
    assert stages_together([plan, one, other]) == (
        plan,
        StageTiming(name="process", wall_s=5.0, cpu_s=7.0, tasks=9, peak_mb=10.0),
    )


def test_models_are_named_once(summary: RunSummary) -> None:
    assert len(summary.models) == 1
    assert [m["name"] for m in json.loads(summary.to_json())["models"]] == ["landcover-forest"]


def test_a_product_tells_its_own_summary(made: Product) -> None:
    found = ProductSummary.of(made, item="products/c/2024/01/02/p/p.json", pictures={"thumbnail": "t.png"})
    assert found.product_id == made.product_id
    assert [a.name for a in found.assets] == [a.name for a in made.assets]
    assert [(a.name, a.value, a.source) for a in found.atmosphere] == [("aot550", 0.2, "default")]
    assert [m.version for m in found.models] == ["7"]
    assert found.shares.valid == pytest.approx(75.0)
